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
