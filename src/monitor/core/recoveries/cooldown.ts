// The cooldown: when recoveries began last, and what becomes of that when one of them did nothing. Pure.
import type { Draft } from '../state/draft.ts';
import { mostReports } from '../state/rules.ts';
import type { State } from '../state/state.ts';

/** All that may count, oldest first. */
const stampsOf = ({ earlier, ...last }: NonNullable<State['cooldown']>) => [...earlier, last];

/** Those that begin together share the stamp. */
export function stampCooldown({ nowMs, state }: Draft, recovery: string): void {
  const { cooldown } = state;
  if (cooldown?.sinceMs === nowMs) {
    state.cooldown = { ...cooldown, recoveries: [...cooldown.recoveries, recovery] };
    return;
  }
  const earlier = cooldown === null ? [] : stampsOf(cooldown).slice(-mostReports);
  state.cooldown = { sinceMs: nowMs, recoveries: [recovery], earlier };
}

/**
 * Nothing was done, so nothing is to cool down (defect 15 of the original: stamped although every job failed). What was
 * cooling down before counts again.
 */
export function liftCooldown({ state }: Draft, recovery: string): void {
  const { cooldown } = state;
  if (cooldown === null) return;
  const stamps = stampsOf(cooldown)
    .map(({ sinceMs, recoveries }) => ({ sinceMs, recoveries: recoveries.filter((id) => id !== recovery) }))
    .filter(({ recoveries }) => recoveries.length > 0);
  const newest = stamps.pop();
  state.cooldown = newest === undefined ? null : { ...newest, earlier: stamps };
}

/** The recoveries because of which nothing new is begun now. */
export function recoveriesCooling({ nowMs, state: { cooldown }, rules }: Draft): string[] {
  if (cooldown === null) return [];
  return stampsOf(cooldown)
    .filter(({ sinceMs }) => nowMs - sinceMs < rules.cooldownMs)
    .flatMap(({ recoveries }) => recoveries);
}
