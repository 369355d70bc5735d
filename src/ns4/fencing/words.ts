// An operator's word that a host is off, in Redis: the only proof there can be when its BMC lost power too. It expires,
// and is used up by the incident whose proof it becomes.
import { z } from 'zod';
import type { Db } from '../../shared/redis/db.ts';
import type { Keys } from '../../shared/redis/keys.ts';

const wordSchema = z.object({ who: z.string(), atMs: z.number() });
export type Word = z.infer<typeof wordSchema>;

/** A host may be switched on again by whoever repairs it. */
export const wordSeconds = 3_600;

export class Words {
  readonly #redis: Db;
  readonly #keys: Pick<Keys, 'fenceWord'>;

  constructor(redis: Db, keys: Pick<Keys, 'fenceWord'>) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async give(host: string, word: Word): Promise<void> {
    await this.#redis.set(this.#keys.fenceWord(host), JSON.stringify(word), 'EX', wordSeconds);
  }

  /** Null: nobody gave one within the last hour, or it is used up, or it cannot be read. */
  async of(host: string): Promise<Word | null> {
    const text = await this.#redis.get(this.#keys.fenceWord(host));
    if (text === null) return null;
    try {
      return wordSchema.parse(JSON.parse(text));
    } catch {
      return null;
    }
  }

  async useUp(host: string): Promise<void> {
    await this.#redis.del(this.#keys.fenceWord(host));
  }
}
