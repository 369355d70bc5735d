// Repeating what may be repeated: idempotent requests, after a pause that grows, bounded in number and in time.
import type { Clock } from '../../shared/ground/clock.ts';
import { pauseMs } from '../../shared/ground/retry.ts';
import { type HttpAnswer, NoAnswer } from './transport.ts';

export interface RetryLimits {
  /** Repetitions after the first try. */
  readonly retries: number;
  /** The first pause; each further one is twice as long, up to `maxPauseMs`. */
  readonly pauseMs: number;
  readonly maxPauseMs: number;
  /** No repetition begins later than this after the first try. */
  readonly totalMs: number;
}

export interface RetryTools {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Told once per repetition, with the reason. */
  readonly onRetry: (why: string, pauseMs: number) => void;
}

/**
 * The pause before repetition number `retry` (from 0), in ms: exponential, capped, and spread over its upper half so
 * that many clients do not return at once. A Retry-After is a floor, but no reason to wait longer than the cap.
 */
export function pauseBefore(
  retry: number,
  random: number,
  limits: RetryLimits,
  retryAfterMs: number | null,
): number {
  const full = pauseMs(retry + 1, { firstMs: limits.pauseMs, mostMs: limits.maxPauseMs });
  const own = full * (0.5 + random / 2);
  return Math.round(Math.min(limits.maxPauseMs, Math.max(own, retryAfterMs ?? 0)));
}

/** A Retry-After header (seconds or a date) in ms from now; null when absent or unreadable. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}

/**
 * Is another try likely to be answered otherwise? Server trouble, too many requests, a request that came in too slowly.
 */
export function worthRepeating(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}

/**
 * Tries `attempt` until it has an answer not worth repeating, or the limits are met: then the last answer is returned,
 * or the last NoAnswer thrown. Anything else thrown, and the signal, end it at once.
 */
export async function retried(
  attempt: () => Promise<HttpAnswer>,
  limits: RetryLimits,
  tools: RetryTools,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const beganMs = tools.clock.nowMs();
  for (let retry = 0; ; retry++) {
    const result = await attempt().catch((error: unknown) => {
      if (error instanceof NoAnswer && !signal.aborted) return error;
      throw error;
    });
    const lost = result instanceof NoAnswer;
    if (!lost && !worthRepeating(result.status)) return result;
    const asked = lost ? null : retryAfterMs(result.headers['retry-after'], tools.clock.nowMs());
    const pause = pauseBefore(retry, tools.random(), limits, asked);
    const late = tools.clock.nowMs() + pause - beganMs > limits.totalMs;
    if (retry >= limits.retries || late) {
      if (lost) throw result;
      return result;
    }
    tools.onRetry(lost ? result.message : `answered ${result.status}`, pause);
    await tools.clock.sleep(pause, signal);
  }
}
