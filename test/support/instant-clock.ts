// A clock that stands still but for its sleeps, which end at once: pauses are seen, not waited for.
import type { Clock } from '../../src/shared/ground/clock.ts';

export interface InstantClock extends Clock {
  readonly sleeps: number[];
  advance(ms: number): void;
}

export function instantClock(startMs = Date.parse('2026-11-21T12:00:00Z')): InstantClock {
  let nowMs = startMs;
  const sleeps: number[] = [];
  return {
    sleeps,
    advance: (ms) => {
      nowMs += ms;
    },
    nowMs: () => nowMs,
    steadyMs: () => nowMs,
    sleep: async (ms, signal) => {
      if (signal?.aborted) throw signal.reason;
      sleeps.push(ms);
      nowMs += ms;
    },
  };
}
