// Where the monitor's state lives: one JSON document in Redis, saved together with the events that tell of it, by one
// writer only.
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { OperationalError } from '../shared/errors.ts';
import { eventCapacity } from '../shared/event-log.ts';
import type { SonnyEvent } from '../shared/events.ts';
import type { Keys } from '../shared/keys.ts';
import { type Order, orderSchema, type State, stateSchema } from './core/types.ts';

/**
 * KEYS: writer, state, stream. ARGV: our id, state, channel, capacity, event… Saves and announces in one step, and only
 * while we are the writer: a second monitor that took over is never overwritten.
 */
const saveScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2])
for i = 5, #ARGV do
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[4], '*', 'event', ARGV[i])
  redis.call('PUBLISH', ARGV[3], ARGV[i])
end
return 1`;

/** Another monitor took over: this one must end, as two deciders would act on the same host. */
export class SupersededError extends OperationalError {}

export class Memory {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #writer = randomUUID();

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Becomes the writer and reads the state; null when this cloud was never watched. */
  async takeOver(): Promise<State | null> {
    await this.#redis.set(this.#keys.monitorWriter, this.#writer);
    return readState(this.#redis, this.#keys);
  }

  /** Saves the state and appends and publishes the events, all or nothing. */
  async save(state: State, events: readonly SonnyEvent[]): Promise<void> {
    const saved = await this.#redis.eval(
      saveScript,
      3,
      this.#keys.monitorWriter,
      this.#keys.monitorState,
      this.#keys.events,
      this.#writer,
      JSON.stringify(state),
      this.#keys.channel,
      eventCapacity,
      ...events.map((event) => JSON.stringify(event)),
    );
    if (saved !== 1)
      throw new SupersededError(
        'another monitor of this cloud took over (or Redis lost its data); this one ends',
      );
  }

  /** Orders of operators, oldest first; they stay until `forgetOrders`. */
  async readOrders(): Promise<Order[]> {
    const texts = await this.#redis.lrange(this.#keys.orders, 0, -1);
    return texts.flatMap((text) => {
      const order = orderSchema.safeParse(jsonOrNull(text));
      return order.success ? [order.data] : [];
    });
  }

  /** Takes the `count` oldest orders off, once what they changed is saved. */
  async forgetOrders(count: number): Promise<void> {
    await this.#redis.ltrim(this.#keys.orders, count, -1);
  }
}

/** The state as stored, for whoever wants to look at it; null when there is none. */
export async function readState(redis: Redis, keys: Keys): Promise<State | null> {
  const text = await redis.get(keys.monitorState);
  if (text === null) return null;
  const state = stateSchema.safeParse(jsonOrNull(text));
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
