// What both movers of instances share: the journal at hand, its lock, and how results are noted and told.

import type { EventFacts } from '../../../shared/documents/events/events.ts';
import type { Hypervisor } from '../../../shared/documents/inventory.ts';
import type { InstanceReport } from '../../../shared/documents/jobs/recover.ts';
import type { Plan } from '../../../shared/documents/terms/plan.ts';
import type { Clock } from '../../../shared/ground/clock.ts';
import type { Log } from '../../../shared/ground/log.ts';
import type { Cloud } from '../../cloud/cloud.ts';
import type { MayMove } from '../../disks/disks.ts';
import { type Journal, type JournalEntry, namesOf } from '../journal/journal.ts';
import type { Lock } from '../journal/lock.ts';

/** Carries the instances of a journal to their targets; fills the journal's entries with reports. */
export interface Mover {
  readonly name: Journal['mover'];
  /** Why it cannot carry out this plan, as words that follow its name; null when it can. */
  shortcoming(plan: Plan): string | null;
  /**
   * May look at the instances from now on, while something else is waited for; changes nothing. What it returns moves
   * them: that rejects with the signal's reason when aborted, after having waited for requests under way.
   */
  begin(moving: Moving): () => Promise<void>;
}

/** An instance that answers, for people. */
export interface Answering {
  readonly id: string;
  readonly name: string;
  /** What was heard. */
  readonly on: string;
}

/** What a mover needs of the recovery. */
export interface Moving {
  readonly journal: Journal;
  readonly lock: Pick<Lock, 'save'>;
  readonly cloud: Cloud;
  /** A hypervisor as it was just before the first change. @throws Error when Nova does not know it */
  hypervisor(host: string): Hypervisor;
  readonly clock: Clock;
  readonly log: Log;
  /** Instances asked for at once. */
  readonly concurrency: number;
  /** Aborted when the worker must stop: told to, out of time, or without the lock. */
  readonly signal: AbortSignal;
  say(facts: EventFacts): Promise<void>;
  /**
   * As Cloud.evacuate, but nothing leaves once the dead host bears another one's mark (docs/how-it-decides.md).
   * @throws CloudError
   */
  evacuate: Cloud['evacuate'];
  /**
   * Resolves when the dead host bore this recovery's mark a moment ago, so that `evacuate` need not ask for it.
   * @throws as MarkWatch.confirm
   */
  confirmMark(): Promise<void>;
  /**
   * Who has the disks of an instance open, asked now; null: Ceph is not asked. `wasAskedFor`: a target may have it open.
   * `absent`: it is to stay, as it would lose its disk.
   * @throws SignOfLifeError when its old host may have it open
   */
  mayMove(id: string, wasAskedFor: boolean): Promise<MayMove | null>;
  /** Where the disks of an instance that is left alone are open now, in words; null: Ceph is not asked, or has none. */
  whereOpen(id: string): Promise<string | null>;
  /**
   * Those of these instances that answer now, although an earlier request for each of them left no trace: they are no
   * witnesses for StillSilent any more. None where an operator waived it.
   * @throws DoubtError when nobody can tell; SignOfLifeError when their old host itself answers
   */
  heard(ids: readonly string[]): Promise<readonly Answering[]>;
  /**
   * They answer, and nothing was started elsewhere: they run where they always did. Where a proof stands they are ended
   * there, aloud. @throws SignOfLifeError where none does
   */
  leaveAlone(answering: readonly Answering[]): Promise<void>;
  /**
   * Is what the device that proved the host off said last young enough for a request to leave? It is asked with each
   * confirmation of silence, and the look after that may take long. True where no device gave the proof.
   */
  isPowerFresh(): boolean;
  /**
   * While nothing is asked for, and instances are waited for: has the host been heard meanwhile? Nobody waits for the
   * answer, which is had by the next time. @throws SignOfLifeError
   */
  keepWatch(): Promise<void>;
  /** Before whatever starts an instance elsewhere: rejects unless the dead host was silent a moment (`limitMs`) ago. */
  confirmSilence(limitMs?: number): Promise<void>;
}

/** Clocks of the cloud and of ns4 may differ by this much beyond the correction. */
const clockMarginMs = 5_000;

/** When the recovery began, by the cloud's clock: older migrations are not its own. */
export const sinceMsOf = ({ journal, cloud }: Pick<Moving, 'journal' | 'cloud'>): number =>
  journal.openedAtMs + cloud.clockSkewMs() - clockMarginMs;

/** How one instance ended. */
export type InstanceEnd = Pick<InstanceReport, 'outcome' | 'why' | 'after' | 'to'>;

/** Notes the end of one instance in the journal and tells it. */
export async function endInstance(
  moving: Pick<Moving, 'journal' | 'clock' | 'lock' | 'say'>,
  entry: JournalEntry,
  end: InstanceEnd,
): Promise<void> {
  const { journal, clock } = moving;
  const tookMs = entry.askedAtMs === null ? null : clock.nowMs() - entry.askedAtMs;
  const report: InstanceReport = {
    id: entry.id,
    name: entry.name,
    before: entry.before.status,
    tookMs,
    answers: null,
    ...end,
  };
  entry.state = 'ended';
  entry.endedAtMs = clock.nowMs();
  entry.report = report;
  await moving.lock.save(journal);
  await moving.say({ kind: 'instance-ended', ...namesOf(journal), instance: report });
}

/** Why an instance is left alone, with where its disks are open: whoever looks for it begins there. */
export async function withPlace(moving: Pick<Moving, 'whereOpen'>, id: string, why: string): Promise<string> {
  const where = await moving.whereOpen(id);
  return where === null ? why : `${why}; ${where}`;
}

/** The dead host is listened for so often, whether or not anything is asked for: each time costs the cloud some reads. */
const watchMs = 15_000;

/**
 * To be called again and again while instances are waited for: a host that comes back meanwhile runs the others twice, and
 * that is not to be found out when the last one has ended, minutes later. @throws SignOfLifeError
 */
export function watching({ clock, keepWatch }: Pick<Moving, 'clock' | 'keepWatch'>): () => Promise<void> {
  let nextAtMs = clock.steadyMs() + watchMs;
  return async () => {
    if (clock.steadyMs() < nextAtMs) return;
    nextAtMs = clock.steadyMs() + watchMs;
    await keepWatch();
  };
}
