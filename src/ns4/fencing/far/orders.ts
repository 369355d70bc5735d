// Orders to power a host off that another vantage point carries out, in Redis. An order is taken once, by one, right
// before it is carried out, in the same step in which it is asked whether whoever gave it still has the lock of the host.
// So no order is carried out twice, nor for one whose recovery is another's by now.
import { type Assignments, judgeAssignment } from '../../../shared/documents/assignments.ts';
import type { FenceRight } from '../../../shared/documents/jobs/fence.ts';
import type { Db } from '../../../shared/redis/db.ts';
import type { Keys } from '../../../shared/redis/keys.ts';
import { loadScript, runScript } from '../../../shared/redis/script.ts';
import { BelievedAssignments } from '../../../shared/trust/believed-assignments.ts';
import type { Trust } from '../../../shared/trust/trust.ts';

/**
 * An order is carried out within this, or never: the silence of the host was confirmed right before it was given, and
 * its lock cannot have gone to another worker and come back by then.
 */
export const orderLifeMs = 5_000;
/** Nobody takes it so late; then Redis forgets it. */
const keptMs = 600_000;
/** Whoever gave it does not ask for longer. */
const takenMs = 3_600_000;

/** An order as the job has it. */
interface Order {
  readonly id: string;
  readonly right: FenceRight;
  /** By the clock of Redis. */
  readonly untilMs: number;
}

/**
 * What Redis says of an order. gone: it was withdrawn, or another one took it. not-locked: whoever gave it does not have
 * the lock. Otherwise it is taken; the time is by the clock of Redis.
 */
export type Found =
  | 'gone'
  | 'not-locked'
  | { readonly nowMs: number; readonly assignments: Assignments | null };

/** The port: the simulation keeps them in memory. All reject when Redis is away. */
export interface FenceOrders {
  /** The time by the clock of Redis. */
  place(id: string): Promise<number>;
  /** Asking again is the same for the one that took it. */
  take(order: Pick<Order, 'id' | 'right'>, host: string, taker: string): Promise<Found>;
  /** False: nobody took it, and nobody will. True: it was taken, or may have been, as Redis lost it. */
  withdraw(id: string): Promise<boolean>;
}

/** Why an order is not carried out; null: it is. */
export function whyNot({ right, untilMs }: Pick<Order, 'right' | 'untilMs'>, found: Found): string | null {
  if (found === 'gone') return 'the order was withdrawn, ran out, or was taken by another one';
  if (found === 'not-locked') return 'whoever gave the order does not hold the recovery of the host any more';
  if (found.nowMs > untilMs) return 'the order is too old';
  if (right.assignment === null) return null;
  return {
    valid: null,
    superseded: 'the monitor wants that recovery from another job now, or not any more',
    unknown: "Redis does not hold the monitor's assignment of that recovery",
  }[judgeAssignment(found.assignments, right.assignment)];
}

const placeScript = loadScript('place-fence-order-1');
const takeScript = loadScript('take-fence-order-2');
const withdrawScript = loadScript('withdraw-fence-order-1');

export class RedisFenceOrders implements FenceOrders {
  readonly #redis: Db;
  readonly #keys: Pick<Keys, 'assignments' | 'lock' | 'fenceOrder'>;
  readonly #assignments: BelievedAssignments;

  constructor(redis: Db, keys: Pick<Keys, 'assignments' | 'lock' | 'fenceOrder'>, trust: Trust) {
    this.#redis = redis;
    this.#keys = keys;
    this.#assignments = new BelievedAssignments(trust);
  }

  async place(id: string): Promise<number> {
    return Number(await runScript(this.#redis, placeScript, [this.#keys.fenceOrder(id)], [keptMs]));
  }

  async take({ id, right }: Pick<Order, 'id' | 'right'>, host: string, taker: string): Promise<Found> {
    const { assignments, lock, fenceOrder } = this.#keys;
    const shown = [right.token, taker, takenMs, assignments];
    const reply = await runScript(this.#redis, takeScript, [fenceOrder(id), lock(host)], shown);
    if (!Array.isArray(reply)) return reply as 'gone' | 'not-locked';
    const [nowMs, text] = reply as [string, string];
    return { nowMs: Number(nowMs), assignments: this.#assignments.read(text) };
  }

  async withdraw(id: string): Promise<boolean> {
    return (await runScript(this.#redis, withdrawScript, [this.#keys.fenceOrder(id)], [])) === 1;
  }
}
