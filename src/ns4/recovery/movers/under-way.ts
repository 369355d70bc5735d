// What somebody else does to an instance, or began and left: a migration, a task, a rebuild its evacuation failed in.
// Pure. Whatever might be under way counts as under way: such an instance is left alone, and named with the place to
// look, as a copy of it may run there (a live migration that was switched over, a rebuild that failed after its start).
import type { Server } from '../../../shared/documents/inventory.ts';
import type { MigrationRecord } from '../../cloud/cloud.ts';

/** Nova's words for a migration that is over, of every type. Any other word counts as under way. */
const over = new Set([
  ...['done', 'completed', 'failed', 'error', 'cancelled'],
  ...['finished', 'confirmed', 'reverted'],
]);

export const isUnfinished = ({ status }: Pick<MigrationRecord, 'status'>): boolean => !over.has(status);

/** Nova carries it out, or may yet do so: an evacuation away from this host. */
export const isEvacuationOf = (dead: string, { type, source }: MigrationRecord): boolean =>
  type === 'evacuation' && source === dead;

/**
 * A rebuild saves the time of its launch, and names the new host only afterwards: its own record is older than that
 * launch. By then it is over.
 */
const launchingMs = 3_600_000;

/**
 * Was it left behind by something that is long over? The instance was launched anew after its status last changed, and
 * nothing of a rebuild shows. `nowMs`: by the cloud's clock.
 */
export function isHistory(record: MigrationRecord, server: Server, nowMs: number): boolean {
  const { launchedAtMs, status, taskState } = server;
  if (launchedAtMs === null || record.updatedAtMs >= launchedAtMs) return false;
  if (!isUnfinished(record)) return true;
  return nowMs - launchedAtMs > launchingMs && status !== 'REBUILD' && taskState === null;
}

/** Its status or task says that it is being built anew. */
export const isRebuilding = ({ status, taskState }: Server): boolean =>
  status === 'REBUILD' || (taskState?.startsWith('rebuild') ?? false);

/** Why it is left alone: the migration, in words. */
export function migrationText({ type, source, target, status }: MigrationRecord): string {
  const what = migrationWords[type] ?? `moved (${type})`;
  const where = target ?? 'a host that Nova does not name';
  const from = source === null ? '' : ` from ${source}`;
  return `it is being ${what}${from} to ${where} (${status}): it may run there, look there (virsh list)`;
}

const migrationWords: Readonly<Record<string, string>> = {
  'live-migration': 'live-migrated',
  migration: 'migrated',
  resize: 'resized',
  evacuation: 'evacuated',
};

/** Why it is left alone: the task, in words. `dead`: the host that it is on. */
export function taskText(server: Server, dead: string): string {
  const task = server.taskState ?? server.status;
  if (task === 'migrating')
    return 'it is being live-migrated, and no record says where to: look for it on the other hosts (virsh list)';
  if (task === 'deleting') return 'it is being deleted (deleting)';
  if (isRebuilding(server))
    return `somebody ordered its rebuild (${task}), which is no evacuation: ${dead} may carry it out when it returns`;
  return `somebody ordered something (${task}) that ${dead} may carry out when it returns`;
}

/** Why it goes nowhere else: what it may run on, in words. */
export const perhapsThereText = (target: string | null): string =>
  target === null
    ? 'it may run somewhere: look for it on the other hosts (virsh list)'
    : `it may run on ${target}: look there (virsh list)`;
