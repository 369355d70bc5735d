// What Nova made of one instance so far: the look before every request. Pure. The rule that keeps instances whole: a
// second evacuate for an instance that is being rebuilt wrecks it (both are accepted, it ends in ERROR with its port on
// the wrong host), so whatever might be under way counts as under way.
import type { Server } from '../../../shared/documents/inventory.ts';
import { timings } from '../../../shared/ground/timings.ts';
import type { EvacuationMigration, PortBinding } from '../../cloud/cloud.ts';
import type { JournalEntry } from '../journal/journal.ts';

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
  | { readonly kind: 'gone' }
  | { readonly kind: 'elsewhere'; readonly host: string };

export interface Seen {
  readonly entry: JournalEntry;
  readonly server: Server | null;
  /** Of this instance, newest first. */
  readonly migrations: readonly EvacuationMigration[];
  /** Of this instance, where known; null: not asked for yet. */
  readonly ports: readonly PortBinding[] | null;
  readonly dead: string;
  /** Migrations older than this (cloud clock) are of an earlier recovery, unless still under way. */
  readonly sinceMs: number;
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

const underWay = new Set(['accepted', 'pre-migrating', 'preparing', 'running', 'queued', 'migrating']);
/** Nova may still carry this evacuation out. */
export const isUnderWay = (migration: EvacuationMigration): boolean => underWay.has(migration.status);

const gaveUp = new Set(['failed', 'error']);
/** Nova's scheduler found no host. After `failed` something may run at the target: Nova does not clean up there. */
const neverLeft = 'error';
const arrived = new Set(['done', 'completed']);

/**
 * Is it where it was to go, as far as its host tells? Where Nova's scheduler chose, any host but the dead one will do.
 */
export const mayHaveArrived = ({ target }: JournalEntry, dead: string, host: string | null): boolean =>
  host !== null && (target.kind === 'host' ? host === target.host : host !== dead);

export function progressOf(seen: Seen): InstanceProgress {
  const { server, entry, dead } = seen;
  if (server === null) return { kind: 'gone' };
  const ours = seen.migrations.filter((m) => m.createdAtMs >= seen.sinceMs);
  const open = seen.migrations.find(isUnderWay);
  if (server.host !== dead) {
    const at = server.host ?? 'no host';
    // Wherever the scheduler sends instances, another evacuation than ours leads there as well.
    const isOurs = entry.target.kind === 'host' || (entry.attempts > 0 && ours.some((m) => m.target === at));
    const isThere = mayHaveArrived(entry, dead, server.host) && isOurs;
    return isThere ? progressAtTarget(seen, server, at) : { kind: 'elsewhere', host: at };
  }
  if (open) return { kind: 'under-way', detail: `migration ${open.status}, ${stateOf(server)}` };
  if (server.status === 'REBUILD' || (server.taskState?.startsWith('rebuild') ?? false))
    return { kind: 'under-way', detail: stateOf(server) };
  const [newest] = ours;
  // Nova sets the host last: for some 70 ms an instance reads ACTIVE on the dead host with its migration done.
  if (newest && !gaveUp.has(newest.status))
    return { kind: 'under-way', detail: `migration ${newest.status}` };
  // Fewer migrations than requests: the last request left no trace (yet).
  if (ours.length < entry.attempts && (entry.state === 'asking' || entry.state === 'asked')) {
    if (seen.lookedForMs < lostRequestMs)
      return { kind: 'under-way', detail: 'asked for, no trace of it in Nova yet' };
    return { kind: 'waiting' };
  }
  if (newest && entry.attempts > 0) {
    const why = server.fault ?? `Nova's migration ended as ${newest.status}`;
    return { kind: 'failed', at: null, why, isCertain: ours.every((m) => m.status === neverLeft) };
  }
  return { kind: 'waiting' };
}

function progressAtTarget(seen: Seen, server: Server, at: string): InstanceProgress {
  const { entry, ports, migrations } = seen;
  const settling = (detail: string) => ({ kind: 'settling', at, detail }) as const;
  if (migrations.some(isUnderWay)) return { kind: 'under-way', detail: `on ${at}, ${stateOf(server)}` };
  if (server.taskState !== null) return settling(stateOf(server));
  const wanted = expectedStatus(entry.before.vmState);
  if (server.status === 'ERROR')
    return { kind: 'failed', at, why: server.fault ?? `it is in ERROR on ${at}`, isCertain: false };
  if (server.status !== wanted) return settling(`${server.status}, not ${wanted}`);
  if (entry.target.kind === 'scheduler' && !migrations.some((m) => m.target === at && arrived.has(m.status)))
    return settling(`no migration to ${at} is done`);
  if (ports === null) return settling('its ports were not looked at yet');
  const unbound = ports.find((port) => port.host !== at);
  if (unbound) return settling(`its port ${unbound.id} is bound to ${unbound.host ?? 'no host'}`);
  // Nova calls this a success, but the guest has no network: the target's agent did not take the port.
  const failed = ports.find((port) => port.vifType === 'binding_failed' || port.vifType === 'unbound');
  if (failed) return settling(`its port ${failed.id} is ${failed.vifType} on ${at}`);
  return { kind: 'back', at, status: server.status };
}

/** A stopped instance stays stopped; all others that Nova evacuates run afterwards, those in ERROR included. */
export function expectedStatus(vmStateBefore: string): 'ACTIVE' | 'SHUTOFF' {
  return vmStateBefore === 'stopped' ? 'SHUTOFF' : 'ACTIVE';
}

function stateOf(server: Server): string {
  return server.taskState === null ? server.status : `${server.status} (${server.taskState})`;
}
