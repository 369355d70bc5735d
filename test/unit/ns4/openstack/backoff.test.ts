import { describe, expect, it } from 'vitest';
import {
  pauseBefore,
  type RetryLimits,
  retried,
  retryAfterMs,
  worthRepeating,
} from '../../../../src/ns4/openstack/backoff.ts';
import { type HttpAnswer, NoAnswer } from '../../../../src/ns4/openstack/transport.ts';
import { instantClock } from '../../../support/instant-clock.ts';

const limits: RetryLimits = { retries: 3, pauseMs: 100, maxPauseMs: 1_000, totalMs: 10_000 };
const never = new AbortController().signal;
const answer = (status: number, headers: Record<string, string> = {}): HttpAnswer => ({
  status,
  headers,
  text: '',
});

describe('pauseBefore', () => {
  it.each([
    { retry: 0, random: 0, after: null, pause: 50 },
    { retry: 0, random: 1, after: null, pause: 100 },
    { retry: 2, random: 0, after: null, pause: 200 },
    { retry: 2, random: 1, after: null, pause: 400 },
    { retry: 9, random: 1, after: null, pause: 1_000 },
    { retry: 0, random: 0, after: 700, pause: 700 },
    { retry: 0, random: 0, after: 60_000, pause: 1_000 },
  ])('retry $retry, random $random, Retry-After $after: $pause ms', ({ retry, random, after, pause }) => {
    expect(pauseBefore(retry, random, limits, after)).toBe(pause);
  });
});

describe('retryAfterMs', () => {
  it.each([
    { header: undefined, ms: null },
    { header: '3', ms: 3_000 },
    { header: 'Sat, 21 Nov 2026 12:00:05 GMT', ms: 5_000 },
    { header: 'Sat, 21 Nov 2026 11:00:00 GMT', ms: 0 },
    { header: 'soon', ms: null },
  ])('$header: $ms', ({ header, ms }) => {
    expect(retryAfterMs(header, Date.parse('2026-11-21T12:00:00Z'))).toBe(ms);
  });
});

it('repeats server trouble and "later", no refusal', () => {
  const statuses = [200, 301, 400, 401, 404, 406, 408, 409, 429, 500, 503];
  expect(statuses.filter(worthRepeating)).toEqual([408, 429, 500, 503]);
});

describe('retried', () => {
  const run = (results: (HttpAnswer | Error)[], clock = instantClock(), signal = never) => {
    let tries = 0;
    const attempt = async (): Promise<HttpAnswer> => {
      const result = results[Math.min(tries++, results.length - 1)];
      if (result instanceof Error || result === undefined) throw result;
      return result;
    };
    const outcome = retried(attempt, limits, { clock, random: () => 1, onRetry: () => undefined }, signal);
    return { outcome, clock, tries: () => tries };
  };

  it('stops at the first answer that is none of trouble', async () => {
    const { outcome, clock } = run([answer(503), new NoAnswer(true, 'lost'), answer(404)]);
    expect((await outcome).status).toBe(404);
    expect(clock.sleeps).toEqual([100, 200]);
  });

  it('is bounded in number, and hands out the last trouble', async () => {
    const answered = run([answer(500), answer(502)]);
    expect((await answered.outcome).status).toBe(502);
    expect(answered.tries()).toBe(4);
    const lost = run([new NoAnswer(false, 'connect ECONNREFUSED')]);
    await expect(lost.outcome).rejects.toThrow('connect ECONNREFUSED');
    expect(lost.tries()).toBe(4);
  });

  it('is bounded in time', async () => {
    const clock = instantClock();
    let tries = 0;
    const slow = async (): Promise<HttpAnswer> => {
      tries++;
      clock.advance(6_000);
      return answer(503);
    };
    const tools = { clock, random: () => 1, onRetry: () => undefined };
    await retried(slow, limits, tools, never);
    expect(tries).toBe(2);
  });

  it('honours Retry-After up to its cap', async () => {
    const { outcome, clock } = run([answer(429, { 'retry-after': '600' }), answer(200)]);
    expect((await outcome).status).toBe(200);
    expect(clock.sleeps).toEqual([1_000]);
  });

  it('ends with the signal and with anything that is no lost answer', async () => {
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    const stopped = run([new NoAnswer(true, 'stopped')], instantClock(), stop.signal);
    await expect(stopped.outcome).rejects.toThrow('stopped');
    expect(stopped.tries()).toBe(1);
    const broken = run([new TypeError('bug'), answer(200)]);
    await expect(broken.outcome).rejects.toThrow('bug');
  });
});
