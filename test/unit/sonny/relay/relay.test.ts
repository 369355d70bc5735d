// The relay over scripted streams and a scripted Slack, turn by turn, in passed-in time.
import { beforeEach, describe, expect, it } from 'vitest';
import type { EventLevel } from '../../../../src/shared/documents/events/entry.ts';
import { createLog } from '../../../../src/shared/ground/log.ts';
import type { EventSource, Page } from '../../../../src/sonny/inbox/event-source.ts';
import { Feed, pageSize } from '../../../../src/sonny/inbox/feed.ts';
import type { ReceivedEvent } from '../../../../src/sonny/inbox/received-event.ts';
import type { Delivery, Post } from '../../../../src/sonny/outlet/outlet.ts';
import { Relay } from '../../../../src/sonny/relay/relay.ts';
import { slackPacing } from '../../../../src/sonny/slack/pacing.ts';
import { instantClock } from '../../../support/instant-clock.ts';

const silentLog = createLog({
  name: 'test',
  verbosity: -9,
  destination: new (await import('node:stream')).PassThrough(),
});
const sent: Delivery = { kind: 'sent' };
const busy = (afterMs: number | null): Delivery => ({ kind: 'retry', afterMs, reason: 'busy' });

/** A stream in memory, with its stored cursor. */
function stream(cloud: string) {
  const events: ReceivedEvent[] = [];
  let first = 1;
  const self = {
    cloud,
    cursor: 0,
    away: false,
    largestPage: 0,
    add: (text: string, level: EventLevel = 'info', atMs = events.length) =>
      events.push({ version: 3, cloud, atMs, incidents: [], level, text, facts: null }),
    trimTo: (number: number) => {
      first = number;
    },
    open: async () => {
      if (self.away) throw new Error('Redis is away');
      return { id: `${self.cursor}-0`, number: self.cursor };
    },
    store: async ({ number }: { number: number | null }) => {
      if (self.away) throw new Error('Redis is away');
      self.cursor = number ?? -1;
    },
    readAfter: async ({ number }: { number: number | null }, count: number): Promise<Page> => {
      if (self.away) throw new Error('Redis is away');
      const from = Math.max(number ?? 0, first - 1);
      const lost = from - (number ?? 0);
      const page = events.slice(from, from + count);
      self.largestPage = Math.max(self.largestPage, page.length);
      return {
        lost: lost === 0 ? null : { count: lost, afterMs: 0, beforeMs: 60_000 },
        entries: page.map((event, i) => ({
          position: { id: `${from + i + 1}-0`, number: from + i + 1 },
          event: event.text === 'unreadable' ? null : event,
        })),
      };
    },
  };
  return self satisfies EventSource & typeof self;
}

