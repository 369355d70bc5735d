// What Nova made of one instance so far: the look before every request. Pure. The rule that keeps instances whole: a
// second evacuate for an instance that is being rebuilt wrecks it (both are accepted, it ends in ERROR with its port on
// the wrong host), so whatever might be under way counts as under way.

import type { Server } from '../../../shared/documents/inventory.ts';
import { mostOfWords, quoted } from '../../../shared/ground/plain.ts';
import { timings } from '../../../shared/ground/timings.ts';
import type { MigrationRecord, PortBinding } from '../../cloud/cloud.ts';
import type { JournalEntry } from '../journal/journal.ts';
import {
  isEvacuationOf,
  isHistory,
  isRebuilding,
  isUnfinished,
  migrationText,
  perhapsThereText,
  taskText,
} from './under-way.ts';

export type InstanceProgress =
  /** On the dead host and nothing under way: may be asked for. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'under-way'; readonly detail: string }
  /** At its target, but not yet as it must be. */
  | { readonly kind: 'settling'; readonly at: string; readonly detail: string }
  | { readonly kind: 'back'; readonly at: string; readonly status: string }
  /**
   * Nova gave up on it; it may be asked for again. `at`: its host, when it is not the dead one. `isCertain`: no request
   * for it got as far as a target, so nothing of it runs there.
   */
  | { readonly kind: 'failed'; readonly at: string | null; readonly why: string; readonly isCertain: boolean }
  /** Nobody may ask for it: something of it is under way, or may run elsewhere, or it never ran. */
  | { readonly kind: 'left-alone'; readonly why: string }
  | { readonly kind: 'gone' }
  | { readonly kind: 'elsewhere'; readonly host: string };

export interface Seen {
  readonly entry: JournalEntry;
  readonly server: Server | null;
  /** Of this instance and of any type, newest first. */
  readonly migrations: readonly MigrationRecord[];
  /** Of this instance, where known; null: not asked for yet. */
  readonly ports: readonly PortBinding[] | null;
  readonly dead: string;
  /** Migrations older than this (cloud clock) are of an earlier recovery, unless still under way. */
  readonly sinceMs: number;
  /** The cloud's clock. */
  readonly nowMs: number;
  /** For how long this worker has looked for a trace of the last request, by a clock that nobody sets. */
  readonly lookedForMs: number;
}

/** A request that has no answer by then is given up, and one that did not leave by then never does. */
export const requestLimitMs = timings.evacuation.requestMs;
/**
 * A request whose answer was lost is taken for never received only when a worker saw no trace of it in Nova for this
 * long. Nova writes its trace (REBUILD, a migration) within milliseconds of handling a request, but one may lie
 * in the queue of a load balancer or of a busy nova-api, usually for a minute at most, after its sender gave up.
 */
export const lostRequestMs = timings.evacuation.lostMs;

const gaveUp = new Set(['failed', 'error']);
/** Nova's scheduler found no host. After `failed` something may run at the target: Nova does not clean up there. */
const neverLeft = 'error';
const arrived = new Set(['done', 'completed']);

/** Nova's number for a power state. */
const running = 1;

/**
 * Is it where it was to go, as far as its host tells? Where Nova's scheduler chose, any host but the dead one will do.
 */
export const mayHaveArrived = ({ target }: JournalEntry, dead: string, host: string | null): boolean =>
  host !== null && (target.kind === 'host' ? host === target.host : host !== dead);

export function progressOf(seen: Seen): InstanceProgress {
  const { server, entry, dead } = seen;
  if (server === null) return { kind: 'gone' };
  const isOurs = (record: MigrationRecord) =>
    isEvacuationOf(dead, record) && record.createdAtMs >= seen.sinceMs;
  const ours = seen.migrations.filter(isOurs);
  const records = seen.migrations.filter((m) => isOurs(m) || !isHistory(m, server, seen.nowMs));
  if (server.host === dead) return progressOnDeadHost(seen, server, records, ours);
  const at = server.host ?? 'no host';
  // Wherever the scheduler sends instances, another evacuation than ours leads there as well.
  const isSent = entry.target.kind === 'host' || (entry.attempts > 0 && ours.some((m) => m.target === at));
  const isThere = mayHaveArrived(entry, dead, server.host) && isSent;
  return isThere ? progressAtTarget(seen, server, records, at) : { kind: 'elsewhere', host: at };
}

function progressOnDeadHost(
  { entry, dead, lookedForMs }: Seen,
  server: Server,
  records: readonly MigrationRecord[],
  ours: readonly MigrationRecord[],
): InstanceProgress {
  const unfinished = records.filter(isUnfinished);
  const evacuation = unfinished.find((m) => isEvacuationOf(dead, m));
  if (evacuation) return { kind: 'under-way', detail: `migration ${evacuation.status}, ${stateOf(server)}` };
  const [other] = unfinished;
  if (other) return { kind: 'left-alone', why: migrationText(other) };
  const [newest] = ours;
  // Nova sets the host last: for a moment an instance reads ACTIVE on the dead host with its migration done, and a
  // stopped one is powered off meanwhile.
  if (newest && !gaveUp.has(newest.status))
    return { kind: 'under-way', detail: `migration ${newest.status}` };
  const isUntraced = lacksTrace(entry, ours) && (entry.state === 'asking' || entry.state === 'asked');
  if (isUntraced && lookedForMs < lostRequestMs)
    return { kind: 'under-way', detail: 'asked for, no trace of it in Nova yet' };
  // Nova ends the record of an evacuation before it says so of the instance.
  if (newest && isRebuilding(server)) return { kind: 'under-way', detail: stateOf(server) };
  if (isRebuilding(server) || server.taskState !== null)
    return { kind: 'left-alone', why: taskText(server, dead) };
  const elsewhere = failedElsewhere(entry, dead, records);
  if (elsewhere) return { kind: 'left-alone', why: failedText(elsewhere, server) };
  if (isUntraced) return { kind: 'waiting' };
  if (newest && entry.attempts > 0) {
    const isCertain = ours.every((m) => m.status === neverLeft);
    const fault = faultText(server) ?? `Nova's migration ended as ${newest.status}`;
    const why = isCertain ? fault : `${fault}; ${perhapsThereText(newest.target)}`;
    return { kind: 'failed', at: null, why, isCertain };
  }
  return neverRan(entry) ? { kind: 'left-alone', why: neverRanText(entry) } : { kind: 'waiting' };
}

