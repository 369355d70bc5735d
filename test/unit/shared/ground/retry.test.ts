// Trying again: pauses grow and are capped, attempts are bounded in number or in time, and a signal ends all.
import { describe, expect, it } from 'vitest';
import { pauseMs, type RetryPolicy, retry } from '../../../../src/shared/ground/retry.ts';
import { instantClock } from '../../../support/instant-clock.ts';

const never = new AbortController().signal;
const pauses = { firstMs: 100, mostMs: 1_000 };

it.each([
  [-1, 100],
  [0, 100],
  [1, 100],
  [2, 200],
  [4, 800],
  [5, 1_000],
  [10_000, 1_000],
  [Number.MAX_SAFE_INTEGER, 1_000],
])('after failure %i: %i ms', (failures, ms) => {
  expect(pauseMs(failures, pauses)).toBe(ms);
});

describe('retry', () => {
  const setup = (policy: RetryPolicy, fails: number, again = (_: unknown) => true, signal = never) => {
    const clock = instantClock();
    const beganMs = clock.nowMs();
    const attempts: number[] = [];
    const end = retry(policy, { clock, signal, again }, async (attempt) => {
      attempts.push(attempt);
      if (attempts.length <= fails) throw new Error(`failure ${attempts.length}`);
      return 'done';
    });
    return { end, attempts, tookMs: () => clock.nowMs() - beganMs };
  };

  it('goes on until it succeeds, with growing pauses', async () => {
    const { end, attempts, tookMs } = setup({ ...pauses, limit: { attempts: 9 } }, 3);
    expect(await end).toBe('done');
    expect(attempts).toEqual([1, 2, 3, 4]);
    expect(tookMs()).toBe(100 + 200 + 400);
  });

  it('ends with the last error after so many attempts', async () => {
    const { end, attempts } = setup({ ...pauses, limit: { attempts: 3 } }, 9);
    await expect(end).rejects.toThrow('failure 3');
    expect(attempts).toHaveLength(3);
  });

  it('ends with the last error once the time is over', async () => {
    const { end, attempts, tookMs } = setup({ firstMs: 10, mostMs: 10, limit: { withinMs: 35 } }, 99);
    await expect(end).rejects.toThrow('failure 5');
    expect(attempts).toHaveLength(5);
    expect(tookMs()).toBe(40);
  });

  it('ends at once with an error that is not worth it', async () => {
    const { end, attempts } = setup({ ...pauses, limit: { attempts: 9 } }, 9, (error) =>
      String(error).includes('failure 1'),
    );
    await expect(end).rejects.toThrow('failure 2');
    expect(attempts).toHaveLength(2);
  });

  it("ends with the signal's reason when it is aborted", async () => {
    const stop = new AbortController();
    const { end, attempts } = setup(
      { ...pauses, limit: { attempts: 9 } },
      9,
      () => {
        stop.abort(new Error('stopped'));
        return true;
      },
      stop.signal,
    );
    await expect(end).rejects.toThrow('stopped');
    expect(attempts).toHaveLength(1);
  });
});
