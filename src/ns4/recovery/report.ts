// An order being carried out: what it works with, and the reports it can end in.

import type { Warrant } from '../../shared/documents/assignments.ts';
import type { EventFacts } from '../../shared/documents/events/events.ts';
import type { Hosts, Servers } from '../../shared/documents/inventory.ts';
import type { EvacuateData, EvacuationReport, InstanceReport } from '../../shared/documents/jobs/evacuate.ts';
import type { ScanResult, ScanTarget } from '../../shared/documents/jobs/scan.ts';
import type { Refusal } from '../../shared/documents/refusals/refusals.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import type { Log } from '../../shared/ground/log.ts';
import type { Cloud } from '../cloud.ts';
import type { Fencing } from '../fencing/fencing.ts';
import type { Incident, Journals } from './journal/journal.ts';
import type { Method } from './movers/mover.ts';

export interface EvacuationParts {
  readonly cloud: Cloud;
  readonly method: Method;
  /** Null: no proof is demanded, silence is enough. */
  readonly fencing: Fencing | null;
  readonly journals: Pick<Journals, 'open' | 'read' | 'claim'>;
  /** Refreshes everything, servers included, and stores it. */
  refresh(signal: AbortSignal): Promise<{ hosts: Hosts; servers: Servers }>;
  scan(request: { targets: ScanTarget[]; controls: ScanTarget[] }, signal: AbortSignal): Promise<ScanResult>;
  say(facts: EventFacts): Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  readonly heartbeatPeriodMs: number;
  readonly hypervisorPorts: readonly number[];
  readonly concurrency: number;
}

/** What an order carries; by hand there is no attempt and no deadline. */
export type Order = Pick<
  EvacuateData,
  | 'incident'
  | 'dead'
  | 'spare'
  | 'startByMs'
  | 'judgedAtMs'
  | 'evidence'
  | 'controls'
  | 'requestedAtMs'
  | 'address'
  | 'proofDemanded'
> & {
  /** Shown before every dangerous step; null by hand, where nobody else has to want it. */
  readonly warrant: Warrant | null;
};

/** An order being carried out. */
export interface Course {
  readonly order: Order;
  readonly parts: EvacuationParts;
  readonly startedAtMs: number;
  /** The open incident of the host, which may be another one than the order's; then the one worked on. */
  incident: Incident | null;
}

/** Nothing was done now; `acted` still tells what an earlier attempt at the same incident did. */
export function refused({ order, parts, startedAtMs, incident }: Course, refusal: Refusal): EvacuationReport {
  return {
    incident: order.incident,
    dead: order.dead,
    spare: order.spare,
    outcome: 'refused',
    refusal,
    acted: incident?.id === order.incident && incident.acted,
    instances: [],
    tookMs: parts.clock.nowMs() - startedAtMs,
  };
}

/** Somebody else's incident of this host is open. */
export const alreadyRecovering = (course: Course, { id, spare }: Incident): EvacuationReport =>
  refused(course, { name: 'already-recovering', host: course.order.dead, incident: id, spare });

/** How an incident ended, or stands. */
export function reportOf(
  incident: Incident,
  outcome: 'done' | 'stopped' | 'refused',
  refusal: Refusal | null,
  endedAtMs: number,
): EvacuationReport {
  const { id, dead, spare, acted, openedAtMs } = incident;
  const tookMs = endedAtMs - openedAtMs;
  const instances = outcome === 'refused' ? [] : reports(incident);
  return { incident: id, dead, spare, outcome, refusal, acted, instances, tookMs };
}

function reports(incident: Incident): InstanceReport[] {
  return Object.values(incident.instances).map(
    (entry) =>
      entry.report ?? {
        id: entry.id,
        name: entry.name,
        before: entry.before.status,
        outcome: 'unfinished',
        why: entry.attempts > 0 ? 'asked for, its end was not awaited' : 'not asked for',
        after: null,
        tookMs: null,
      },
  );
}

/** This worker stops here; the incident stays open for the next one. */
export function abandoned(
  { order, parts, startedAtMs, incident }: Course,
  outcome: 'superseded' | 'handed-back',
): EvacuationReport {
  return {
    incident: order.incident,
    dead: order.dead,
    spare: order.spare,
    outcome,
    refusal: null,
    acted: incident?.acted ?? false,
    instances: incident === null ? [] : reports(incident),
    tookMs: parts.clock.nowMs() - startedAtMs,
  };
}
