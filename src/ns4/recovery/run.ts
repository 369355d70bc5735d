// One dead hypervisor's evacuation from order to report: claim, ask again with fresh facts, fence, force down, enable
// the spare, move the instances, report. Safe to run again after a crash at any point.

import type { Hosts, Servers } from '../../shared/documents/inventory.ts';
import type { EvacuationReport } from '../../shared/documents/jobs/evacuate.ts';
import type { ScanResult } from '../../shared/documents/jobs/scan.ts';
import { isDoubt, type Refusal, refusalSentence } from '../../shared/documents/refusals/refusals.ts';
import { errorText, OperationalError } from '../../shared/ground/errors.ts';
import { hostTarget } from '../../shared/rules/controls.ts';
import { CloudError } from '../cloud.ts';
import { offSinceMs, proofText } from '../fencing/proof.ts';
import {
  type Incident,
  InterruptedOwnershipError,
  LostOwnershipError,
  type Ownership,
} from './journal/journal.ts';
import { addLateArrivals, forgottenIncident, hypervisorsOf, newIncident } from './journal/opening.ts';
import type { Work } from './movers/mover.ts';
import { permitEvacuation } from './permit.ts';
import { nobodyFences, proveOff } from './prove-off.ts';
import {
  abandoned,
  alreadyRecovering,
  type Course,
  type EvacuationParts,
  type Order,
  refused,
  reportOf,
} from './report.ts';
import { enableSpare, forceDown } from './services.ts';
import { SignOfLifeError, SilenceWatch } from './still-silent.ts';

/** A killed worker's claim runs out after 8 s; one that is held longer is held by a living worker. */
const claimWaitMs = 12_000;
/** Beginnings anew, with fresh facts, after an interrupted claim. */
const mostRounds = 4;
/** Facts older than this are collected again before the first change. */
const factsFreshMs = 20_000;

/**
 * Evacuates one hypervisor. Expected failures are in the report; rejects only when OpenStack or Redis was away at a
 * moment at which going on (or giving up) would be guessing: the caller then runs the same order again.
 */
export async function evacuateHost(
  order: Order,
  parts: EvacuationParts,
  stop: AbortSignal,
): Promise<EvacuationReport> {
  const startedAtMs = parts.clock.nowMs();
  for (let round = 1; ; round += 1) {
    try {
      return await evacuateOnce(order, parts, stop, startedAtMs);
    } catch (error) {
      if (!(error instanceof InterruptedOwnershipError) || round >= mostRounds) throw error;
      parts.log.warn(`${error.message}: beginning again with fresh facts`);
    }
  }
}

/** Under one claim, from its taking to its end. */
async function evacuateOnce(
  order: Order,
  parts: EvacuationParts,
  stop: AbortSignal,
  startedAtMs: number,
): Promise<EvacuationReport> {
  const { journals } = parts;
  const course: Course = { order, parts, startedAtMs, incident: null };
  if (startedAtMs > order.startByMs) {
    course.incident = await journals.read(order.incident);
    const ageMs = startedAtMs - order.requestedAtMs;
    return refused(course, { name: 'too-late', host: order.dead, ageMs });
  }
  const ownership = await journals.claim(order.dead, claimWaitMs, stop, order.warrant);
  if (ownership === null) {
    const open = await journals.open(order.dead);
    if (open !== null && open.id !== order.incident) return alreadyRecovering(course, open);
    // The same order again: what becomes of it is in the journal when the other one has finished.
    throw new OperationalError(`another worker is at the recovery of ${order.dead}`);
  }
  parts.log.info({ incident: order.incident }, `at work at the recovery of ${order.dead}`);
  try {
    const earlier = await journals.read(order.incident);
    if (earlier !== null && earlier.ended !== null)
      return reportOf(earlier, earlier.ended.outcome, earlier.ended.refusal, earlier.ended.atMs);
    course.incident = await journals.open(order.dead);
    return await carryOut(course, ownership, AbortSignal.any([stop, ownership.lost]));
  } catch (error) {
    const cause = ownership.lost.aborted ? ownership.lost.reason : error;
    if (cause instanceof LostOwnershipError) return abandoned(course, 'superseded');
    if (stop.aborted) return abandoned(course, 'handed-back');
    throw cause;
  } finally {
    await ownership.release();
  }
}

