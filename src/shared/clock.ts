// Time as a dependency: whoever waits or asks the time is handed a clock, so that tests pass time in.
import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds since the epoch, and a sleep that an AbortSignal ends early (it then rejects with the signal's reason). */
export interface Clock {
  nowMs(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, signal ? { signal } : {});
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
  },
};

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
