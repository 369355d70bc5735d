// The events of all clouds as one line of waiting entries, read page by page and never held in whole. A cursor is
// stored only after its events were said; a cloud that cannot be read does not keep the others from being read.
import { errorText } from '../../shared/ground/errors.ts';
import type { Log } from '../../shared/ground/log.ts';
import type { Entry } from './entry.ts';
import type { EventSource } from './event-source.ts';
import type { Position } from './position.ts';
import type { ReceivedEvent } from './received-event.ts';

/** Entries held per cloud, at most. Each holds facts of bounded size, see received-event.ts. */
export const pageSize = 200;

interface Lane {
  readonly source: EventSource;
  /** In the order of the stream. */
  readonly waiting: Entry[];
  /** Up to where the stream was read; null before it was opened. */
  readTo: Position | null;
  /** Said, and not stored yet. */
  unstored: Position | null;
  trouble: string | null;
}

export class Feed {
  readonly #lanes: Lane[];
  readonly #log: Log;

  constructor(sources: readonly EventSource[], log: Log) {
    this.#lanes = sources.map((source) => ({
      source,
      waiting: [],
      readTo: null,
      unstored: null,
      trouble: null,
    }));
    this.#log = log;
  }

  /** Reads what fits; false when a cloud could not be read now. */
  async fill(): Promise<boolean> {
    const done = await Promise.all(this.#lanes.map((lane) => this.#attempt(lane, () => this.#fill(lane))));
    return done.every(Boolean);
  }

  /** Everything that waits, oldest first; the order within a cloud is that of its stream. */
  waiting(): Entry[] {
    const heads = this.#lanes.map(() => 0);
    const merged: Entry[] = [];
    for (;;) {
      let oldest = -1;
      for (const [index, lane] of this.#lanes.entries()) {
        const entry = lane.waiting[heads[index] ?? 0];
        const best = this.#lanes[oldest]?.waiting[heads[oldest] ?? 0];
        if (entry !== undefined && (best === undefined || entry.atMs < best.atMs)) oldest = index;
      }
      const entry = this.#lanes[oldest]?.waiting[heads[oldest] ?? 0];
      if (entry === undefined) return merged;
      merged.push(entry);
      heads[oldest] = (heads[oldest] ?? 0) + 1;
    }
  }

  /** These were said, or passed over: they wait no more, and the cursors may move. */
  settle(entries: readonly Entry[]): void {
    const said = new Set(entries);
    for (const lane of this.#lanes) {
      for (;;) {
        const [head] = lane.waiting;
        if (head === undefined || !said.has(head)) break;
        lane.waiting.shift();
        if (head.position !== null) lane.unstored = head.position;
      }
    }
  }

  /** Stores the cursors that moved; false when that was not possible for one. */
  async store(): Promise<boolean> {
    const done = await Promise.all(
      this.#lanes.map((lane) => {
        const position = lane.unstored;
        if (position === null) return true;
        return this.#attempt(lane, async () => {
          await lane.source.store(position);
          if (lane.unstored === position) lane.unstored = null;
        });
      }),
    );
    return done.every(Boolean);
  }

  async #fill(lane: Lane): Promise<void> {
    lane.readTo ??= await lane.source.open();
    const room = pageSize - lane.waiting.length;
    if (room <= 0) return;
    const { entries, lost } = await lane.source.readAfter(lane.readTo, room);
    const { cloud } = lane.source;
    if (lost !== null) {
      this.#log.warn({ cloud, ...lost }, 'events were trimmed away unread');
      lane.waiting.push({
        cloud,
        position: null,
        atMs: lost.afterMs,
        level: 'warning',
        incidents: [],
        message: { kind: 'lost', lost },
      });
    }
    for (const { position, event } of entries) {
      if (event === null)
        this.#log.warn({ cloud, id: position.id }, 'an event this version does not understand');
      lane.waiting.push(entryOf(cloud, position, event));
      lane.readTo = position;
    }
  }

  /** The same trouble is told once, not at every attempt. */
  async #attempt(lane: Lane, act: () => Promise<void>): Promise<boolean> {
    const { cloud } = lane.source;
    try {
      await act();
      if (lane.trouble !== null) this.#log.warn({ cloud }, `events of ${cloud}: readable again`);
      lane.trouble = null;
      return true;
    } catch (error) {
      const trouble = errorText(error);
      if (trouble !== lane.trouble) this.#log.error({ cloud }, `events of ${cloud}: ${trouble}`);
      lane.trouble = trouble;
      return false;
    }
  }
}

function entryOf(cloud: string, position: Position, event: ReceivedEvent | null): Entry {
  if (event === null) return { cloud, position, atMs: 0, level: 'debug', incidents: [], message: null };
  const { atMs, level, incidents, facts, text } = event;
  // Only what will be said is held.
  const message = level === 'debug' ? null : ({ kind: 'event', facts, text } as const);
  return { cloud, position, atMs, level, incidents, message };
}
