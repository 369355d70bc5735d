// What became of the `off`s that were sent to a host in one incident, in Redis: a host that somebody switched on since
// is not shot again and again while it boots.
import { z } from 'zod';
import type { Db } from '../../shared/redis/db.ts';
import type { Keys } from '../../shared/redis/keys.ts';

const shotSchema = z.object({
  /** Of the level that it was sent by. */
  level: z.number(),
  agent: z.string(),
  atMs: z.number(),
  /** The device said that it carried it out; whether it showed that is another matter. */
  taken: z.boolean(),
  /** Its `status` said off, then or at a later look. */
  seenOff: z.boolean(),
});
/** The last `off` that a level was told. */
export type Shot = z.infer<typeof shotSchema>;

const shotsSchema = z.object({ incident: z.string(), shots: z.array(shotSchema) });

/** An incident may last; whoever repairs the host ends it sooner. */
const keepSeconds = 7 * 86_400;

/** The port: the simulation keeps them in memory. */
export interface Shots {
  /** Null: the level was not told to power the host off in this incident. */
  last(host: string, incident: string, level: number): Promise<Shot | null>;
  record(host: string, incident: string, shot: Shot): Promise<void>;
}

export class RedisShots implements Shots {
  readonly #redis: Db;
  readonly #keys: Pick<Keys, 'fenceShots'>;

  constructor(redis: Db, keys: Pick<Keys, 'fenceShots'>) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async last(host: string, incident: string, level: number): Promise<Shot | null> {
    return (await this.#of(host, incident)).find((shot) => shot.level === level) ?? null;
  }

  async record(host: string, incident: string, shot: Shot): Promise<void> {
    const others = (await this.#of(host, incident)).filter(({ level }) => level !== shot.level);
    const text = JSON.stringify({ incident, shots: [...others, shot] });
    await this.#redis.set(this.#keys.fenceShots(host), text, 'EX', keepSeconds);
  }

  /** Only whoever has the lock on the host's recovery fences it, so nobody writes in between. */
  async #of(host: string, incident: string): Promise<Shot[]> {
    const text = await this.#redis.get(this.#keys.fenceShots(host));
    if (text === null) return [];
    try {
      const found = shotsSchema.parse(JSON.parse(text));
      return found.incident === incident ? found.shots : [];
    } catch {
      return [];
    }
  }
}
