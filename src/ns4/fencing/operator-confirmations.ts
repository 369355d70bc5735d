// An operator's confirmation that a host is off, in Redis: the only proof there can be when its BMC lost power too. It
// expires, and is used up by the recovery whose proof it becomes.

import { z } from 'zod';
import type { Db } from '../../shared/redis/db.ts';
import { jsonOrNull } from '../../shared/redis/json.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import type { Trust } from '../../shared/trust/trust.ts';
import { wordMs } from './proof.ts';

const confirmationSchema = z.object({ who: z.string(), atMs: z.number() });
export type Confirmation = z.infer<typeof confirmationSchema>;

const confirmationSeconds = wordMs / 1_000;
const limits = { mostAgeMs: wordMs };

export class OperatorConfirmations {
  readonly #redis: Db;
  readonly #keys: Pick<Keys, 'fenceConfirmation'>;

  readonly #trust: Trust;

  constructor(redis: Db, keys: Pick<Keys, 'fenceConfirmation'>, trust: Trust) {
    this.#redis = redis;
    this.#keys = keys;
    this.#trust = trust;
  }

  async record(host: string, confirmation: Confirmation): Promise<void> {
    await this.#redis.set(
      this.#keys.fenceConfirmation(host),
      this.#trust.text('fence-word', host, confirmation),
      'EX',
      confirmationSeconds,
    );
  }

  /** Null: nobody confirmed it within the last hour, or that is used up, or cannot be read. */
  async of(host: string): Promise<Confirmation | null> {
    const text = await this.#redis.get(this.#keys.fenceConfirmation(host));
    if (text === null) return null;
    const found = jsonOrNull(text);
    if (this.#trust.distrusts('fence-word', host, found, limits) !== null) return null;
    return confirmationSchema.safeParse(found).data ?? null;
  }

  /** It became a proof: whoever puts it back is refused. */
  async useUp(host: string): Promise<void> {
    const text = await this.#redis.get(this.#keys.fenceConfirmation(host));
    if (text !== null) this.#trust.takeOnce(jsonOrNull(text), limits);
    await this.#redis.del(this.#keys.fenceConfirmation(host));
  }
}
