// Whom Sonny cut off from Ceph, in Redis, from the moment before it is done until the entries are lifted: so that nobody
// is forgotten, and no entry is lifted that is somebody else's.
import { z } from 'zod';
import type { Db } from '../../shared/redis/db.ts';
import { jsonOrNull } from '../../shared/redis/json.ts';
import type { Keys } from '../../shared/redis/keys.ts';

const cutSchema = z.object({
  addresses: z.array(z.string()),
  /** When it was done last, by the clock of the ns4 that did it, ms since the epoch. */
  atMs: z.number(),
  /**
   * When a device showed that the host was off, in the recovery that cut it off or later: what ran there before is gone.
   * Null: nobody saw that.
   */
  seenOff: z.object({ atMs: z.number(), by: z.string() }).nullable(),
});
export type Cut = z.infer<typeof cutSchema>;

/** No longer than the entries themselves are there, from the last one on. */
const lifeMs = 365 * 86_400_000;

export class CutOffStore {
  readonly #redis: Db;
  readonly #keys: Pick<Keys, 'cutOff'>;

  constructor(redis: Db, keys: Pick<Keys, 'cutOff'>) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Every host, with what is known of it. */
  async all(): Promise<ReadonlyMap<string, Cut>> {
    const fields = Object.entries(await this.#redis.hgetall(this.#keys.cutOff));
    return new Map(
      fields.flatMap(([host, text]) => {
        // One that cannot be read is as good as none.
        const cut = cutSchema.safeParse(jsonOrNull(text)).data;
        return cut === undefined ? [] : [[host, cut] as const];
      }),
    );
  }

  /** Null: Sonny did not cut it off, or its entries were lifted. */
  async of(host: string): Promise<Cut | null> {
    return (await this.all()).get(host) ?? null;
  }

  /** The host is about to be cut off. Addresses of before stay in it: their entries do. */
  async note(host: string, cut: Cut): Promise<void> {
    const before = (await this.of(host))?.addresses ?? [];
    await this.#keep(host, { ...cut, addresses: [...new Set([...before, ...cut.addresses])] });
  }

  /** A device shows that it is off. */
  async noteSeenOff(host: string, seenOff: NonNullable<Cut['seenOff']>): Promise<void> {
    const cut = await this.of(host);
    if (cut !== null) await this.#keep(host, { ...cut, seenOff });
  }

  /** Its entries are gone. */
  async forget(host: string): Promise<void> {
    await this.#redis.multi().hdel(this.#keys.cutOff, host).exec();
  }

  async #keep(host: string, cut: Cut): Promise<void> {
    const key = this.#keys.cutOff;
    await this.#redis.multi().hset(key, host, JSON.stringify(cut)).pexpire(key, lifeMs).exec();
  }
}
