// `ns4 -d HOST -s HOST`: one evacuation by hand, with the same checks as a job, and its progress on the terminal.

import type { EventFacts } from '../../shared/documents/events/events.ts';
import { announce, sentence } from '../../shared/documents/events/events.ts';
import { endedText, endedWell } from '../../shared/documents/events/report-text.ts';
import { incidentId, recoveryId } from '../../shared/documents/incident-id.ts';
import { evacuationReportOf } from '../../shared/documents/jobs/evacuate.ts';
import { planOntoSpare, targetsOf, targetsText } from '../../shared/documents/plan.ts';
import { OperationalError } from '../../shared/ground/errors.ts';
import { Picture } from '../../shared/picture/picture.ts';
import type { ExitCode } from '../../shared/process/frame.ts';
import { operator } from '../../shared/process/operator.ts';
import { controlsFor } from '../../shared/rules/control-plane.ts';
import { CloudError } from '../cloud.ts';
import { recoveryTools } from '../jobs/recover.ts';
import { refresh, showMoved } from '../jobs/refresh.ts';
import type { WorkerParts } from '../jobs/worker-parts.ts';
import type { Order } from '../recovery/recovery.ts';
import { recover } from '../recovery/run.ts';
import { Progress } from './progress.ts';

/** Evacuates `dead` to `spare`; 0 only if every instance is back. Continues an unfinished incident of that pair. */
export async function evacuateByHand(
  parts: WorkerParts,
  pair: { readonly dead: string; readonly spare: string },
  stop: AbortSignal,
  out: NodeJS.WriteStream,
): Promise<ExitCode> {
  const { clock, settings, journals } = parts;
  const progress = new Progress(out, clock);
  progress.line(`asking everything about ${pair.dead} and ${pair.spare} again`);
  try {
    const { hosts } = await refresh(parts, false, stop);
    const picture = Picture.of(hosts, null);
    const open = await journals.open(pair.dead);
    const nowMs = clock.nowMs();
    const plan = planOntoSpare(pair.spare);
    const incident = `${incidentId(nowMs, pair.dead)}-by-hand`;
    const isContinued = open !== null && targetsText(targetsOf(open.plan)) === pair.spare;
    const order: Order = {
      dead: pair.dead,
      plan,
      incident: isContinued ? open.incident : incident,
      recovery: isContinued ? open.id : recoveryId(incident, 1),
      proofDemanded: false,
      despite: [],
      byHand: true,
      requestedAtMs: nowMs,
      startByMs: nowMs + 600_000,
      judgedAtMs: nowMs,
      assignment: null,
      evidence: [`ordered by hand by ${operator()}`],
      address: picture.hypervisor(pair.dead)?.address ?? null,
      controls: controlsFor(new Set([pair.dead]), picture, nowMs, {
        heartbeatPeriodMs: settings.monitor.heartbeatPeriodMs,
        hypervisorPorts: settings.scan.hypervisorPorts,
      }),
    };
    const tell = (facts: EventFacts) => progress.event(facts, sentence(facts).text);
    const report = evacuationReportOf(await recover(order, recoveryTools(parts, tell), stop));
    progress.line(endedText(report));
    await parts.events.append([
      announce(parts.openstack.cloud, clock.nowMs(), { kind: 'evacuation-ended', report }),
    ]);
    if (report.acted) await showMoved(parts, stop);
    return endedWell(report) ? 0 : 1;
  } catch (error) {
    if (error instanceof CloudError) throw new OperationalError(error.message);
    throw error;
  } finally {
    progress.end();
  }
}
