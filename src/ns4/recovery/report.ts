// The ends of a recovery, each with its report.

import {
  askedForOnly,
  type InstanceReport,
  type RecoveryReport,
} from '../../shared/documents/jobs/recover.ts';
import type { Refusal } from '../../shared/documents/refusals/refusals.ts';
import { targetsOf, targetsText } from '../../shared/documents/terms/plan.ts';
import { type Journal, namesOf } from './journal/journal.ts';
import type { End, Order, Recovery } from './recovery.ts';

/** Nothing was done now; `acted` still tells what an earlier attempt at the same recovery did. */
export function refused({ order, tools, startedAtMs, journal }: Recovery, refusal: Refusal): End {
  return {
    report: {
      ...namesIn(order),
      outcome: 'refused',
      refusal,
      acted: journal?.id === order.recovery && journal.acted,
      instances: [],
      tookMs: tools.clock.nowMs() - startedAtMs,
    },
  };
}

/** Somebody else's recovery of this host is open. */
export function alreadyRecovering(recovery: Recovery, { incident, plan }: Journal): End {
  const spare = targetsText(targetsOf(plan));
  return refused(recovery, { name: 'already-recovering', host: recovery.order.dead, incident, spare });
}

const namesIn = ({ incident, recovery, dead, plan }: Order) => ({
  incident,
  recovery,
  dead,
  targets: targetsOf(plan),
});

/** This worker stops here; the journal stays open for the next one. */
export function abandoned(
  { order, tools, startedAtMs, journal }: Recovery,
  outcome: 'superseded' | 'handed-back',
): End {
  return {
    report: {
      ...namesIn(order),
      outcome,
      refusal: null,
      acted: journal?.acted ?? false,
      instances: journal === null ? [] : instancesOf(journal),
      tookMs: tools.clock.nowMs() - startedAtMs,
    },
  };
}

/** It came back, or its target was lost, half-way. No further request leaves; what Nova took before it goes on with. */
export async function stopped(recovery: Recovery, journal: Journal, refusal: Refusal): Promise<End> {
  recovery.journal = journal;
  await recovery.tell({ step: 'stopped' });
  return endJournal(recovery, journal, 'stopped', refusal);
}

/** Closes the journal: this recovery is over. */
export async function endJournal(
  { lock, tools }: Recovery,
  journal: Journal,
  outcome: 'done' | 'stopped' | 'refused',
  refusal: Refusal | null,
): Promise<End> {
  journal.ended = { atMs: tools.clock.nowMs(), outcome, refusal };
  await lock.end(journal);
  return { report: reportOf(journal, outcome, refusal, journal.ended.atMs) };
}

/** How a recovery ended, or stands. */
export function reportOf(
  journal: Journal,
  outcome: 'done' | 'stopped' | 'refused',
  refusal: Refusal | null,
  endedAtMs: number,
): RecoveryReport {
  const { acted, openedAtMs } = journal;
  const tookMs = movedAtMs(journal, endedAtMs) - openedAtMs;
  const instances = outcome === 'refused' ? [] : instancesOf(journal);
  const { incident, recovery, host: dead, targets } = namesOf(journal);
  const life = journal.lifeAtEnd === undefined ? {} : { lifeAtEnd: journal.lifeAtEnd };
  return { incident, recovery, dead, targets, outcome, refusal, acted, instances, ...life, tookMs };
}

/** When the last instance was back, or was given up; whether they answer is asked after that. */
function movedAtMs({ instances }: Journal, endedAtMs: number): number {
  const times = Object.values(instances).map((entry) => entry.endedAtMs ?? endedAtMs);
  return times.length === 0 ? endedAtMs : Math.max(...times);
}

function instancesOf(journal: Journal): InstanceReport[] {
  return Object.values(journal.instances).map((entry) => {
    const { taskState } = entry.before;
    const report: InstanceReport = entry.report ?? {
      id: entry.id,
      name: entry.name,
      before: entry.before.status,
      outcome: 'unfinished',
      why: entry.attempts > 0 ? askedForOnly : 'not asked for',
      after: null,
      to: null,
      tookMs: null,
      answers: null,
    };
    return isOrderOfUser(taskState) ? { ...report, pending: taskState } : report;
  });
}

/** Nova sends these to the host's nova-compute without asking whether it is there: RabbitMQ keeps them for it. */
const isOrderOfUser = (taskState: string | null | undefined): taskState is string =>
  typeof taskState === 'string' && /^(powering-on|reboot)/.test(taskState);
