// One dead hypervisor's evacuation from order to report: claim, ask again with fresh facts, force down, enable the
// spare, move the instances, report. Safe to run again after a crash at any point.
import type { Clock } from '../../shared/clock.ts';
import type {
  EvacuateData,
  EvacuationReport,
  InstanceReport,
  ScanResult,
  ScanTarget,
} from '../../shared/contracts.ts';
import { hostTarget } from '../../shared/controls.ts';
import { errorText, OperationalError } from '../../shared/errors.ts';
import type { EventFacts } from '../../shared/events.ts';
import type { Hosts, Servers } from '../../shared/inventory.ts';
import type { Log } from '../../shared/log.ts';
import { type Refusal, refusalSentence } from '../../shared/refusals.ts';
import { type Cloud, CloudError } from '../cloud.ts';
import { type Incident, type Journals, LostOwnershipError, type Ownership } from './journal.ts';
import { permitEvacuation } from './permit.ts';
import { enableSpare, forceDown } from './services.ts';
import { entryOf, type Method, type Work } from './work.ts';

/** A killed worker's claim runs out after 8 s; one that is held longer is held by a living worker. */
const claimWaitMs = 12_000;

export interface EvacuationParts {
  readonly cloud: Cloud;
  readonly method: Method;
  readonly journals: Pick<Journals, 'open' | 'claim'>;
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

/** Refusals that say nothing about the host, only about the scan. */
const doubts = new Set<Refusal['name']>(['scan-failed', 'scanner-blind', 'scan-unknown']);

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
>;

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
  const refused = (refusal: Refusal): EvacuationReport => ({
    incident: order.incident,
    dead: order.dead,
    spare: order.spare,
    outcome: 'refused',
    refusal,
    acted: false,
    instances: [],
    tookMs: parts.clock.nowMs() - startedAtMs,
  });
  if (startedAtMs > order.startByMs)
    return refused({ name: 'too-late', host: order.dead, ageMs: startedAtMs - order.requestedAtMs });
  const ownership = await parts.journals.claim(order.dead, claimWaitMs, stop);
  const open = await parts.journals.open(order.dead);
  const alreadyRecovering = (incident: Incident | null) =>
    refused({
      name: 'already-recovering',
      host: order.dead,
      incident: incident?.id ?? 'unknown',
      spare: incident?.spare ?? 'unknown',
    });
  if (ownership === null) return alreadyRecovering(open);
  const signal = AbortSignal.any([stop, ownership.lost]);
  try {
    if (open !== null && open.spare !== order.spare) return alreadyRecovering(open);
    if (open !== null && open.method !== parts.method.name)
      return refused({
        name: 'api-unavailable',
        host: order.dead,
        detail: `its incident ${open.id} was begun with "evacuate = ${open.method}"; set that again to continue it`,
      });
    return await carryOut(order, parts, open, ownership, signal, refused);
  } catch (error) {
    if (ownership.lost.aborted || error instanceof LostOwnershipError)
      return abandoned(order, open, 'superseded', startedAtMs, parts);
    if (stop.aborted)
      return abandoned(order, await parts.journals.open(order.dead), 'handed-back', startedAtMs, parts);
    throw error;
  } finally {
    await ownership.release();
  }
}

