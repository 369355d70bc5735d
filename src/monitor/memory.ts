// Where the monitor's state lives: one JSON document in Redis, saved together with the assignments that follow from it
// and the events that tell of it, and only by the monitor that holds the lease.
import { z } from 'zod';
import type { SonnyEvent } from '../shared/documents/events/events.ts';
import { type Order, orderSchema } from '../shared/documents/orders.ts';
import type { Status } from '../shared/documents/status.ts';
import { OperationalError } from '../shared/ground/errors.ts';
import { type Db, isRefusalOfRedis } from '../shared/redis/db.ts';
import { eventCapacity } from '../shared/redis/event-log.ts';
import type { Keys } from '../shared/redis/keys.ts';
import { mostOrders } from '../shared/redis/orders.ts';
import { loadScript, runScript } from '../shared/redis/script.ts';
import { storedStateSchema } from './core/state/lift.ts';
import { assignmentsOf, type State } from './core/state/state.ts';

const saveScript = loadScript('save-state-5');
const forgetScript = loadScript('forget-orders-2');

/** The lease is not ours any more: another monitor leads, or Redis lost it. Nothing was saved. */
export class LostLeaseError extends OperationalError {}

/** An order with its text in Redis. */
export interface FoundOrder {
  readonly text: string;
  /** Null: not understood, to be forgotten. */
  readonly order: Order | null;
}

export class Memory {
  readonly #redis: Db;
  readonly #keys: Keys;
  readonly #lease: string;

  /** `lease` is the lease's text, see lease.ts. */
  constructor(redis: Db, keys: Keys, lease: string) {
    this.#redis = redis;
    this.#keys = keys;
    this.#lease = lease;
  }

  /** The state as saved; null when there is none. */
  read(): Promise<State | null> {
    return readState(this.#redis, this.#keys);
  }

  /**
   * Saves the state with assignments and status, appends and publishes the events: all, or (LostLeaseError) nothing.
   */
  async save(state: State, events: readonly SonnyEvent[], status: Status): Promise<void> {
    const {
      monitorLease,
      monitorState,
      assignments,
      events: stream,
      status: statusKey,
      channel,
    } = this.#keys;
    const saved = await runScript(
      this.#redis,
      saveScript,
      [monitorLease, monitorState, assignments, stream, statusKey],
      [
        this.#lease,
        JSON.stringify(state),
        JSON.stringify(assignmentsOf(state)),
        channel,
        eventCapacity,
        JSON.stringify(status),
        ...events.map((event) => JSON.stringify(event)),
      ],
    );
    if (saved !== 1) throw new LostLeaseError('the lease is not ours any more');
  }

  /** Does Redis hold what was saved with this state? Not after it lost its last moments. */
  async holds(state: State): Promise<boolean> {
    try {
      return (await this.#redis.get(this.#keys.assignments)) === JSON.stringify(assignmentsOf(state));
    } catch (error) {
      // A key of another type: a save puts ours in its place.
      if (isRefusalOfRedis(error)) return false;
      throw error;
    }
  }

  /** Orders of operators, oldest first; they stay until `forgetOrders`. */
  async readOrders(): Promise<FoundOrder[]> {
    const texts = await this.#redis.lrange(this.#keys.orders, 0, mostOrders - 1);
    return texts.map((text) => ({ text, order: orderSchema.safeParse(jsonOrNull(text)).data ?? null }));
  }

  /** Takes orders off, once what they changed is saved; not when another monitor leads by now. */
  async forgetOrders(orders: readonly FoundOrder[]): Promise<void> {
    const texts = orders.map(({ text }) => text);
    const keys = [this.#keys.monitorLease, this.#keys.orders];
    await runScript(this.#redis, forgetScript, keys, [this.#lease, ...texts]);
  }
}

/** The state as stored, for whoever wants to look at it; null when there is none. */
export async function readState(redis: Db, keys: Keys): Promise<State | null> {
  const text = await redis.get(keys.monitorState);
  if (text === null) return null;
  const state = storedStateSchema.safeParse(jsonOrNull(text));
  if (!state.success)
    throw new OperationalError(
      `${keys.monitorState} in Redis is not a state of this version: ${z.prettifyError(state.error)}. Nothing is done on a state that is not understood; "redis-cli del ${keys.monitorState}" forgets it, the cooldown included.`,
    );
  return state.data;
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
