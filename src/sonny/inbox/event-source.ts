// The event stream of one cloud as the relay reads it: pages from a cursor that is stored in Redis, and the count of
// what the stream's cap took away before it was read.
import type { Db } from '../../shared/redis/db.ts';
import { eventCapacity } from '../../shared/redis/event-log.ts';
import type { Lost } from './entry.ts';
import { compareIds, formatPosition, idMs, type Position, parsePosition, streamStart } from './position.ts';
import { parseEvent, type ReceivedEvent } from './received-event.ts';

/** An entry of the stream; `event` is null for one that cannot be read. */
interface StreamEntry {
  readonly position: Position;
  readonly event: ReceivedEvent | null;
}

export interface Page {
  readonly entries: readonly StreamEntry[];
  readonly lost: Lost | null;
}

/** What the relay needs of a stream. */
export interface EventSource {
  readonly cloud: string;
  /** The stored cursor. At the very first start that is the end of the stream, stored at once: no old history. */
  open(): Promise<Position>;
  readAfter(position: Position, count: number): Promise<Page>;
  store(position: Position): Promise<void>;
}

interface StreamInfo {
  readonly firstId: string | null;
  readonly lastId: string;
  readonly length: number;
  /** All ever added; null before Redis 7. */
  readonly added: number | null;
}

const lastPossibleId = '18446744073709551615-18446744073709551615';

export class RedisEventSource implements EventSource {
  readonly cloud: string;
  readonly #redis: Db;
  readonly #streamKey: string;
  readonly #cursorKey: string;

  constructor(redis: Db, names: { cloud: string; streamKey: string; cursorKey: string }) {
    this.cloud = names.cloud;
    this.#redis = redis;
    this.#streamKey = names.streamKey;
    this.#cursorKey = names.cursorKey;
  }

  async open(): Promise<Position> {
    const stored = parsePosition(await this.#redis.get(this.#cursorKey));
    if (stored !== null) return stored;
    const { info } = await this.#read('+', 1);
    const end = info === null ? streamStart : { id: info.lastId, number: info.added };
    await this.store(end);
    return end;
  }

  async readAfter(position: Position, count: number): Promise<Page> {
    // After the last possible id Redis refuses to look.
    const from = position.id === lastPossibleId ? '+' : `(${position.id}`;
    const read = await this.#read(from, count);
    const { info } = read;
    const entries = read.entries.filter(({ id }) => id !== position.id);
    if (info === null) return { entries: [], lost: null };
    // The stream began anew with a clock behind the old one's: its ids would stay below the cursor for ever.
    if (compareIds(info.lastId, position.id) < 0) return this.readAfter(streamStart, count);
    const first = numberOfFirst(info, position, entries.length, count);
    return {
      lost: lostBetween(info, position),
      entries: entries.map(({ id, event }, index) => ({
        position: { id, number: first === null ? null : first + index },
        event,
      })),
    };
  }

  async store(position: Position): Promise<void> {
    await this.#redis.set(this.#cursorKey, formatPosition(position));
  }

  /** Entries and the state of the stream as of one moment; info is null when there is no stream. */
  async #read(from: string, count: number) {
    const replies = await this.#redis
      .multi()
      .xrange(this.#streamKey, from, '+', 'COUNT', count)
      .xinfo('STREAM', this.#streamKey)
      .exec();
    const [rangeError, range] = replies?.[0] ?? [new Error('no reply'), null];
    if (rangeError !== null) throw rangeError;
    const [infoError, info] = replies?.[1] ?? [null, null];
    if (infoError !== null && !infoError.message.includes('no such key')) throw infoError;
    const entries = (range as [string, string[]][]).map(([id, fields]) => ({
      id,
      event: parseEvent(fields[1] ?? ''),
    }));
    return { entries, info: infoError === null ? parseInfo(info as unknown[]) : null };
  }
}

/** How many were trimmed away between the cursor and the first that is kept. */
function lostBetween(info: StreamInfo, position: Position): Lost | null {
  if (info.firstId === null || compareIds(info.firstId, position.id) <= 0) return null;
  const kept = firstNumber(info);
  const count = kept === null || position.number === null ? null : kept - position.number - 1;
  // Nobody counted: whether anything was lost is known only of a stream that reached its cap.
  if (count === null ? info.length < eventCapacity : count <= 0) return null;
  return { count, afterMs: idMs(position.id), beforeMs: idMs(info.firstId) };
}

function numberOfFirst(info: StreamInfo, position: Position, found: number, asked: number): number | null {
  if (info.added === null) return null;
  if (found < asked) return info.added - found + 1;
  if (info.firstId !== null && compareIds(info.firstId, position.id) > 0) return firstNumber(info);
  return position.number === null ? null : position.number + 1;
}

const firstNumber = (info: StreamInfo): number | null =>
  info.added === null ? null : info.added - info.length + 1;

function parseInfo(reply: unknown[]): StreamInfo {
  const field = (name: string): unknown => {
    const index = reply.indexOf(name);
    return index < 0 ? null : reply[index + 1];
  };
  const first = field('first-entry') as [string] | null;
  const added = field('entries-added');
  return {
    firstId: first?.[0] ?? null,
    lastId: String(field('last-generated-id')),
    length: Number(field('length')),
    added: added === null ? null : Number(added),
  };
}
