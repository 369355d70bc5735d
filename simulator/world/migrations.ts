// Nova's migration records, and what moves an instance besides an evacuation: live migration, cold migration, a rebuild
// that its user orders. A host that dies in the midst of one leaves it as it is then: nobody ends it.

import { bindWithRebuild } from './binding.ts';
import { tellCompute } from './messaging.ts';
import type { Host, Instance, Migration, MigrationStatus } from './model.ts';
import { ApiRefusal } from './refusal.ts';
import { computeWorks } from './reports.ts';
import type { World } from './world.ts';

/** A live migration or a cold one takes so long in all. */
const migrationMs = 20_000;
/** libvirt has switched over to the target, and the source's nova-compute tidies up before Nova names the target. */
const tidyingMs = 10_000;
const rebuildMs = 5_000;

/** Writes a new record down, `accepted`. */
export function recordMigration(
  world: World,
  instance: Instance,
  what: Pick<Migration, 'type' | 'source' | 'sourceNode' | 'target'>,
): Migration {
  const number = world.migrations.length + 1;
  const migration: Migration = {
    ...what,
    number,
    id: world.chance.newId('migration', String(number)),
    instance,
    status: 'accepted',
    createdAtMs: world.cloudNowMs,
    updatedAtMs: world.cloudNowMs,
  };
  world.migrations.push(migration);
  return migration;
}

/**
 * An operator migrates a running instance. Towards the end it runs on the target while Nova still has it on its source:
 * what a source that dies then leaves is an instance in `migrating` that runs elsewhere.
 */
export function liveMigrate(world: World, instance: Instance, target: Host): void {
  const { source, migration } = begin(world, instance, target, 'live-migration', 'migrating');
  const life = source.computeLife;
  mark(world, migration, 'running');
  const isLost = () => instance.deleted || source.computeLife !== life || instance.taskState !== 'migrating';
  world.after(migrationMs - tidyingMs, () => {
    if (isLost() || !target.powered || !instance.runningOn.has(source.name)) return;
    // One process ends in the moment in which the other one begins.
    instance.runningOn.delete(source.name);
    instance.runningOn.add(target.name);
    world.tell(`${instance.name} is switched over to ${target.name}`);
    world.onPresence();
    world.after(tidyingMs, () => {
      if (isLost()) return;
      arrive(world, instance, target);
      mark(world, migration, 'completed');
    });
  });
}

/** An operator migrates an instance cold: it stands still, and is started on the target. */
export function coldMigrate(world: World, instance: Instance, target: Host): void {
  const { source, migration } = begin(world, instance, target, 'migration', 'resize_migrating');
  const life = source.computeLife;
  const wasRunning = instance.runningOn.delete(source.name);
  mark(world, migration, 'migrating');
  world.onPresence();
  world.after(migrationMs, () => {
    if (instance.deleted || source.computeLife !== life || !computeWorks(world, target)) return;
    if (wasRunning) instance.runningOn.add(target.name);
    instance.launchedAtMs = world.cloudNowMs;
    arrive(world, instance, target);
    mark(world, migration, 'confirmed');
  });
}

/** Its user has it built anew where it is. There is no migration record; a dead nova-compute never does it. */
export function rebuildInPlace(world: World, instance: Instance): void {
  const host = world.host(instance.host ?? '');
  if (instance.taskState !== null)
    throw new ApiRefusal(409, `Cannot 'rebuild' instance ${instance.id} while it is in task_state`);
  instance.taskState = 'rebuilding';
  instance.updatedAtMs = world.cloudNowMs;
  tellCompute(world, host, () => {
    const life = host.computeLife;
    world.after(rebuildMs, () => {
      if (instance.deleted || host.computeLife !== life || instance.host !== host.name) return;
      if (instance.taskState !== 'rebuilding') return;
      instance.taskState = null;
      instance.launchedAtMs = world.cloudNowMs;
      instance.updatedAtMs = world.cloudNowMs;
    });
  });
}

/** A record of long ago that nobody ever ended, as a message that was lost leaves it. */
export function leaveStaleRecord(
  world: World,
  instance: Instance,
  what: Pick<Migration, 'type' | 'target' | 'status'> & { readonly agoMs: number },
): void {
  const { type, target, status, agoMs } = what;
  const source = instance.host ?? '';
  const migration = recordMigration(world, instance, { type, source, sourceNode: source, target });
  const atMs = world.cloudNowMs - agoMs;
  world.migrations.splice(world.migrations.indexOf(migration), 1);
  world.migrations.unshift({ ...migration, status, createdAtMs: atMs, updatedAtMs: atMs });
}

function begin(
  world: World,
  instance: Instance,
  target: Host,
  type: Migration['type'],
  task: string,
): { readonly source: Host; readonly migration: Migration } {
  const source = world.host(instance.host ?? '');
  if (instance.taskState !== null || !computeWorks(world, source))
    throw new ApiRefusal(409, `Instance ${instance.id} cannot be migrated now`);
  instance.taskState = task;
  instance.updatedAtMs = world.cloudNowMs;
  const { name, hypervisorName } = source;
  const what = { type, source: name, sourceNode: hypervisorName, target: target.name };
  return { source, migration: recordMigration(world, instance, what) };
}

function mark(world: World, migration: Migration, status: MigrationStatus): void {
  migration.status = status;
  migration.updatedAtMs = world.cloudNowMs;
}

/** Nova names the target. */
function arrive(world: World, instance: Instance, target: Host): void {
  instance.host = target.name;
  instance.node = target.hypervisorName;
  instance.taskState = null;
  instance.updatedAtMs = world.cloudNowMs;
  bindWithRebuild(world, instance, target);
  world.version += 1;
  world.onPresence();
}
