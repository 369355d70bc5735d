// Pauses between attempts at something that is away: doubling, with a cap (the original's multiplied itself without one).

interface Backoff {
  readonly firstMs: number;
  readonly capMs: number;
}

/** Posts, and connections to Slack: the first retry is soon, and an outage of hours is over within half a minute. */
const slackBackoff: Backoff = { firstMs: 1_000, capMs: 30_000 };

/** Pause after the `failures`-th failure in a row (1, 2, …). */
export function pauseAfterMs(failures: number, backoff: Backoff = slackBackoff): number {
  return Math.min(backoff.firstMs * 2 ** Math.min(Math.max(failures, 1) - 1, 30), backoff.capMs);
}
