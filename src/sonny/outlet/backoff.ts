// Pauses between attempts at Slack: doubling, with a cap (the original's multiplied itself without one).
import { type Pauses, pauseMs } from '../../shared/ground/retry.ts';

/** Posts, and connections to Slack: the first retry is soon, and an outage of hours is over within half a minute. */
const slackPauses: Pauses = { firstMs: 1_000, mostMs: 30_000 };

/** Pause after the `failures`-th failure in a row (1, 2, …). */
export const pauseAfterMs = (failures: number): number => pauseMs(failures, slackPauses);
