// Where the monitor's state lives: one JSON document in Redis, saved together with the assignments that follow from it
// and the events that tell of it, and only by the monitor that holds the lease.
import { z } from 'zod';
import type { SonnyEvent } from '../shared/documents/events/events.ts';
import { type Order, orderSchema } from '../shared/documents/orders.ts';
import type { Status } from '../shared/documents/status.ts';
import { distrustText } from '../shared/documents/terms/distrust.ts';
import { OperationalError } from '../shared/ground/errors.ts';
import type { Mask } from '../shared/masks/secrets.ts';
import { type Db, isOfAnotherType } from '../shared/redis/db.ts';
import { eventCapacity } from '../shared/redis/event-log.ts';
import { jsonOrNull } from '../shared/redis/json.ts';
import type { Keys } from '../shared/redis/keys.ts';
import { mostOrders } from '../shared/redis/orders.ts';
import { loadScript, runScript } from '../shared/redis/script.ts';
import { withoutSeal } from '../shared/trust/seal.ts';
import type { Trust } from '../shared/trust/trust.ts';
import { storedStateSchema } from './core/state/lift.ts';
import { assignmentsOf, type State } from './core/state/state.ts';

const saveScript = loadScript('save-state-5');
const forgetScript = loadScript('forget-orders-2');

/** An order may be left while no monitor runs; older ones are to be given again. */
const orderLimits = { mostAgeMs: 3_600_000 };

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
  readonly #trust: Trust;
  readonly #mask: Mask;

  /** `lease` is the lease's text, see lease.ts. `mask`: events go to Slack. */
  constructor(redis: Db, keys: Keys, lease: string, trust: Trust, mask: Mask = (text) => text) {
    this.#mask = mask;
    this.#redis = redis;
    this.#keys = keys;
    this.#lease = lease;
    this.#trust = trust;
  }

  /** The state as saved; null when there is none. @throws OperationalError when it is not to be gone on from */
  read(): Promise<State | null> {
    return readState(this.#redis, this.#keys, this.#trust);
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
        this.#trust.text('state', '', state),
        this.#trust.text('assignments', '', assignmentsOf(state)),
        channel,
        eventCapacity,
        JSON.stringify(status),
        ...events.map((event) => JSON.stringify({ ...event, text: this.#mask(event.text) })),
      ],
    );
    if (saved !== 1) throw new LostLeaseError('the lease is not ours any more');
  }

  /** Does Redis hold what was saved with this state? Not after it lost its last moments. */
  async holds(state: State): Promise<boolean> {
    const text = await this.#redis.get(this.#keys.assignments);
    const found = text === null ? null : jsonOrNull(text);
    if (found === null || this.#trust.distrusts('assignments', '', found) !== null) return false;
    return JSON.stringify(withoutSeal(found)) === JSON.stringify(assignmentsOf(state));
  }

  /** Orders of operators, oldest first; they stay until `forgetOrders`. */
  async readOrders(): Promise<FoundOrder[]> {
    const texts = await this.#orderTexts();
    return texts.map((text) => {
      const found = jsonOrNull(text);
      const isBelieved = this.#trust.distrusts('order', '', found, orderLimits) === null;
      return { text, order: isBelieved ? (orderSchema.safeParse(found).data ?? null) : null };
    });
  }

  async #orderTexts(): Promise<string[]> {
    const { orders } = this.#keys;
    try {
      return await this.#redis.lrange(orders, 0, mostOrders - 1);
    } catch (error) {
      if (!isOfAnotherType(error)) throw error;
      // Nobody could leave one there.
      await this.#redis.del(orders);
      throw new OperationalError(
        `${orders} in Redis was no list: nobody of ours wrote it, and it was taken away`,
      );
    }
  }

  /** Takes orders off, once what they changed is saved; not when another monitor leads by now. */
  async forgetOrders(orders: readonly FoundOrder[]): Promise<void> {
    const texts = orders.map(({ text }) => text);
    const keys = [this.#keys.monitorLease, this.#keys.orders];
    const done = await runScript(this.#redis, forgetScript, keys, [this.#lease, ...texts]);
    if (done !== 1) return;
    for (const { text, order } of orders)
      if (order !== null) this.#trust.takeOnce(jsonOrNull(text), orderLimits);
  }
}

/** The state as stored; null when there is none. `trust` null: for whoever only looks at it. */
export async function readState(redis: Db, keys: Keys, trust: Trust | null = null): Promise<State | null> {
  const text = await redis.get(keys.monitorState);
  if (text === null) return null;
  const found = jsonOrNull(text);
  const distrust = trust?.distrusts('state', '', found) ?? null;
  if (distrust !== null)
    throw new OperationalError(
      `${keys.monitorState} in Redis: ${distrustText(distrust)}. Nothing is done on a state that is not believed; "unsigned = accept" in [REDIS] takes over one of before there was a key, "redis-cli del ${keys.monitorState}" forgets it, the cooldown included.`,
    );
  const state = storedStateSchema.safeParse(found);
  if (!state.success)
    throw new OperationalError(
      `${keys.monitorState} in Redis is not a state of this version: ${z.prettifyError(state.error)}. Nothing is done on a state that is not understood; "redis-cli del ${keys.monitorState}" forgets it, the cooldown included.`,
    );
  return state.data;
}
