// Trying again: how long to pause before the next attempt, and the loop around what may be done twice without harm.
import type { Clock } from './clock.ts';

/** Pauses that double from `firstMs` to `mostMs`; the same for a pause that does not grow. */
export interface Pauses {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** The pause after the `failures`-th failure in a row (1, 2, …). */
export function pauseMs(failures: number, { firstMs, mostMs }: Pauses): number {
  // Beyond 2^30 a double grows on, and Infinity would not be a pause.
  return Math.min(firstMs * 2 ** Math.min(Math.max(failures, 1) - 1, 30), mostMs);
}

export interface RetryPolicy extends Pauses {
  /** Attempts in all, or how long after the beginning of the first one a further one may be decided on. */
  readonly limit: { readonly attempts: number } | { readonly withinMs: number };
}

interface RetryParts {
  readonly clock: Clock;
  /** Aborted, it ends the wait and the attempts; an action under way must heed it itself. */
  readonly signal: AbortSignal;
  /** Is this error worth another attempt? */
  again(error: unknown): boolean;
}

/**
 * Does it until it succeeds. Rejects with the last error when that is not worth another attempt or the limit is met,
 * with the signal's reason when it is aborted.
 */
export async function retry<T>(
  policy: RetryPolicy,
  { clock, signal, again }: RetryParts,
  action: (attempt: number) => Promise<T>,
): Promise<T> {
  const beganMs = clock.steadyMs();
  const isOver = (attempt: number) =>
    'attempts' in policy.limit
      ? attempt >= policy.limit.attempts
      : clock.steadyMs() - beganMs > policy.limit.withinMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action(attempt);
    } catch (error) {
      signal.throwIfAborted();
      if (isOver(attempt) || !again(error)) throw error;
    }
    await clock.sleep(pauseMs(attempt, policy), signal);
  }
}