describe('the relay', () => {
  const clock = instantClock();
  let [one, two] = [stream('cloud1'), stream('cloud2')];
  let posts: { text: string; atMs: number }[] = [];
  let answers: (Delivery | Error)[] = [];
  let relay: Relay;

  const outlet = {
    name: 'Slack',
    pacing: slackPacing,
    deliver: async (post: Post) => {
      const answer = answers.shift() ?? sent;
      if (answer instanceof Error) throw answer;
      if (answer.kind === 'sent') posts.push({ text: post.text, atMs: clock.nowMs() });
      return answer;
    },
  };
  const start = () => new Relay({ feed: new Feed([one, two], silentLog), outlet, clock, log: silentLog });
  /** Turns until there is nothing to do (or `most`); time passes as the relay asks. */
  const settle = async (most = 10_000) => {
    for (let turns = 0; turns < most; turns += 1) {
      const due = await relay.turn();
      if (due.wakeable) return;
      clock.advance(due.inMs);
    }
  };
  const lines = () => posts.flatMap(({ text }) => text.split('\n'));

  beforeEach(() => {
    [one, two] = [stream('cloud1'), stream('cloud2')];
    [posts, answers] = [[], []];
    relay = start();
    clock.advance(60_000);
  });

  it('posts at once, then collects for a second', async () => {
    one.add('a');
    await relay.turn();
    one.add('b');
    two.add('c');
    expect(await relay.turn()).toEqual({ inMs: 1_000, wakeable: false });
    clock.advance(999);
    one.add('d', 'warning', 99);
    expect(await relay.turn()).toEqual({ inMs: 1, wakeable: false });
    clock.advance(1);
    await settle();
    expect(posts.map(({ text }) => text)).toEqual(['cloud1: a', 'cloud2: c\ncloud1: b\ncloud1: d']);
  });

  it('leaves debug and unreadable events out, and the cursor passes them', async () => {
    one.add('a', 'debug');
    one.add('unreadable');
    await settle();
    expect([posts, one.cursor]).toEqual([[], 2]);
  });

  it('defect 12: keeps everything, in order, while Slack is away or busy', async () => {
    for (let i = 0; i < 500; i += 1) {
      one.add(`event ${i}`, 'info', i);
      two.add(`event ${i}`, 'info', i);
    }
    answers = [
      ...[new Error('away'), busy(null), busy(30_000), sent, busy(5_000), new Error('reset'), sent, busy(1)],
    ];
    await settle();
    for (const cloud of ['cloud1', 'cloud2']) {
      const said = lines().filter((line) => line.startsWith(cloud));
      expect(said).toEqual(Array.from({ length: 500 }, (_, i) => `${cloud}: event ${i}`));
    }
    expect([one.cursor, two.cursor]).toEqual([500, 500]);
    const pauses = posts.slice(1).map(({ atMs }, i) => atMs - (posts[i]?.atMs ?? 0));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(1_000);
  });

  it('defect 12: waits as long as Slack asks, even when woken', async () => {
    one.add('a');
    answers = [busy(30_000)];
    expect(await relay.turn()).toEqual({ inMs: 30_000, wakeable: false });
  });

  it('defect 13: the pause grows while Slack is away, to 30 s and not beyond', async () => {
    one.add('a');
    answers = Array.from({ length: 12 }, () => busy(null));
    const pauses: number[] = [];
    for (let i = 0; i < 12; i += 1) pauses.push((await relay.turn()).inMs);
    expect(pauses.slice(0, 6)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
    expect(Math.max(...pauses)).toBe(30_000);
  });

  it('moves the cursor only after Slack accepted', async () => {
    one.add('a');
    answers = [busy(null)];
    await relay.turn();
    await relay.turn().then(() => relay.turn());
    expect(posts).toHaveLength(1);
    expect(one.cursor).toBe(1);
    one.add('b');
    answers = [new Error('no')];
    clock.advance(1_000);
    await relay.turn();
    expect(one.cursor).toBe(1);
    // Killed here: another relay says it.
    relay = start();
    await settle();
    expect(lines()).toEqual(['cloud1: a', 'cloud1: b']);
  });

  it('posts nothing more while a cursor cannot be stored, and nothing twice', async () => {
    one.add('a');
    await relay.turn();
    one.away = true;
    two.add('b');
    clock.advance(5_000);
    expect(await relay.turn()).toEqual({ inMs: 1_000, wakeable: false });
    expect(lines()).toEqual(['cloud1: a']);
    one.away = false;
    await settle();
    expect(lines()).toEqual(['cloud1: a', 'cloud2: b']);
  });

  it('reads one cloud while another cannot be read', async () => {
    one.away = true;
    one.add('a');
    two.add('b');
    await settle(5);
    expect(lines()).toEqual(['cloud2: b']);
    one.away = false;
    await settle();
    expect(lines()).toEqual(['cloud2: b', 'cloud1: a']);
  });

  it('skips a post that Slack will never take, and goes on', async () => {
    one.add('poison');
    answers = [{ kind: 'give-up', reason: 'msg_too_long' }];
    await relay.turn();
    one.add('b');
    await settle();
    expect([lines(), one.cursor]).toEqual([['cloud1: b'], 2]);
  });

  it('holds a page at most of a long absence', async () => {
    for (let i = 0; i < 5_000; i += 1) one.add(`event ${i}`, 'info', i);
    await settle();
    expect(lines()).toHaveLength(5_000);
    expect(one.largestPage).toBeLessThanOrEqual(pageSize);
  });

  it('says what the cap of the stream took', async () => {
    for (let i = 0; i < 10; i += 1) one.add(`event ${i}`);
    one.trimTo(8);
    await settle();
    expect(lines()[0]).toMatch(/^cloud1: I missed up to 7 events before 1970-01-01 00:01 UTC/);
    expect(lines().slice(1)).toEqual(['cloud1: event 7', 'cloud1: event 8', 'cloud1: event 9']);
  });

  it("says Sonny's own words first, also after Slack was away, and no more than ten of them", async () => {
    answers = [new Error('away')];
    relay.say('I am initialized');
    one.add('a');
    await settle();
    expect(lines()).toEqual(['I am initialized', 'cloud1: a']);
    for (let i = 0; i < 30; i += 1) relay.say(`status ${i}`);
    await settle();
    expect(lines().slice(2)).toEqual(Array.from({ length: 10 }, (_, i) => `status ${20 + i}`));
  });

  it('stops at once, its cursor stored', async () => {
    const stop = new AbortController();
    const napping = { ...clock, sleep: waitForAbort };
    relay = new Relay({
      feed: new Feed([one, two], silentLog),
      outlet,
      clock: napping,
      log: silentLog,
    });
    one.add('a');
    const running = relay.run(stop.signal);
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await running;
    expect([lines(), one.cursor]).toEqual([['cloud1: a'], 1]);
  });

  it('says farewell once, a second after the last post, whether Slack takes it or not', async () => {
    one.add('a');
    await relay.turn();
    await relay.farewell('I am terminating');
    expect(lines()).toEqual(['cloud1: a', 'I am terminating']);
    expect((posts[1]?.atMs ?? 0) - (posts[0]?.atMs ?? 0)).toBe(1_000);
    answers = [new Error('away')];
    await relay.farewell('again');
    expect(lines()).toHaveLength(2);
  });
});

/** A sleep that only an abort ends. */
function waitForAbort(_: number, signal?: AbortSignal): Promise<void> {
  return new Promise((_resolve, reject) => {
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener('abort', () => reject(signal.reason));
  });
}
