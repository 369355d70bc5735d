// What waits carries facts and incidents, and one event that cannot be read keeps none of the others back.
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { announce } from '../../../../src/shared/documents/events/events.ts';
import { createLog } from '../../../../src/shared/ground/log.ts';
import type { EventSource } from '../../../../src/sonny/inbox/event-source.ts';
import { Feed } from '../../../../src/sonny/inbox/feed.ts';
import { parseEvent, type ReceivedEvent } from '../../../../src/sonny/inbox/received-event.ts';

const log = createLog({ name: 'test', verbosity: -9, destination: new PassThrough() });

/** A stream with these events, read once. */
function source(events: readonly (ReceivedEvent | null)[]): EventSource {
  return {
    cloud: 'cloud1',
    open: async () => ({ id: '0-0', number: 0 }),
    store: async () => {},
    readAfter: async ({ number }) => ({
      lost: null,
      entries: events
        .map((event, i) => ({ position: { id: `${i + 1}-0`, number: i + 1 }, event }))
        .slice(number ?? 0),
    }),
  };
}

describe('the feed', () => {
  it('keeps facts, incidents and finished sentences in order, past what cannot be read', async () => {
    const first = announce('cloud1', 1, { kind: 'returned', host: 'hv01' }, ['a']);
    const newer = { ...first, facts: { kind: 'of-next-year' } };
    const older = { ...first, version: 1, incidents: undefined };
    const last = announce('cloud1', 2, { kind: 'returned', host: 'hv02' }, ['b']);
    const written = [first, 'broken', newer, older, last].map((one) => JSON.stringify(one));
    const feed = new Feed([source(written.map(parseEvent))], log);
    expect(await feed.fill()).toBe(true);
    const waiting = feed.waiting();
    expect(waiting.map(({ message }) => message)).toEqual([
      { kind: 'event', facts: first.facts, text: first.text },
      null,
      { kind: 'event', facts: null, text: first.text },
      { kind: 'event', facts: null, text: first.text },
      { kind: 'event', facts: last.facts, text: last.text },
    ]);
    expect(waiting.map(({ incidents }) => incidents)).toEqual([['a'], [], ['a'], [], ['b']]);
    expect(waiting.map(({ position }) => position?.number)).toEqual([1, 2, 3, 4, 5]);
  });

  it('holds nothing of what is not said', async () => {
    const silent = { ...announce('cloud1', 1, { kind: 'returned', host: 'hv01' }), level: 'debug' } as const;
    const feed = new Feed([source([silent])], log);
    await feed.fill();
    expect(feed.waiting()).toMatchObject([{ message: null, level: 'debug' }]);
  });
});
