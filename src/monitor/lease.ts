// The lease: who of several monitors of one cloud leads. It runs out by itself when its holder does not renew it, by
// the clock of Redis alone. Each take-over has an epoch, and epochs only grow, also when Redis lost its last moments.
import { randomUUID } from 'node:crypto';
import { timings } from '../shared/ground/timings.ts';
import type { Db } from '../shared/redis/db.ts';
import type { Keys } from '../shared/redis/keys.ts';
import { leaseText } from '../shared/redis/leader.ts';
import { loadScript, runScript } from '../shared/redis/script.ts';

/** Without renewal the leader is taken for lost after this. */
export const leaseMs = timings.lease.lifeMs;
export const renewMs = timings.lease.renewMs;
/** How often a monitor that stands by tries; it takes over within this and `leaseMs`. */
export const standbyPollMs = timings.lease.pollMs;

const takeScript = loadScript('take-lease-3');
const renewScript = loadScript('renew-1');
const releaseScript = loadScript('release-1');

export class Lease {
  readonly #redis: Db;
  readonly #keys: Keys;
  /** This monitor's name for people. */
  readonly who: string;
  /** What stands in Redis while we lead; every save demands it (see memory.ts). */
  readonly text: string;

  constructor(redis: Db, keys: Keys, who: string) {
    this.#redis = redis;
    this.#keys = keys;
    this.who = who;
    this.text = leaseText(who, randomUUID());
  }

  /** Takes the lease if nobody else has it; the epoch, which is greater than `floor`, or null. */
  async take(floor: number): Promise<number | null> {
    const { monitorLease, monitorEpoch, monitorStandby } = this.#keys;
    const keepMs = 3 * standbyPollMs;
    const keys = [monitorLease, monitorEpoch, monitorStandby];
    const epoch = await runScript(this.#redis, takeScript, keys, [
      this.text,
      leaseMs,
      floor,
      this.who,
      keepMs,
    ]);
    return epoch === null ? null : Number(epoch);
  }

  /** Prolongs it; false when it is not ours any more. */
  async renew(): Promise<boolean> {
    const { monitorLease } = this.#keys;
    return (await runScript(this.#redis, renewScript, [monitorLease], [this.text, leaseMs])) === 1;
  }

  /** Gives it back, so that another one may lead at once; nothing happens when it is not ours any more. */
  async release(): Promise<void> {
    await runScript(this.#redis, releaseScript, [this.#keys.monitorLease], [this.text]);
  }
}

const mostStandbys = 100;

/** Names of the monitors that stand by. */
export async function readStandbys(redis: Db, keys: Keys): Promise<string[]> {
  return redis.zrange(keys.monitorStandby, '0', String(mostStandbys - 1));
}
