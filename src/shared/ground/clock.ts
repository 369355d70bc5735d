// Time as a dependency: whoever waits or asks the time is handed a clock, so that tests pass time in.
import { setTimeout as delay } from 'node:timers/promises';

export interface Clock {
  /** Milliseconds since the epoch, for what is written down or compared with others. Somebody may set it. */
  nowMs(): number;
  /**
   * Milliseconds that only grow, at their own pace, whoever sets the time of day: for durations within this process.
   */
  steadyMs(): number;
  /** Ended early by an AbortSignal, it rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  steadyMs: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, signal ? { signal } : {});
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
  },
};

/**
 * What is answered within `limitMs`; rejects with `no answer within … s` otherwise. What was asked goes on unheard: for
 * whatever cannot be told to stop.
 */
export async function answerWithin<T>(clock: Clock, limitMs: number, answer: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = clock.sleep(limitMs, over.signal).then(() => {
    throw new Error(`no answer within ${limitMs / 1000} s`);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    over.abort();
  }
}

/**
 * Runs `action` with a signal that is aborted (with a TimeoutError) once it took `limitMs`. It is the action that must
 * heed the signal; the limit's own timer ends with the action.
 */
export async function withTimeLimit<T>(
  clock: Clock,
  limitMs: number,
  action: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const over = new AbortController();
  const expire = () => limit.abort(new DOMException(`not finished within ${limitMs} ms`, 'TimeoutError'));
  clock.sleep(limitMs, over.signal).then(expire, () => undefined);
  try {
    return await action(limit.signal);
  } finally {
    over.abort();
  }
}
