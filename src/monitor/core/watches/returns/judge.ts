// What a recovered host shows, judged: is it heard, and may instances of it run twice? Pure.

import { movedIn } from '../../../../shared/documents/events/report-text.ts';
import { list, seconds } from '../../../../shared/documents/events/words.ts';
import type { Shown } from '../../../../shared/documents/jobs/look-at-recovered.ts';
import type { RecoveryReport } from '../../../../shared/documents/jobs/recover.ts';
import { quoted } from '../../../../shared/ground/plain.ts';
import { isGoodBeat } from '../../../../shared/rules/senses/ovn.ts';
import type { Away } from '../../state/returns.ts';

interface Judged {
  /** What is heard of it, as words; none: it is silent. */
  readonly evidence: readonly string[];
  readonly reportedAtMs: number | null;
  readonly reports: number;
  /** Names of instances that may run twice; null: nobody could look. */
  readonly twice: readonly string[] | null;
  /** Its nova-compute works, and nothing is left to be done there. `listed`: what Nova still has on it. */
  readonly back: { readonly listed: number } | null;
}

interface AwayCase {
  readonly away: Away;
  readonly shown: Shown;
  /** Heartbeats after this are heard: the last recovery of it ended then. */
  readonly sinceMs: number;
  /** Of its recoveries, as far as they are remembered. */
  readonly reports: readonly RecoveryReport[];
  readonly nowMs: number;
  readonly heartbeatPeriodMs: number;
}

export function judgeAway({ away, shown, sinceMs, reports, nowMs, heartbeatPeriodMs }: AwayCase): Judged {
  const { answers, guests, heartbeatAtMs, reportedAtMs, clearing } = shown;
  const isFresh = (atMs: number | null): atMs is number => atMs !== null && nowMs - atMs <= heartbeatPeriodMs;
  const isNewer = away.reportedAtMs !== null && reportedAtMs !== null && reportedAtMs > away.reportedAtMs;
  const inARow = isNewer ? away.reports + 1 : isFresh(reportedAtMs) ? away.reports : 0;
  const isReporting = inARow >= 2 && isFresh(reportedAtMs);
  const evidence = [
    ...(answers === null ? [] : [`it answers, ${answers}`]),
    ...(guests.length === 0
      ? []
      : [
          `instances that are left on it answer: ${list(
            guests.map((name) => quoted(name)),
            5,
          )}`,
        ]),
    // A beat of OVN comes only with a ping, which is less often than a period: its age alone is no silence yet.
    ...(heartbeatAtMs !== null &&
    isGoodBeat(heartbeatAtMs, nowMs, heartbeatPeriodMs) &&
    heartbeatAtMs > sinceMs
      ? [`a heartbeat of its agents ${seconds(Math.max(0, nowMs - heartbeatAtMs))} ago`]
      : []),
    ...(isReporting ? ['its nova-compute reports'] : []),
  ];
  const twice = clearing === null ? null : namesOfTwice(away, clearing, reports);
  return {
    ...{ evidence, reportedAtMs, reports: inARow, twice },
    back:
      isReporting && twice?.length === 0 && clearing?.unfinished.length === 0
        ? { listed: clearing.listed }
        : null,
  };
}

/**
 * Those whose evacuations Nova did not complete, and those that were moved without any: by the database, so that
 * nova-compute never learns of it and destroys nothing. For these only somebody's word is an end.
 */
function namesOfTwice(
  { isCleared }: Away,
  { unfinished, recorded }: NonNullable<Shown['clearing']>,
  reports: readonly RecoveryReport[],
): string[] {
  if (isCleared) return [];
  const known = new Set(recorded);
  const moved = new Map(reports.flatMap(movedIn).map(({ id, name }) => [id, name]));
  const unrecorded = [...moved].filter(([id]) => !known.has(id)).map(([, name]) => name);
  return [...new Set([...unfinished.map(({ name }) => name), ...unrecorded])].sort();
}
