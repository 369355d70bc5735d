// What a recovered host shows, judged: is it heard, and may instances of it run twice? Pure.

import { movedIn } from '../../../../shared/documents/events/report-text.ts';
import { list, seconds } from '../../../../shared/documents/events/words.ts';
import type { Shown } from '../../../../shared/documents/jobs/look-at-recovered.ts';
import type { RecoveryReport } from '../../../../shared/documents/jobs/recover.ts';
import { quoted } from '../../../../shared/ground/plain.ts';
import { isGoodBeat } from '../../../../shared/rules/senses/ovn.ts';
import type { Alarm, Away } from '../../state/returns.ts';

interface Judged {
  /** What is heard of it, as words; none: it is silent, if all could be asked. */
  readonly evidence: readonly string[];
  readonly reportedAtMs: number | null;
  readonly reports: number;
  /** What may run twice, if it is heard; `untold`: why Nova does not tell, so that it is by memory. Null: nothing. */
  readonly twice: Pick<Alarm, 'instances' | 'untold'> | null;
  /** What Nova told now of that; else as before. */
  readonly left: Away['left'];
  /** Nova said that none of its instances can run twice any more. */
  readonly isCompleted: boolean;
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
  /** How many recoveries its incident had. */
  readonly recoveries: number;
  readonly nowMs: number;
  readonly heartbeatPeriodMs: number;
}

export function judgeAway(about: AwayCase): Judged {
  const { away, shown, sinceMs, reports, nowMs, heartbeatPeriodMs } = about;
  const { answers, guests, heartbeatAtMs, clearing, unknown } = shown;
  // Nova did not tell: what it told before is what the next report is compared with.
  const isTold = unknown === null || shown.reportedAtMs !== null;
  const reportedAtMs = isTold ? shown.reportedAtMs : away.reportedAtMs;
  const isFresh = (atMs: number | null): atMs is number => atMs !== null && nowMs - atMs <= heartbeatPeriodMs;
  const isNewer = away.reportedAtMs !== null && reportedAtMs !== null && reportedAtMs > away.reportedAtMs;
  const inARow = isNewer ? away.reports + 1 : !isTold || isFresh(reportedAtMs) ? away.reports : 0;
  const isReporting = isTold && inARow >= 2 && isFresh(reportedAtMs);
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
  const isForgotten = clearing !== null && nothingIsKnown(about, clearing);
  const told = clearing === null || isForgotten ? null : namesOfTwice(away, clearing, reports);
  const isCompleted = told?.length === 0;
  const untold = isForgotten ? forgotten : unknown === null ? null : `Nova could not be asked: ${unknown}`;
  const names = told ?? (untold === null ? null : namesByMemory(about));
  return {
    ...{ evidence, reportedAtMs, reports: inARow, isCompleted },
    twice: names === null || isCompleted ? null : { instances: names, untold: told === null ? untold : null },
    left: told === null ? away.left : { atMs: nowMs, instances: told },
    back:
      isReporting && isCompleted && clearing?.unfinished.length === 0 ? { listed: clearing.listed } : null,
  };
}

const forgotten = 'Nova has no evacuation away from it on record, and what was moved is not remembered';

/** By the database nothing is on record: without a report of what was moved an empty record tells nothing. */
const nothingIsKnown = (about: AwayCase, { recorded }: NonNullable<Shown['clearing']>): boolean =>
  recorded.length === 0 && !about.away.isCleared && !isAllReported(about);

/** Did each recovery of its incident leave a report? Of those of somebody else there is none. */
const isAllReported = ({ reports, recoveries }: AwayCase): boolean =>
  reports.length > 0 && reports.length >= recoveries;

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

/**
 * Where Nova cannot be asked: what it told last, since the last recovery; else what the reports say was moved. None:
 * nobody knows which, as a recovery has no report. Null: none can.
 */
function namesByMemory(about: AwayCase): string[] | null {
  const { away, sinceMs, reports } = about;
  const { isCleared, left } = away;
  if (isCleared) return null;
  if (left !== null && left.atMs >= sinceMs) return left.instances.length === 0 ? null : left.instances;
  const moved = [...new Set(reports.flatMap(movedIn).map(({ name }) => name))].sort();
  return moved.length === 0 && isAllReported(about) ? null : moved;
}
