// What Nova made of one instance so far: the look before every request. Pure. The rule that keeps instances whole: a
// second evacuate for an instance that is being rebuilt wrecks it (both are accepted, it ends in ERROR with its port on
// the wrong host), so whatever might be under way counts as under way.
import type { Server } from '../../../shared/documents/inventory.ts';
import type { EvacuationMigration, PortBinding } from '../../cloud.ts';
import type { JournalEntry } from '../journal/journal.ts';

export type InstanceProgress =
  /** On the dead host and nothing under way: may be asked for. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'under-way'; readonly detail: string }
  /** On the spare, but not yet as it must be. */
  | { readonly kind: 'settling'; readonly detail: string }
  | { readonly kind: 'back'; readonly status: string }
  /** Nova gave up on it; it may be asked for again. */
  | { readonly kind: 'failed'; readonly why: string }
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
  readonly spare: string;
  /** Migrations older than this (cloud clock) are of an earlier recovery, unless still under way. */
  readonly sinceMs: number;
  /** For how long this worker has looked for a trace of the last request, by a clock that nobody sets. */
  readonly lookedForMs: number;
}

/** A request that has no answer by then is given up, and one that did not leave by then never does. */
export const requestLimitMs = 30_000;
/**
 * A request whose answer was lost is taken for never received only when a worker saw no trace of it in Nova for this
 * long. Nova writes its trace (REBUILD, a migration) within milliseconds of handling a request, but one may lie
 * in the queue of a load balancer or of a busy nova-api, usually for a minute at most, after its sender gave up.
 */
export const lostRequestMs = 120_000;

const underWay = new Set(['accepted', 'pre-migrating', 'preparing', 'running', 'queued', 'migrating']);
/** Nova may still carry this evacuation out. */
export const isUnderWay = (migration: EvacuationMigration): boolean => underWay.has(migration.status);

const gaveUp = new Set(['failed', 'error']);

export function progressOf(seen: Seen): InstanceProgress {
  const { server, entry, dead, spare } = seen;
  if (server === null) return { kind: 'gone' };
  if (server.host === spare) return progressOnSpare(seen, server);
  if (server.host !== dead) return { kind: 'elsewhere', host: server.host ?? 'no host' };

  const open = seen.migrations.find(isUnderWay);
  if (open) return { kind: 'under-way', detail: `migration ${open.status}, ${stateOf(server)}` };
  if (server.status === 'REBUILD' || (server.taskState?.startsWith('rebuild') ?? false))
    return { kind: 'under-way', detail: stateOf(server) };
  const ours = seen.migrations.filter((m) => m.createdAtMs >= seen.sinceMs);
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
  if (newest && entry.attempts > 0)
    return { kind: 'failed', why: server.fault ?? `Nova's migration ended as ${newest.status}` };
  return { kind: 'waiting' };
}

function progressOnSpare(seen: Seen, server: Server): InstanceProgress {
  const { entry, ports, spare } = seen;
  if (seen.migrations.some(isUnderWay))
    return { kind: 'under-way', detail: `on ${spare}, ${stateOf(server)}` };
  if (server.taskState !== null) return { kind: 'settling', detail: stateOf(server) };
  const wanted = expectedStatus(entry.before.vmState);
  if (server.status === 'ERROR') return { kind: 'failed', why: server.fault ?? `it is in ERROR on ${spare}` };
  if (server.status !== wanted) return { kind: 'settling', detail: `${server.status}, not ${wanted}` };
  if (ports === null) return { kind: 'settling', detail: 'its ports were not looked at yet' };
  const unbound = ports.find((port) => port.host !== spare);
  if (unbound)
    return { kind: 'settling', detail: `its port ${unbound.id} is bound to ${unbound.host ?? 'no host'}` };
  // Nova calls this a success, but the guest has no network: the spare's agent did not take the port.
  const failed = ports.find((port) => port.vifType === 'binding_failed' || port.vifType === 'unbound');
  if (failed) return { kind: 'settling', detail: `its port ${failed.id} is ${failed.vifType} on ${spare}` };
  return { kind: 'back', status: server.status };
}

/** A stopped instance stays stopped; all others that Nova evacuates run afterwards, those in ERROR included. */
export function expectedStatus(vmStateBefore: string): 'ACTIVE' | 'SHUTOFF' {
  return vmStateBefore === 'stopped' ? 'SHUTOFF' : 'ACTIVE';
}

function stateOf(server: Server): string {
  return server.taskState === null ? server.status : `${server.status} (${server.taskState})`;
}
