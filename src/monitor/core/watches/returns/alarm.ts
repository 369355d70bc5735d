// The alarm that instances may run twice: said at once, every minute at first, then every five, until it is over. Pure.
import type { Draft } from '../../state/draft.ts';
import type { Alarm, Away } from '../../state/returns.ts';

const firstTimes = 6;
const firstPauseMs = 60_000;
const laterPauseMs = 300_000;

/** When it is said again, as long as it stands. */
export const saidAgainAtMs = ({ saidAtMs, said }: Alarm): number =>
  saidAtMs + (said < firstTimes ? firstPauseMs : laterPauseMs);

/** It stands (by what was found now, or still): said when it is new, and when its time has come. */
export function sound(
  draft: Draft,
  away: Away,
  found: Pick<Alarm, 'evidence' | 'instances' | 'untold'> | null = null,
): Away {
  const { nowMs } = draft;
  const before = away.alarm;
  const stands = found ?? before;
  if (stands === null) return away;
  const alarm: Alarm = {
    ...(before ?? { sinceMs: nowMs, saidAtMs: nowMs, said: 0 }),
    evidence: [...stands.evidence],
    instances: [...stands.instances],
    untold: stands.untold,
  };
  // The clock was set back: nobody waits for it to come round again.
  const isDue = before === null || nowMs >= saidAgainAtMs(before) || nowMs < before.saidAtMs;
  if (!isDue) return found === null ? away : { ...away, alarm };
  const { evidence, instances, untold, sinceMs } = alarm;
  const forMs = Math.max(0, nowMs - sinceMs);
  draft.say({ kind: 'running-twice', host: away.host, instances, evidence, forMs, untold });
  return { ...away, alarm: { ...alarm, saidAtMs: nowMs, said: alarm.said + 1 } };
}

/** It is over, if it stood. */
export function silence(
  draft: Draft,
  away: Away,
  why: 'completed' | 'silent' | 'word' | 'closed',
  by: string | null = null,
): Away {
  if (away.alarm === null) return away;
  draft.say({ kind: 'running-twice-over', host: away.host, why, by });
  return { ...away, alarm: null };
}
