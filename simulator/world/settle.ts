// What follows from a change of a host or of the services behind: who reports, and who answers, from now on.
import { repairBindingsLater } from './binding.ts';
import { controlRuns } from './control-runs.ts';
import type { Host, Reporter } from './model.ts';
import { isSeen, register } from './ovn.ts';
import { hostAnswers, hostSends } from './physics.ts';
import { canBind, lastReport } from './reports.ts';
import type { World } from './world.ts';

/**
 * Lets reports and answers of a host follow what was changed about it. `atOnce`: whoever can report again does so now,
 * as a process does that starts or finds RabbitMQ again, and not on its next beat only.
 */
export function settle(world: World, host: Host, atOnce = true): void {
  const { nowMs, stopped } = world;
  const runs = controlRuns(world, host);
  // nova-compute's report is written by the conductor, also that of one that is forced down
  // (nova/servicegroup/drivers/db.py, _report_state).
  const isCounted = !stopped.has('conductor');
  follow(host.compute, runs && !host.compute.broken && host.up.compute && isCounted, nowMs, atOnce);
  const wasThere = host.reportsSinceMs !== null && canBind(world, host);
  // An agent reports to neutron-server.
  for (const agent of host.agents)
    follow(agent, runs && !agent.broken && host.up.agents && !stopped.has('neutron'), nowMs, atOnce);
  register(world, host);
  const heard =
    world.ovn === null ? host.agents.some((agent) => agent.sinceMs !== null) : isSeen(world, host);
  if (heard && !wasThere) repairBindingsLater(world, host);
  if (heard !== (host.reportsSinceMs !== null)) host.reportsSinceMs = heard ? nowMs : null;
  if (hostSends(host) !== (host.sendsSinceMs !== null)) host.sendsSinceMs = hostSends(host) ? nowMs : null;
  const answers = hostAnswers(host);
  if (answers === (host.answersSinceMs !== null)) return;
  host.answersSinceMs = answers ? nowMs : null;
  if (!answers) host.mutedSinceMs = nowMs;
}

function follow(reporter: Reporter, reports: boolean, nowMs: number, atOnce: boolean): void {
  if (reports === (reporter.sinceMs !== null)) return;
  reporter.lastMs = reports && atOnce ? nowMs : lastReport(reporter, nowMs);
  reporter.sinceMs = reports ? nowMs : null;
  if (reports) reporter.deleted = false;
}