/**
 * Fewer migrations than requests: the last request left no trace (yet). Somebody else's evacuation to another host, which
 * Nova may have given up on at once, is no trace of one.
 */
function lacksTrace(entry: JournalEntry, ours: readonly MigrationRecord[]): boolean {
  const { target, attempts, attemptsElsewhere } = entry;
  if (target.kind !== 'host') return ours.length < attempts;
  return ours.filter((m) => m.target === target.host).length < attempts - attemptsElsewhere;
}

/**
 * An evacuation that failed after a target had begun with it, another one than it is to go to now. Nothing proves that
 * it does not run there.
 */
function failedElsewhere(
  { target }: JournalEntry,
  dead: string,
  records: readonly MigrationRecord[],
): MigrationRecord | undefined {
  const failed = records.filter((m) => isEvacuationOf(dead, m) && m.status === 'failed');
  return failed.find((m) => target.kind !== 'host' || m.target !== target.host);
}

const failedText = ({ target }: MigrationRecord, server: Server): string =>
  `an evacuation of it${target === null ? '' : ` to ${target}`} failed half-way${server.fault === null ? '' : ` (${faultText(server)})`}: ${perhapsThereText(target)}`;

/** Nova's own words, which hold names of projects, too. */
const faultText = ({ fault }: Server): string | null =>
  fault === null ? null : quoted(fault.slice(0, 2 * mostOfWords).replace(/\.$/, ''), mostOfWords);

/** In ERROR, and without a process when its host died: an evacuation would start what never ran. */
const neverRan = ({ attempts, before }: JournalEntry): boolean =>
  attempts === 0 && before.vmState === 'error' && before.powerState !== null && before.powerState !== running;

const neverRanText = ({ before }: JournalEntry): string =>
  `it was in ERROR and did not run (power state ${before.powerState})`;

function progressAtTarget(
  { entry, ports, sinceMs }: Seen,
  server: Server,
  records: readonly MigrationRecord[],
  at: string,
): InstanceProgress {
  const settling = (detail: string) => ({ kind: 'settling', at, detail }) as const;
  // An older one was history when it was asked for, and its launch since then is our own.
  if (records.some((m) => isUnfinished(m) && m.createdAtMs >= sinceMs))
    return { kind: 'under-way', detail: `on ${at}, ${stateOf(server)}` };
  if (server.taskState !== null) return settling(stateOf(server));
  if (server.status === 'ERROR')
    return { kind: 'failed', at, why: faultText(server) ?? `it is in ERROR on ${at}`, isCertain: false };
  if (entry.target.kind === 'scheduler' && !records.some((m) => m.target === at && arrived.has(m.status)))
    return settling(`no migration to ${at} is done`);
  if (ports === null) return settling('its ports were not looked at yet');
  const lacks = lacksAt(server, ports, expectedStatus(entry.before.vmState), at);
  return lacks === null ? { kind: 'back', at, status: server.status } : settling(lacks);
}

/** What an instance at its target is not yet as it must be, in words; null when it is. */
export function lacksAt(
  { status, powerState }: Server,
  ports: readonly PortBinding[],
  wanted: 'ACTIVE' | 'SHUTOFF',
  at: string,
): string | null {
  if (status !== wanted) return `${status}, not ${wanted}`;
  if ((powerState === running) !== (wanted === 'ACTIVE'))
    return `${status}, but its power state is ${powerState}`;
  const unbound = ports.find((port) => port.host !== at);
  if (unbound) return `its port ${unbound.id} is bound to ${unbound.host ?? 'no host'}`;
  // Nova calls this a success, but the guest has no network: the target's agent did not take the port.
  const failed = ports.find((port) => port.vifType === 'binding_failed' || port.vifType === 'unbound');
  if (failed) return `its port ${failed.id} is ${failed.vifType} on ${at}`;
  // A stopped one's may be DOWN, as may be one that somebody switched off.
  const dark = ports.find((port) => port.isSwitchedOn && port.status !== 'ACTIVE');
  return dark && wanted === 'ACTIVE' ? `its port ${dark.id} is ${dark.status} on ${at}` : null;
}

/** A stopped instance stays stopped; all others that Nova evacuates run afterwards, those in ERROR included. */
export function expectedStatus(vmStateBefore: string): 'ACTIVE' | 'SHUTOFF' {
  return vmStateBefore === 'stopped' ? 'SHUTOFF' : 'ACTIVE';
}

function stateOf(server: Server): string {
  return server.taskState === null ? server.status : `${server.status} (${server.taskState})`;
}