async function carryOut(
  course: Course,
  ownership: Ownership,
  signal: AbortSignal,
): Promise<EvacuationReport> {
  const { order, parts } = course;
  const { clock, log } = parts;
  const dead = order.dead;
  const askedAtMs = clock.steadyMs();
  let facts: { hosts: Hosts; servers: Servers; scan: ScanResult };
  try {
    facts = await freshFacts(order, parts, signal);
  } catch (error) {
    signal.throwIfAborted();
    // Before the first change giving up is safe; afterwards the incident has to be continued, so the job fails.
    if (course.incident === null && error instanceof CloudError)
      return refused(course, { name: 'api-unavailable', host: dead, detail: errorText(error) });
    throw error;
  }
  const open = course.incident ?? forgottenIncident(order, parts, facts);
  course.incident = open;
  // The first change forces the dead one down. One that is not was never begun with, or was put back into service
  // since: then nothing of the open incident counts, and everything is asked as for the first time.
  const begun = open !== null && facts.hosts.hypervisors.find((h) => h.host === dead)?.forcedDown !== false;
  if (begun && open.spare !== order.spare) return alreadyRecovering(course, open);
  if (begun && open.method !== parts.method.name)
    return refused(course, {
      name: 'api-unavailable',
      host: dead,
      detail: `its incident ${open.id} was begun with "evacuate = ${open.method}"; set that again to continue it`,
    });
  const proof = begun || open?.id === order.incident ? (open?.proof ?? null) : null;
  const suspect = { ...order, offSinceMs: offSinceMs(proof) };
  const refusal = permitEvacuation(
    suspect,
    { ...facts, nowMs: clock.nowMs() },
    parts.heartbeatPeriodMs,
    begun,
  );
  // A scan without a result is no reason to leave instances half-way: the order is run again instead.
  if (begun && refusal !== null && isDoubt(refusal)) throw new OperationalError(refusalSentence(refusal));
  if (refusal !== null) {
    const ours = begun || open?.id === order.incident;
    if (!ours) return refused(course, refusal);
    return begun || open.acted
      ? stopped(course, open, ownership, refusal)
      : end(course, open, ownership, 'refused', refusal);
  }
  const incident = begun ? open : newIncident(order, parts, facts.servers, proof);
  course.incident = incident;
  if (Object.keys(incident.instances).length === 0) {
    log.warn(`${dead} has no instances: nothing to evacuate`);
    return reportOf(incident, 'done', null, clock.nowMs());
  }
  const work: Work = {
    ...parts,
    ...{ incident, ownership, signal },
    ...hypervisorsOf(incident, facts.hosts),
    confirmSilence: silenceOf(order, incident, parts, facts.hosts, askedAtMs, signal),
  };
  if (begun) addLateArrivals(incident, facts.servers);
  await ownership.save(incident);
  if (parts.fencing === null && order.proofDemanded)
    return withoutProof(course, incident, ownership, nobodyFences(dead), begun);
  if (parts.fencing !== null) {
    const unproven = await proveOff(parts.fencing, work, facts.hosts);
    if (unproven !== null) return withoutProof(course, incident, ownership, unproven, begun);
    if (incident.proof !== null) await step(incident, parts, proofText(dead, incident.proof));
    // Powering off took its time: what the permission rests on is asked again. The proof stands meanwhile.
    if (incident.proof !== proof && clock.steadyMs() - askedAtMs > factsFreshMs)
      return carryOut(course, ownership, signal);
  }
  await forceDown(work);
  await step(incident, parts, `${dead} is forced down and disabled`);
  await enableSpare(work);
  await step(
    incident,
    parts,
    `${incident.spare} is enabled, evacuating ${Object.keys(incident.instances).length} instances`,
  );
  try {
    await parts.method.move(work);
  } catch (error) {
    if (!(error instanceof SignOfLifeError)) throw error;
    return stopped(course, incident, ownership, error.refusal);
  }
  return end(course, incident, ownership, 'done', null);
}

