// The vantage points of a cloud's scans: every ns4 worker says in Redis, again and again, that it is there. Times
// are Redis' own, so that the clocks of the machines do not matter.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { isVantagePointName } from '../config/keys/decisions.ts';
import type { PlanOfOne } from '../documents/terms/fencing-plans.ts';
import { errorText } from '../ground/errors.ts';
import type { Log } from '../ground/log.ts';
import { timings } from '../ground/timings.ts';
import { type Db, isOfAnotherType } from '../redis/db.ts';
import type { Keys } from '../redis/keys.ts';
import { loadScript, runScript } from '../redis/script.ts';

/** A vantage point that did not renew for this long is gone: killed, frozen, or cut off. */
export const vantagePointLifeMs = timings.vantagePoint.lifeMs;
/** More are not asked: each costs a connection, and its scan the network. */
export const mostVantagePointsAsked = 16;
/** Entries that are read, those that run out last: whoever is gone stays for some seconds. */
const mostMembers = 1_000;

const registerScript = loadScript('register-vantage-point-1');

/**
 * Names have no blank (see [SCAN] name): what follows it tells two workers of one name apart, and then comes the hash of
 * its plan of fencing, where it has one.
 */
const memberOf = (name: string, worker: string, plan: string | null) =>
  [name, worker, ...(plan === null ? [] : [plan])].join(' ');

const nameOf = (member: string): string => member.split(' ', 1)[0] ?? '';

function planOf(member: string): PlanOfOne[] {
  const [name = '', , plan] = member.split(' ');
  return plan === undefined ? [] : [{ name, plan }];
}

export class VantagePointRegistry {
  readonly #redis: Db;
  readonly #keys: Keys;

  constructor(redis: Db, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** The names of the vantage points that are alive, sorted, the plans of all, and the time by Redis' clock. */
  async list(): Promise<{
    readonly nowMs: number;
    readonly names: string[];
    readonly plans: readonly PlanOfOne[];
  }> {
    const { nowMs, members } = await this.#alive();
    // Anybody's text may stand there: no queue is opened for it.
    const known = members.filter((member) => isVantagePointName(nameOf(member)));
    const names = [...new Set(known.map(nameOf))];
    const plans = known.flatMap(planOf);
    return { nowMs, names: names.sort().slice(0, mostVantagePointsAsked), plans };
  }

  /**
   * Who is there now. Two reads in one step and no script, which whoever only reads could not run: for Redis' access
   * control a script may write to each of its keys. One that would be there for longer than any says it is was put there
   * by nobody, and so was a key of another type.
   */
  async #alive(): Promise<{ readonly nowMs: number; readonly members: readonly string[] }> {
    const replies = await this.#redis
      .multi()
      .time()
      .zrange(this.#keys.vantagePoints, String(-mostMembers), '-1', 'WITHSCORES')
      .exec();
    const [time, pairs] = (replies ?? []).map(([error, reply]) => {
      if (error === null) return reply as string[];
      if (isOfAnotherType(error)) return [];
      throw error;
    });
    if (time === undefined || pairs === undefined) throw new Error('Redis did not say who is there');
    const nowMs = Number(time[0]) * 1_000 + Math.floor(Number(time[1]) / 1_000);
    // Twice: the clock of a master that took over may be behind.
    const isAlive = (untilMs: number) => untilMs > nowMs && untilMs <= nowMs + 2 * vantagePointLifeMs;
    const members = pairs.filter((_, i) => i % 2 === 0 && isAlive(Number(pairs[i + 1])));
    return { nowMs, members };
  }

  /**
   * Says that this worker is a vantage point until `leave` is called; Redis being away is told once, and outlived.
   * `plan`: hash of its plan of fencing, null without one.
   */
  join(name: string, log: Log, plan: string | null = null): { leave(): Promise<void> } {
    const member = memberOf(name, randomUUID(), plan);
    let told = false;
    const renew = async () => {
      try {
        await runScript(
          this.#redis,
          registerScript,
          [this.#keys.vantagePoints],
          [member, vantagePointLifeMs],
        );
        told = false;
      } catch (error) {
        if (!told) log.warn({ error: errorText(error) }, 'this ns4 cannot say that it is there');
        told = true;
      }
    };
    let renewing: Promise<void> | null = null;
    const renewOnce = () => {
      // One at a time: commands of an outage must not pile up.
      renewing ??= renew().finally(() => {
        renewing = null;
      });
    };
    renewOnce();
    const timer = setInterval(renewOnce, timings.vantagePoint.renewMs);
    return {
      leave: async () => {
        clearInterval(timer);
        // Redis away: there is nobody to tell, and the registration runs out by itself.
        if (this.#redis.status !== 'ready') return;
        const told = (renewing ?? Promise.resolve()).then(() =>
          this.#redis.zrem(this.#keys.vantagePoints, member),
        );
        await Promise.race([
          told.catch(() => undefined),
          delay(timings.vantagePoint.leaveMs, undefined, { ref: false }),
        ]);
      },
    };
  }
}

/** For `--check`: who looks, and whether they are enough. */
export async function describeVantagePoints(registry: VantagePointRegistry, quorum: number): Promise<string> {
  const { names } = await registry.list();
  const who = names.length === 0 ? 'none now' : names.join(', ');
  return `${who}; ${quorum} must agree${names.length < quorum ? ': too few, nobody is judged dead' : ''}`;
}
