// An operator's confirmation that a host is off, in Redis: the only proof there can be when its BMC lost power too. It
// expires, and is used up by the recovery whose proof it becomes.

import { z } from 'zod';
import type { Db } from '../../shared/redis/db.ts';
import type { Keys } from '../../shared/redis/keys.ts';

const confirmationSchema = z.object({ who: z.string(), atMs: z.number() });
export type Confirmation = z.infer<typeof confirmationSchema>;

/** A host may be switched on again by whoever repairs it. */
const confirmationSeconds = 3_600;

export class OperatorConfirmations {
  readonly #redis: Db;
  readonly #keys: Pick<Keys, 'fenceConfirmation'>;

  constructor(redis: Db, keys: Pick<Keys, 'fenceConfirmation'>) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async record(host: string, confirmation: Confirmation): Promise<void> {
    await this.#redis.set(
      this.#keys.fenceConfirmation(host),
      JSON.stringify(confirmation),
      'EX',
      confirmationSeconds,
    );
  }

  /** Null: nobody confirmed it within the last hour, or that is used up, or cannot be read. */
  async of(host: string): Promise<Confirmation | null> {
    const text = await this.#redis.get(this.#keys.fenceConfirmation(host));
    if (text === null) return null;
    try {
      return confirmationSchema.parse(JSON.parse(text));
    } catch {
      return null;
    }
  }

  async useUp(host: string): Promise<void> {
    await this.#redis.del(this.#keys.fenceConfirmation(host));
  }
}