/**
 * The host is not proven to be off. Before the first change the incident ends, and the monitor asks again at its next
 * round; half-way the order is run again instead, as nothing else would bring the rest back.
 */
async function withoutProof(
  course: Course,
  incident: Incident,
  ownership: Ownership,
  refusal: Refusal,
  begun: boolean,
): Promise<EvacuationReport> {
  if (!begun) return end(course, incident, ownership, 'refused', refusal);
  if (refusal.name === 'came-back') return stopped(course, incident, ownership, refusal);
  throw new OperationalError(refusalSentence(refusal));
}

/**
 * It came back (or the spare was lost) half-way. No further request leaves; what Nova took before it goes on with.
 */
async function stopped(
  course: Course,
  incident: Incident,
  ownership: Ownership,
  refusal: Refusal,
): Promise<EvacuationReport> {
  await step(incident, course.parts, 'stopped');
  return end(course, incident, ownership, 'stopped', refusal);
}

async function end(
  { parts }: Course,
  incident: Incident,
  ownership: Ownership,
  outcome: 'done' | 'stopped' | 'refused',
  refusal: Refusal | null,
): Promise<EvacuationReport> {
  incident.ended = { atMs: parts.clock.nowMs(), outcome, refusal };
  await ownership.end(incident);
  return reportOf(incident, outcome, refusal, incident.ended.atMs);
}

/** Refresh and scan at once: each takes seconds that the instances wait for. */
async function freshFacts(order: Order, parts: EvacuationParts, signal: AbortSignal) {
  const [{ hosts, servers }, firstScan] = await Promise.all([
    parts.refresh(signal),
    scanAt(order, order.address, parts, signal),
  ]);
  const address = hosts.hypervisors.find((h) => h.host === order.dead)?.address ?? null;
  const scan = address === order.address ? firstScan : await scanAt(order, address, parts, signal);
  return { hosts, servers, scan };
}

function scanAt(order: Order, address: string | null, parts: EvacuationParts, signal: AbortSignal) {
  return parts.scan({ targets: [hostTarget(order.dead, address, parts)], controls: order.controls }, signal);
}

/** Asks for signs of life again while instances are moved. */
function silenceOf(
  order: Order,
  incident: Incident,
  parts: EvacuationParts,
  hosts: Hosts,
  confirmedAtMs: number,
  signal: AbortSignal,
): Work['confirmSilence'] {
  const address = hosts.hypervisors.find((h) => h.host === order.dead)?.address ?? null;
  const { cloud, clock, heartbeatPeriodMs } = parts;
  const scan = () => scanAt(order, address, parts, signal);
  const suspect = {
    ...order,
    get offSinceMs() {
      return offSinceMs(incident.proof);
    },
  };
  const watch = new SilenceWatch({
    order: suspect,
    ...{ cloud, hosts, heartbeatPeriodMs, clock, signal, confirmedAtMs, scan },
  });
  return (limitMs) => watch.confirm(limitMs);
}

/** Notes and tells a step; a worker that continues finds most of them told already. */
async function step(incident: Incident, parts: EvacuationParts, text: string): Promise<void> {
  if (incident.steps.some((s) => s.step === text)) return;
  incident.steps.push({ atMs: parts.clock.nowMs(), step: text });
  const { id, dead, spare } = incident;
  await parts.say({ kind: 'evacuation-step', incident: id, dead, spare, step: text });
}
