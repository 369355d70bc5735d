// The lease: who of several monitors of one cloud leads. It runs out by itself when its holder does not renew it, by the
// clock of Redis alone. Each take-over has an epoch, and epochs only grow, also when Redis lost its last moments.
import { randomUUID } from 'node:crypto';
import type { Db } from '../shared/redis/db.ts';
import type { Keys } from '../shared/redis/keys.ts';
import { leaseText } from '../shared/redis/leader.ts';

/** Without renewal the leader is taken for lost after this. */
export const leaseMs = 6_000;
export const renewMs = leaseMs / 3;
/** How often a monitor that stands by tries; it takes over within this and `leaseMs`. */
export const standbyPollMs = 1_000;

/**
 * KEYS: lease, epoch, standby. ARGV: our lease, its time, the least epoch less one, our name, how long a standby counts.
 * The time of day keeps the epoch growing when the stored one was lost.
 */
const takeScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then
  redis.call('ZADD', KEYS[3], now + ARGV[5], ARGV[4])
  redis.call('PEXPIRE', KEYS[3], ARGV[5])
  return false
end
local stored = tonumber(redis.call('GET', KEYS[2]) or '0')
local epoch = string.format('%.0f', math.max(stored + 1, now, ARGV[3] + 1))
redis.call('SET', KEYS[2], epoch)
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('ZREM', KEYS[3], ARGV[4])
return epoch`;
const renewScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;
const releaseScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

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
    const epoch = await this.#redis.eval(
      takeScript,
      3,
      ...[monitorLease, monitorEpoch, monitorStandby],
      ...[this.text, leaseMs, floor, this.who, keepMs],
    );
    return epoch === null ? null : Number(epoch);
  }

  /** Prolongs it; false when it is not ours any more. */
  async renew(): Promise<boolean> {
    return (await this.#redis.eval(renewScript, 1, this.#keys.monitorLease, this.text, leaseMs)) === 1;
  }

  /** Gives it back, so that another one may lead at once; nothing happens when it is not ours any more. */
  async release(): Promise<void> {
    await this.#redis.eval(releaseScript, 1, this.#keys.monitorLease, this.text);
  }
}

/** Names of the monitors that stand by. */
export async function readStandbys(redis: Db, keys: Keys): Promise<string[]> {
  return redis.zrange(keys.monitorStandby, '0', '-1');
}
