// Durations as people read them. Pure.
import { counted } from '../../shared/ground/counted.ts';

/** A duration in whole seconds; clocks that disagree a little make no negative one. */
export function secondsText(ms: number): string {
  return counted(Math.max(0, Math.round(ms / 1_000)), 'second');
}

const units = [
  { noun: 'second', ms: 1_000, upToMs: 2 * 60_000 },
  { noun: 'minute', ms: 60_000, upToMs: 2 * 3_600_000 },
  { noun: 'hour', ms: 3_600_000, upToMs: 2 * 86_400_000 },
  { noun: 'day', ms: 86_400_000, upToMs: Number.POSITIVE_INFINITY },
] as const;

/** A duration in the one unit that tells enough of it: "90 seconds", "25 minutes", "3 hours". */
export function durationText(ms: number): string {
  for (const unit of units)
    if (ms < unit.upToMs) return counted(Math.max(0, Math.round(ms / unit.ms)), unit.noun);
  return 'for ever';
}
