// Job `recover`, and what every recovery of this worker works with, by job and by hand.

import { assignmentTokenOf } from '../../shared/documents/assignments.ts';
import type { EventFacts } from '../../shared/documents/events/events.ts';
import { announce } from '../../shared/documents/events/events.ts';
import type { Handlers } from '../../shared/documents/jobs/contracts.ts';
import type { RecoveryReport } from '../../shared/documents/jobs/recover.ts';
import { errorText } from '../../shared/ground/errors.ts';
import { noServers } from '../../shared/picture/reading.ts';
import { policyOf } from '../../shared/rules/policy.ts';
import type { Order, RecoveryTools } from '../recovery/recovery.ts';
import { recover } from '../recovery/stages/run.ts';
import { refresh, showMoved } from './refresh.ts';
import type { WorkerParts } from './worker-parts.ts';

export function recoverHandler(parts: WorkerParts): Handlers['recover'] {
  return (data, signal) => recovered(parts, { ...data, assignment: assignmentTokenOf(data) }, signal);
}

async function recovered(parts: WorkerParts, order: Order, signal: AbortSignal): Promise<RecoveryReport> {
  const report = await recover(order, recoveryTools(parts), signal);
  // Not waited for: the monitor and Slack are to hear at once that the instances are back.
  if (report.acted && !signal.aborted) void showMoved(parts, signal);
  return report;
}

/** `tell` hears everything that is announced. */
export function recoveryTools(
  parts: WorkerParts,
  tell: (facts: EventFacts) => void = () => {},
): RecoveryTools {
  const { cloud, mover, fencing, storage, journals, clock, log, settings, openstack } = parts;
  return {
    cloud,
    mover,
    fencing,
    storage,
    fencingPlans: parts.fencingPlans,
    journals,
    clock,
    log,
    policy: policyOf('', { ...settings.monitor, ...settings.recovery, fencing: settings.fencing.mode }),
    hypervisorPorts: settings.scan.hypervisorPorts,
    instancePorts: settings.scan.instancePorts,
    answerTimeoutMs: settings.recovery.answerTimeoutMs,
    localDisks: settings.recovery.localDisks,
    concurrency: openstack.concurrency,
    refresh: async (signal) => {
      const { hosts, servers } = await refresh(parts, true, signal);
      if (servers === null) throw new Error('a refresh with servers brought none');
      return { hosts, servers };
    },
    known: (host) => parts.inventory.read(() => ({ ...noServers, hosts: [host] })),
    scan: (request, signal) => {
      const own = { name: settings.scan.name, scan: () => parts.look(request, signal) };
      return parts.lookTogether({ ...request, requestedAtMs: clock.nowMs() }, own, signal);
    },
    say: async (facts) => {
      tell(facts);
      await say(parts, facts);
    },
  };
}

/** An event that cannot be written is no reason to leave instances half-way: the report carries it all again. */
async function say({ events, clock, openstack, log }: WorkerParts, facts: EventFacts): Promise<void> {
  const event = announce(openstack.cloud, clock.nowMs(), facts);
  log[event.level === 'warning' ? 'warn' : event.level]({ kind: facts.kind }, event.text);
  try {
    await events.append([event]);
  } catch (error) {
    log.error({ error: errorText(error) }, 'an event could not be written');
  }
}