async function carryOut(
  order: Order,
  parts: EvacuationParts,
  open: Incident | null,
  ownership: Ownership,
  signal: AbortSignal,
  refused: (refusal: Refusal) => EvacuationReport,
): Promise<EvacuationReport> {
  const { clock, log } = parts;
  const dead = order.dead;
  let facts: { hosts: Hosts; servers: Servers; scan: ScanResult };
  try {
    facts = await freshFacts(order, parts, signal);
  } catch (error) {
    // Before the first change giving up is safe; afterwards the incident has to be continued, so the job fails.
    if (open === null && error instanceof CloudError)
      return refused({ name: 'api-unavailable', host: dead, detail: errorText(error) });
    throw error;
  }
  const refusal = permitEvacuation(
    order,
    { ...facts, nowMs: clock.nowMs() },
    parts.heartbeatPeriodMs,
    open !== null,
  );
  if (refusal !== null && open === null) return refused(refusal);
  // A scan without a result is no reason to leave instances half-way: the order is run again instead.
  if (refusal !== null && doubts.has(refusal.name)) throw new OperationalError(refusalSentence(refusal));
  const incident = open ?? newIncident(order, parts, facts.servers);
  const report = (outcome: EvacuationReport['outcome'], why: Refusal | null): EvacuationReport => ({
    incident: incident.id,
    dead,
    spare: incident.spare,
    outcome,
    refusal: why,
    acted: incident.acted,
    instances: reports(incident),
    tookMs: clock.nowMs() - incident.openedAtMs,
  });
  if (refusal !== null) {
    // It came back (or the spare was lost) half-way. No further request leaves; what Nova took before it goes on with.
    await step(incident, parts, 'stopped');
    await end(incident, ownership, clock);
    return report('stopped', refusal);
  }
  if (Object.keys(incident.instances).length === 0) {
    log.warn(`${dead} has no instances: nothing to evacuate`);
    return report('done', null);
  }
  const work = workOf(incident, parts, facts.hosts, ownership, signal);
  if (open !== null) addLateArrivals(incident, facts.servers);
  await ownership.save(incident);
  await forceDown(work);
  await step(incident, parts, `${dead} is forced down and disabled`);
  await enableSpare(work);
  await step(
    incident,
    parts,
    `${incident.spare} is enabled, evacuating ${Object.keys(incident.instances).length} instances`,
  );
  await parts.method.move(work);
  await end(incident, ownership, clock);
  return report('done', null);
}

/** Refresh and scan at once: each takes seconds that the instances wait for. */
async function freshFacts(order: Order, parts: EvacuationParts, signal: AbortSignal) {
  const scanAt = (address: string | null) =>
    parts.scan({ targets: [hostTarget(order.dead, address, parts)], controls: order.controls }, signal);
  const [{ hosts, servers }, firstScan] = await Promise.all([parts.refresh(signal), scanAt(order.address)]);
  const address = hosts.hypervisors.find((h) => h.host === order.dead)?.address ?? null;
  const scan = address === order.address ? firstScan : await scanAt(address);
  return { hosts, servers, scan };
}

function newIncident(order: Order, parts: EvacuationParts, servers: Servers): Incident {
  const affected = servers.servers.filter((server) => server.host === order.dead);
  return {
    version: 1,
    id: order.incident,
    dead: order.dead,
    spare: order.spare,
    method: parts.method.name,
    openedAtMs: parts.clock.nowMs(),
    judgedAtMs: order.judgedAtMs,
    evidence: [...order.evidence],
    acted: false,
    steps: [],
    instances: Object.fromEntries(affected.map((server) => [server.id, entryOf(server)])),
    endedAtMs: null,
  };
}

/** An instance whose resize or migration to the dead host ended after the incident was opened belongs to it too. */
function addLateArrivals(incident: Incident, servers: Servers): void {
  for (const server of servers.servers)
    if (server.host === incident.dead) incident.instances[server.id] ??= entryOf(server);
}

function workOf(
  incident: Incident,
  parts: EvacuationParts,
  hosts: Hosts,
  ownership: Ownership,
  signal: AbortSignal,
): Work {
  const find = (host: string) => {
    const found = hosts.hypervisors.find((h) => h.host === host);
    if (found === undefined) throw new Error(`${host} passed the checks but is no hypervisor`);
    return found;
  };
  return { ...parts, incident, ownership, signal, dead: find(incident.dead), spare: find(incident.spare) };
}

/** Notes and tells a step; a worker that continues finds most of them told already. */
async function step(incident: Incident, parts: EvacuationParts, text: string): Promise<void> {
  if (incident.steps.some((s) => s.step === text)) return;
  incident.steps.push({ atMs: parts.clock.nowMs(), step: text });
  const { id, dead, spare } = incident;
  await parts.say({ kind: 'evacuation-step', incident: id, dead, spare, step: text });
}

async function end(incident: Incident, ownership: Ownership, clock: Clock): Promise<void> {
  incident.endedAtMs = clock.nowMs();
  await ownership.end(incident);
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
function abandoned(
  order: Order,
  open: Incident | null,
  outcome: 'superseded' | 'handed-back',
  startedAtMs: number,
  parts: EvacuationParts,
): EvacuationReport {
  return {
    incident: order.incident,
    dead: order.dead,
    spare: order.spare,
    outcome,
    refusal: null,
    acted: open?.acted ?? false,
    instances: open === null ? [] : reports(open),
    tookMs: parts.clock.nowMs() - startedAtMs,
  };
}
