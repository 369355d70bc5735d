// The event stream of a cloud: append and publish in one atomic step, read from a cursor.
import { eventSchema, type SonnyEvent } from '../documents/events/events.ts';
import type { Mask } from '../masks/secrets.ts';
import type { Db } from './db.ts';
import { jsonOrNull } from './json.ts';
import type { Keys } from './keys.ts';
import { loadScript, runScript } from './script.ts';

/** Events kept per cloud; the oldest go first. At one event a minute this is a week. */
export const eventCapacity = 10_000;

/** An event with its place in the stream. */
interface LoggedEvent {
  readonly id: string;
  readonly event: SonnyEvent;
}

const appendScript = loadScript('append-events-1');

export class EventLog {
  readonly #redis: Db;
  readonly #keys: Keys;
  readonly #mask: Mask;

  /** `mask`: what is appended goes to Slack and into other processes, which know none of our secrets. */
  constructor(redis: Db, keys: Keys, mask: Mask = (text) => text) {
    this.#redis = redis;
    this.#keys = keys;
    this.#mask = mask;
  }

  /** Appends and publishes in one step. */
  async append(events: readonly SonnyEvent[]): Promise<void> {
    if (events.length === 0) return;
    const texts = events.map((event) => JSON.stringify({ ...event, text: this.#mask(event.text) }));
    const { events: stream, channel } = this.#keys;
    await runScript(this.#redis, appendScript, [stream], [channel, eventCapacity, ...texts]);
  }

  /** Up to `count` events after `cursor` ("0-0": from the oldest kept). Entries of another version are left out. */
  async readAfter(cursor: string, count: number): Promise<LoggedEvent[]> {
    const entries = await this.#redis.xrange(this.#keys.events, `(${cursor}`, '+', 'COUNT', count);
    return entries.flatMap(([id, fields]) => {
      const event = eventSchema.safeParse(jsonOrNull(fields[1] ?? ''));
      return event.success ? [{ id, event: event.data }] : [];
    });
  }

  /** Place of the newest event; "0-0" in an empty stream. */
  async lastId(): Promise<string> {
    const [newest] = await this.#redis.xrevrange(this.#keys.events, '+', '-', 'COUNT', 1);
    return newest?.[0] ?? '0-0';
  }
}
