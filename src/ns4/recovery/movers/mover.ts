// What both movers of instances share: the journal at hand, its lock, and how results are noted and told.

import type { EventFacts } from '../../../shared/documents/events/events.ts';
import type { Hypervisor, Server } from '../../../shared/documents/inventory.ts';
import type { InstanceReport } from '../../../shared/documents/jobs/evacuate.ts';
import type { Clock } from '../../../shared/ground/clock.ts';
import type { Log } from '../../../shared/ground/log.ts';
import type { Cloud } from '../../cloud.ts';
import type { Journal, JournalEntry } from '../journal/journal.ts';
import type { Lock } from '../journal/lock.ts';

/** Carries the instances of a journal to the spare; fills the journal's entries with reports. */
export interface Mover {
  readonly name: Journal['method'];
  /** Rejects with the signal's reason when aborted, after having waited for requests under way. */
  move(moving: Moving): Promise<void>;
}

/** What a mover needs of the recovery. */
export interface Moving {
  readonly journal: Journal;
  readonly lock: Pick<Lock, 'save'>;
  readonly cloud: Cloud;
  /** The hypervisors as they were just before the first change: names for MySQL and Placement. */
  readonly dead: Hypervisor;
  readonly spare: Hypervisor;
  readonly clock: Clock;
  readonly log: Log;
  /** Instances asked for at once. */
  readonly concurrency: number;
  /** Aborted when the worker must stop: told to, out of time, or without the lock. */
  readonly signal: AbortSignal;
  say(facts: EventFacts): Promise<void>;
  /** Before whatever starts an instance elsewhere: rejects unless the dead host was silent a moment (`limitMs`) ago. */
  confirmSilence(limitMs?: number): Promise<void>;
}

/** Notes the end of one instance in the journal and tells it. */
export async function endInstance(
  moving: Moving,
  entry: JournalEntry,
  end: Pick<InstanceReport, 'outcome' | 'why' | 'after'>,
): Promise<void> {
  const { journal, clock } = moving;
  const tookMs = entry.askedAtMs === null ? null : clock.nowMs() - entry.askedAtMs;
  const report: InstanceReport = {
    id: entry.id,
    name: entry.name,
    before: entry.before.status,
    tookMs,
    ...end,
  };
  entry.state = 'ended';
  entry.report = report;
  await moving.lock.save(journal);
  const { id, dead, spare } = journal;
  await moving.say({ kind: 'instance', incident: id, dead, spare, instance: report });
}

/** A first entry for an instance found on the dead hypervisor. */
export function entryOf(server: Server): JournalEntry {
  return {
    id: server.id,
    name: server.name,
    before: { status: server.status, vmState: server.vmState },
    state: 'pending',
    attempts: 0,
    askedAtMs: null,
    report: null,
  };
}
