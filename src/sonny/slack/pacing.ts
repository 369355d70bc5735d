// How much Slack takes.
import type { Pacing } from '../outlet/outlet.ts';

/** Slack takes a message a second per channel; texts above 4,000 characters are cut or split by it. */
export const slackPacing: Pacing = { pauseMs: 1_000, longest: 3_500 };
