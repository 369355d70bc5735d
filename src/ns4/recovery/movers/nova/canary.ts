// The canary: of the instances that go to one target one is asked for first, the rest only when Nova has begun with it
// there. A spare that Nova cannot use (of another cell, or passed over by the scheduler) then costs one to three
// instances their state instead of all of them. Pure.

import type { Server } from '../../../../shared/documents/inventory.ts';
import { isSameTarget, type Target, targetText } from '../../../../shared/documents/terms/plan.ts';
import { quoted } from '../../../../shared/ground/plain.ts';
import type { MigrationRecord } from '../../../cloud/cloud.ts';
import type { JournalEntry } from '../../journal/journal.ts';

/**
 * So many different instances that the scheduler finds no place for speak against the target. One alone may have
 * reasons of its own: a server group, say.
 */
const mostCanaries = 3;

export type TargetStanding =
  /** Nobody was asked for there, or fewer than `mostCanaries` that Nova found no place for. */
  | { readonly kind: 'untried' }
  /** One was asked for, and nothing shows yet that Nova has begun with it. */
  | { readonly kind: 'tried'; readonly by: JournalEntry }
  /** Nova has begun with one there. */
  | { readonly kind: 'takes' }
  | { readonly kind: 'refuses'; readonly why: string };

/** An instance that may be asked for, as Nova showed it just now. */
export interface Candidate {
  readonly entry: JournalEntry;
  readonly server: Server | null;
}

interface SeenByTarget {
  readonly entries: readonly JournalEntry[];
  /** Evacuations of this recovery, newest first. */
  records(entry: JournalEntry): readonly MigrationRecord[];
  /** Asked for, and its request or its migration is still on its way. */
  isOut(entry: JournalEntry): boolean;
}

/** Has this one's evacuation shown what the target is like? */
export function standingOf(target: Target, { entries, records, isOut }: SeenByTarget): TargetStanding {
  const sent = entries
    .map((entry) => ({ entry, statuses: recordsAt(target, entry, records(entry)).map((m) => m.status) }))
    .filter(({ entry, statuses }) => statuses.length > 0 || isAskedFor(entry, target));
  if (sent.some(({ statuses }) => statuses.some((s) => s !== 'accepted' && s !== 'error')))
    return { kind: 'takes' };
  const wedged = sent.find(({ entry }) => entry.report?.outcome === 'unfinished');
  if (wedged)
    return { kind: 'refuses', why: `${targetText(target)} never began with ${quoted(wedged.entry.name)}` };
  const out = sent.find(({ entry }) => entry.state !== 'ended' && isOut(entry));
  if (out) return { kind: 'tried', by: out.entry };
  const failed = sent.filter(
    ({ entry, statuses }) => statuses[0] === 'error' || entry.report?.outcome === 'failed',
  );
  if (failed.length < mostCanaries) return { kind: 'untried' };
  const names = failed.map(({ entry }) => quoted(entry.name)).join(', ');
  return {
    kind: 'refuses',
    why: `Nova found no place for ${names} with ${targetText(target)} as its target`,
  };
}

const isAskedFor = (entry: JournalEntry, target: Target): boolean =>
  isSameTarget(entry.target, target) && entry.attempts > entry.attemptsElsewhere;

/** Those that led, or were to lead, to this target. */
function recordsAt(
  target: Target,
  entry: JournalEntry,
  records: readonly MigrationRecord[],
): readonly MigrationRecord[] {
  if (target.kind === 'host') return records.filter((m) => m.target === target.host);
  if (entry.target.kind !== 'scheduler') return [];
  return records.slice(0, Math.max(0, entry.attempts - entry.attemptsElsewhere));
}

/**
 * The best first: one that was asked for least often, that ran (a stopped one shows less), and the smallest: there is
 * room for it if there is room at all, and Nova begins with it soonest.
 */
export function canaryOf(candidates: readonly Candidate[]): Candidate | undefined {
  const rank = ({ entry, server }: Candidate): readonly number[] => [
    entry.attempts,
    entry.before.vmState === 'active' ? 0 : 1,
    server?.memoryMb ?? Number.POSITIVE_INFINITY,
    server?.vcpus ?? Number.POSITIVE_INFINITY,
  ];
  return [...candidates].sort((a, b) => compare(rank(a), rank(b)))[0];
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
