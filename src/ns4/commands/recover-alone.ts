// `ns4 -d HOST -s HOST --alone`: one recovery from here, for when no monitor leads; with the same gates as an order to
// it and as a job, and its progress on the terminal.

import { randomUUID } from 'node:crypto';
import type { EventFacts } from '../../shared/documents/events/events.ts';
import { announce, sentence } from '../../shared/documents/events/events.ts';
import { endedText, endedWell } from '../../shared/documents/events/report-text.ts';
import { type Refusal, refusalSentence } from '../../shared/documents/refusals/refusals.ts';
import { recoveryMarkOf } from '../../shared/documents/terms/disabled-reason.ts';
import { incidentId, recoveryId } from '../../shared/documents/terms/incident-id.ts';
import { planOntoSpare, targetsOf, targetsText } from '../../shared/documents/terms/plan.ts';
import { scopeText } from '../../shared/documents/terms/scope.ts';
import { OperationalError } from '../../shared/ground/errors.ts';
import { Picture } from '../../shared/picture/picture.ts';
import type { ExitCode } from '../../shared/process/frame.ts';
import { operator } from '../../shared/process/operator.ts';
import type { FoundStatus } from '../../shared/redis/status.ts';
import { controlsFor } from '../../shared/rules/control-plane.ts';
import { askGates } from '../../shared/rules/gates/gate.ts';
import { recoveryGates } from '../../shared/rules/gates/recovery-gates.ts';
import { policyOf } from '../../shared/rules/policy.ts';
import { CloudError } from '../cloud/cloud.ts';
import { recoveryTools } from '../jobs/recover.ts';
import { refresh, showMoved } from '../jobs/refresh.ts';
import type { WorkerParts } from '../jobs/worker-parts.ts';
import type { Order } from '../recovery/recovery.ts';
import { recover } from '../recovery/stages/run.ts';
import { Progress } from './progress.ts';

interface AloneOrder {
  readonly dead: string;
  readonly spare: string;
  /** Gates to be waived, by name. */
  readonly despite: readonly string[];
  /** What the last monitor published: its cooldown and safe mode hold here too. */
  readonly status: FoundStatus;
}

/** Recovers `dead` onto `spare`; 0 only if every instance is back. Continues an unfinished recovery of that pair. */
export async function recoverAlone(
  parts: WorkerParts,
  alone: AloneOrder,
  stop: AbortSignal,
  out: NodeJS.WriteStream,
): Promise<ExitCode> {
  const progress = new Progress(out, parts.clock);
  progress.line(`asking everything about ${alone.dead} and ${alone.spare} again`);
  try {
    const { hosts } = await refresh(parts, false, stop);
    const picture = Picture.of(hosts, null);
    const held = refusalByGates(parts, alone, picture);
    if (held !== null) {
      progress.line(refusalSentence(held));
      return 1;
    }
    const order = await orderOf(parts, alone, picture);
    const tell = (facts: EventFacts) => progress.event(facts, sentence(facts).text);
    const report = await recover(order, recoveryTools(parts, tell), stop);
    progress.line(endedText(report));
    await parts.events.append([
      announce(parts.openstack.cloud, parts.clock.nowMs(), { kind: 'recovery-ended', report }),
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

/** The monitor's gates, by what it published last. */
function refusalByGates(parts: WorkerParts, alone: AloneOrder, picture: Picture): Refusal | null {
  const { clock, settings } = parts;
  const published = alone.status.kind === 'found' ? alone.status.status : null;
  const others = published?.incidents.filter(
    (i) => i.recovery !== null && scopeText(i.subject) !== alone.dead,
  );
  const about = {
    hosts: [alone.dead],
    perhapsDead: [],
    untold: [],
    recovering: others?.length ?? 0,
    safeMode: published?.safeMode ?? null,
    cooldown: published?.cooldown ?? null,
    nowMs: clock.nowMs(),
  };
  const policy = policyOf(alone.dead, {
    ...settings.monitor,
    ...settings.recovery,
    fencing: settings.fencing.mode,
  });
  return askGates(recoveryGates, about, picture, policy, alone.despite);
}

/**
 * Who this is, for the mark in Nova: the Sonny whose mark the host bears, where this Redis holds the journal that it
 * names, else a new one.
 */
async function markOwner({ journals }: WorkerParts, reason: string | null = null): Promise<string> {
  const by = recoveryMarkOf(reason)?.by ?? null;
  const earlier = by === null ? null : await journals.read(by.recovery);
  return by !== null && earlier?.sonny === by.sonny ? by.sonny : randomUUID().slice(0, 8);
}

async function orderOf(parts: WorkerParts, alone: AloneOrder, picture: Picture): Promise<Order> {
  const { clock, settings, journals } = parts;
  const { dead, spare, despite } = alone;
  const open = await journals.open(dead);
  const nowMs = clock.nowMs();
  const incident = `${incidentId(nowMs, dead)}-by-hand`;
  const isContinued = open !== null && targetsText(targetsOf(open.plan)) === spare;
  const sonny = isContinued ? open.sonny : await markOwner(parts, picture.hypervisor(dead)?.disabledReason);
  return {
    dead,
    plan: planOntoSpare(spare),
    incident: isContinued ? open.incident : incident,
    recovery: isContinued ? open.id : recoveryId(incident, 1),
    proofDemanded: settings.fencing.mode === 'required',
    despite: [...despite],
    byHand: true,
    sonny,
    requestedAtMs: nowMs,
    startByMs: nowMs + 600_000,
    judgedAtMs: nowMs,
    assignment: null,
    evidence: [`ordered by hand by ${operator()}`],
    address: picture.hypervisor(dead)?.address ?? null,
    controls: controlsFor(new Set([dead]), picture, nowMs, {
      heartbeatPeriodMs: settings.monitor.heartbeatPeriodMs,
      hypervisorPorts: settings.scan.hypervisorPorts,
    }),
  };
}
