// What became of the `off`s that were sent to a host in one incident, in Redis: a host that somebody switched on since
// is not shot again and again while it boots.
import { z } from 'zod';
import type { Db } from '../../shared/redis/db.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import type { PowerSeen } from './proof.ts';

const shotSchema = z.object({
  /** Of the level that it was sent by. */
  level: z.number(),
  /** Its place among the devices of that level, from 0; 0 in documents of older versions. */
  device: z.number().default(0),
  agent: z.string(),
  atMs: z.number(),
  /**
   * taken: the device said that it carried it out, whatever it showed; none: it certainly did nothing, the agent could
   * not be run or the host was seen on right afterwards; unknown: anything else.
   */
  effect: z.enum(['taken', 'none', 'unknown']),
  /** Its `status` said off, then or at a later look. */
  seenOff: z.boolean(),
});
/** The last `off` that a device was told. */
export type Shot = z.infer<typeof shotSchema>;

/** Whatever boots answers by then, and its recovery ends; what is still silent, and on, does not boot. */
const bootedMs = 600_000;

/**
 * What a device that was told `off` before in this incident may do, as its `status` is now. Off after an `off` that the
 * device took is the proof; after any other one it is told again, which is harmless. On after it was off, or not known
 * to have done nothing: somebody may have switched the host on since, and it is silent while it boots. `nowMs`: whoever
 * asks finds the host silent.
 */
export function again(
  { effect, seenOff, atMs }: Pick<Shot, 'effect' | 'seenOff' | 'atMs'>,
  power: PowerSeen['says'],
  nowMs: number,
): 'tell' | 'proof' | 'switched-on' | 'not-again' {
  if (power === 'off') return effect === 'taken' ? 'proof' : 'tell';
  if (power === 'on' && seenOff) return 'switched-on';
  if (effect === 'none') return 'tell';
  return power === 'on' && effect === 'unknown' && nowMs - atMs > bootedMs ? 'tell' : 'not-again';
}

const shotsSchema = z.object({ incident: z.string(), shots: z.array(shotSchema) });

/** An incident may last; whoever repairs the host ends it sooner. */
const keepSeconds = 7 * 86_400;

/** The port: the simulation keeps them in memory. */
export interface Shots {
  /** Null: that device of the level was not told to power the host off in this incident. */
  last(host: string, incident: string, level: number, device: number): Promise<Shot | null>;
  record(host: string, incident: string, shot: Shot): Promise<void>;
}

export class RedisShots implements Shots {
  readonly #redis: Db;
  readonly #keys: Pick<Keys, 'fenceShots'>;

  constructor(redis: Db, keys: Pick<Keys, 'fenceShots'>) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async last(host: string, incident: string, level: number, device: number): Promise<Shot | null> {
    const shots = await this.#of(host, incident);
    return shots.find((shot) => shot.level === level && shot.device === device) ?? null;
  }

  async record(host: string, incident: string, shot: Shot): Promise<void> {
    const { level, device } = shot;
    const shots = await this.#of(host, incident);
    const others = shots.filter((other) => other.level !== level || other.device !== device);
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
