// The cooldown: when recoveries began last, and what becomes of that when one of them did nothing. Pure.
import type { Draft } from '../state/draft.ts';
import { mostReports } from '../state/rules.ts';

/** Those that begin together share the stamp. */
export function stampCooldown({ nowMs, state }: Draft, recovery: string): void {
  const { cooldown } = state;
  if (cooldown?.sinceMs === nowMs) {
    state.cooldown = { ...cooldown, recoveries: [...cooldown.recoveries, recovery] };
    return;
  }
  const { earlier, ...last } = cooldown ?? { earlier: [], sinceMs: 0, recoveries: [] };
  const before = cooldown === null ? [] : [...earlier, last];
  state.cooldown = { sinceMs: nowMs, recoveries: [recovery], earlier: before.slice(-mostReports) };
}

/**
 * Nothing was done, so nothing is to cool down (defect 15 of the original: stamped although every job failed). What was
 * cooling down before counts again.
 */
export function liftCooldown({ state }: Draft, recovery: string): void {
  const { cooldown } = state;
  if (cooldown === null) return;
  const { earlier, ...last } = cooldown;
  const stamps = [...earlier, last]
    .map(({ sinceMs, recoveries }) => ({ sinceMs, recoveries: recoveries.filter((id) => id !== recovery) }))
    .filter(({ recoveries }) => recoveries.length > 0);
  const newest = stamps.pop();
  state.cooldown = newest === undefined ? null : { ...newest, earlier: stamps };
}

/** The recoveries because of which nothing new is begun now. */
export function recoveriesCooling({ nowMs, state: { cooldown }, rules }: Draft): string[] {
  if (cooldown === null) return [];
  return [...cooldown.earlier, cooldown]
    .filter(({ sinceMs }) => nowMs - sinceMs < rules.cooldownMs)
    .flatMap(({ recoveries }) => recoveries);
}
