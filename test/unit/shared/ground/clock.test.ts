// A time limit on an action: by the clock that was handed in, and gone with the action.
import { expect, test } from 'vitest';
import { type Clock, systemClock, withTimeLimit } from '../../../../src/shared/ground/clock.ts';

/** Sleeps until told to go on; knows who still sleeps. */
function heldClock() {
  const sleepers = new Set<() => void>();
  const clock: Clock = {
    nowMs: () => 0,
    steadyMs: () => 0,
    sleep: (_ms, signal) =>
      new Promise((resolve, reject) => {
        const wake = () => {
          sleepers.delete(wake);
          resolve();
        };
        sleepers.add(wake);
        signal?.addEventListener('abort', () => {
          sleepers.delete(wake);
          reject(signal.reason);
        });
      }),
  };
  return { clock, sleepers };
}

test('the signal is aborted when the time is over, and the action decides what that means', async () => {
  const { clock, sleepers } = heldClock();
  const ended = withTimeLimit(
    clock,
    5_000,
    (limit) =>
      new Promise((_, reject) => limit.addEventListener('abort', () => reject(limit.reason), { once: true })),
  );
  for (const wake of sleepers) wake();
  await expect(ended).rejects.toThrow('not finished within 5000 ms');
  await expect(ended).rejects.toHaveProperty('name', 'TimeoutError');
});

test('an action that ends in time leaves no timer behind, whether it succeeds or fails', async () => {
  const { clock, sleepers } = heldClock();
  await expect(withTimeLimit(clock, 5_000, async () => 'done')).resolves.toBe('done');
  await expect(
    withTimeLimit(clock, 5_000, async () => {
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  expect(sleepers.size).toBe(0);
});

test('by the system clock', async () => {
  const limit = await withTimeLimit(systemClock, 10, async (signal) => {
    await systemClock.sleep(10_000, signal).catch(() => undefined);
    return signal;
  });
  expect(limit.aborted).toBe(true);
});
