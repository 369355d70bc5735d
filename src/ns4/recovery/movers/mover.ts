// What both methods of moving instances share: the incident at hand, its owner, and how results are noted and told.

import type { EventFacts } from '../../../shared/documents/events/events.ts';
import type { Hypervisor, Server } from '../../../shared/documents/inventory.ts';
import type { InstanceReport } from '../../../shared/documents/jobs/evacuate.ts';
import type { Clock } from '../../../shared/ground/clock.ts';
import type { Log } from '../../../shared/ground/log.ts';
import type { Cloud } from '../../cloud.ts';
import type { Incident, JournalEntry, Ownership } from '../journal/journal.ts';

/** Carries the instances of an incident to the spare; fills the journal's entries with reports. */
export interface Method {
  readonly name: Incident['method'];
  /** Rejects with the signal's reason when aborted, after having waited for requests under way. */
  move(work: Work): Promise<void>;
}

/** One worker's hold on one incident. */
export interface Work {
  readonly incident: Incident;
  readonly ownership: Pick<Ownership, 'save'>;
  readonly cloud: Cloud;
  /** The hypervisors as they were just before the first change: names for MySQL and Placement. */
  readonly dead: Hypervisor;
  readonly spare: Hypervisor;
  readonly clock: Clock;
  readonly log: Log;
  /** Instances asked for at once. */
  readonly concurrency: number;
  /** Aborted when the worker must stop: told to, out of time, or no longer the owner. */
  readonly signal: AbortSignal;
  say(facts: EventFacts): Promise<void>;
  /** Before whatever starts an instance elsewhere: rejects unless the dead host was silent a moment (`limitMs`) ago. */
  confirmSilence(limitMs?: number): Promise<void>;
}

/** Notes the end of one instance in the journal and tells it. */
export async function endInstance(
  work: Work,
  entry: JournalEntry,
  end: Pick<InstanceReport, 'outcome' | 'why' | 'after'>,
): Promise<void> {
  const { incident, clock } = work;
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
  await work.ownership.save(incident);
  const { id, dead, spare } = incident;
  await work.say({ kind: 'instance', incident: id, dead, spare, instance: report });
}

/** Entries without an end yet. */
export function unfinished(incident: Incident): JournalEntry[] {
  return Object.values(incident.instances).filter((entry) => entry.state !== 'ended');
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
