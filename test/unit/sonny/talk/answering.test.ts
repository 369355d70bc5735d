// Questions one by one: what is read for them, and how often an answer is tried.
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../../../src/sonny/outlet/outlet.ts';
import { Answering } from '../../../../src/sonny/talk/answering.ts';
import { instantClock } from '../../../support/instant-clock.ts';

const asked = (words: string) => ({ words, channel: 'C1', threadTs: '1.0' });
const away: Delivery = { kind: 'retry', afterMs: null, reason: 'away' };
const sent: Delivery = { kind: 'sent' };

function answering(deliveries: readonly (Delivery | Promise<Delivery>)[]) {
  const left = [...deliveries];
  const clock = instantClock();
  const replies: string[] = [];
  const looks: (string | null)[] = [];
  const answers = new Answering({
    views: async (server) => {
      looks.push(server);
      return [];
    },
    reply: async (_, text) => {
      replies.push(text);
      return left.shift() ?? sent;
    },
    clock,
    log: pino({ level: 'silent' }),
  });
  return { answers, clock, replies, looks };
}

describe('answering', () => {
  it.each([
    ['help', []],
    ['nonsense', []],
    ['show', []],
    ['status', [null]],
    ['show hv x', [null]],
    ['show vm x', ['x']],
  ])(
    '%s reads the inventories only when they matter, and the servers when one is asked for',
    async (words, looks) => {
      const all = answering([]);
      await all.answers.take(asked(words));
      expect([all.looks, all.replies.length]).toEqual([looks, 1]);
    },
  );

  it('tries again while Slack is away, five times at most', async () => {
    const all = answering(Array.from({ length: 10 }, () => away));
    await all.answers.take(asked('help'));
    expect(all.replies).toHaveLength(5);
    expect(all.clock.sleeps).toEqual([1_000, 2_000, 4_000, 8_000]);
  });

  it('waits as long as Slack says', async () => {
    const all = answering([{ kind: 'retry', afterMs: 7_000, reason: '429' }, sent]);
    await all.answers.take(asked('help'));
    expect(all.clock.sleeps).toEqual([7_000]);
  });

  it('does not repeat what Slack will never take', async () => {
    const all = answering([{ kind: 'give-up', reason: 'thread_not_found' }]);
    await all.answers.take(asked('help'));
    expect(all.replies).toHaveLength(1);
  });

  it('drops a flood', async () => {
    const gate = deferred<Delivery>();
    const all = answering([gate.promise, gate.promise]);
    const takes = Array.from({ length: 100 }, () => all.answers.take(asked('help')));
    await Promise.resolve();
    gate.resolve(sent);
    await Promise.all(takes);
    expect(all.replies.length).toBeLessThanOrEqual(25);
    expect(all.replies.length).toBeGreaterThanOrEqual(20);
  });
});

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
