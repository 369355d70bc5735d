// Evacuation as Nova does it: which requests it refuses at once, what its scheduler says a moment later, and the course
// of the rebuild with the states a client sees by polling.
import { bindWithRebuild } from './binding.ts';
import { tellCompute, tellConductor } from './messaging.ts';
import { recordMigration } from './migrations.ts';
import type { Evacuation, EvacuationTrouble, Host, Instance, Migration, VmState } from './model.ts';
import { copiesOf, endGuest, startGuest } from './physics.ts';
import { ApiRefusal } from './refusal.ts';
import { isServiceUp, track } from './reports.ts';
import type { World } from './world.ts';

const evacuableStates: readonly VmState[] = ['active', 'stopped', 'error'];

/** Takes an evacuate request, or throws Nova's refusal; what follows happens in the background. */
export function evacuate(world: World, instance: Instance, target: string | null, force = false): void {
  if (target !== null && !world.hosts.has(target)) {
    throw new ApiRefusal(404, `Compute host ${target} not found.`);
  }
  if (target !== null && target === instance.host)
    throw new ApiRefusal(400, "The target host can't be the same one.");
  // The task state is not checked: that is how a second evacuation of the same instance gets through.
  if (!evacuableStates.includes(instance.vmState) || instance.host === null || instance.node === null) {
    throw new ApiRefusal(
      409,
      `Cannot 'evacuate' instance ${instance.id} while it is in vm_state ${instance.vmState}`,
    );
  }
  if (isServiceUp(world, world.host(instance.host))) {
    throw new ApiRefusal(400, `Compute service of ${instance.host} is still in use.`);
  }
  const move = begin(world, instance, instance.host, instance.node, target);
  // Looked for in the cell of the instance, after its state and the record were saved: nothing undoes those.
  if (target !== null && world.host(target).cell !== world.host(instance.host).cell) {
    move.stuck = true;
    throw new ApiRefusal(500, `Unexpected API Error. ComputeHostNotFound: ${target}`);
  }
  world.listener.evacuationTaken(instance, target ?? 'any host', move.second);
  tellConductor(world, () => {
    world.after(world.settings.durations.scheduleMs, () => schedule(world, move, target, force));
  });
}

function begin(
  world: World,
  instance: Instance,
  source: string,
  sourceNode: string,
  target: string | null,
): Evacuation {
  const second = [...world.evacuations].some((move) => move.instance === instance);
  const migration = recordMigration(world, instance, { type: 'evacuation', source, sourceNode, target });
  instance.evacuationsStarted += 1;
  instance.taskState = 'rebuilding';
  instance.updatedAtMs = world.cloudNowMs;
  const move = { instance, migration, stopped: instance.vmState === 'stopped', second, stuck: false };
  world.evacuations.add(move);
  return move;
}

function mark(world: World, { instance, migration }: Evacuation, status: Migration['status']): void {
  migration.status = status;
  migration.updatedAtMs = world.cloudNowMs;
  instance.updatedAtMs = world.cloudNowMs;
}

/** It came to its end, whichever. */
function end(world: World, move: Evacuation, status: Migration['status']): void {
  world.evacuations.delete(move);
  world.version += 1;
  mark(world, move, status);
}

function schedule(world: World, move: Evacuation, target: string | null, force: boolean): void {
  const { instance, migration } = move;
  if (force && target !== null && !isServiceUp(world, world.host(target))) {
    // Forced onto a host that is down: nothing happens and nobody is told but the migration record.
    end(world, move, 'error');
    instance.taskState = null;
    return;
  }
  const choice = choose(world, move, target, force);
  if (typeof choice === 'string') return fail(world, move, 'error', choice);
  migration.target = choice.name;
  const { vcpus, memoryMb } = instance.flavor;
  // Booked beside the old allocation, which stays until the source's nova-compute cleans up.
  world.placement.add(instance.id, choice.id, { VCPU: vcpus, MEMORY_MB: memoryMb }, instance);
  if (world.isTended && !choice.powered) return lose(world, move, choice);
  tellCompute(world, choice, () => rebuild(world, move, choice));
}

/** The scheduler: a host, or its words for having none. */
function choose(
  world: World,
  { instance }: Evacuation,
  target: string | null,
  force: boolean,
): Host | string {
  if (target !== null && force) return world.host(target);
  const asked = target === null ? [...world.hosts.values()] : [world.host(target)];
  for (const host of asked) track(world, host);
  // A disabled host is filtered out by Placement, a dead one by a filter of the scheduler: two messages.
  const enabled = asked.filter((h) => !h.disabled && !h.disabledTrait && h.name !== instance.host);
  if (enabled.length === 0) return 'No valid host was found. ';
  const fit = enabled.find((h) => isServiceUp(world, h) && hasRoom(world, h, instance));
  return fit ?? 'No valid host was found. There are not enough hosts available.';
}

function hasRoom(world: World, host: Host, instance: Instance): boolean {
  const there = world.instancesOn(host.name);
  const memoryMb = there.reduce((sum, other) => sum + other.flavor.memoryMb, instance.flavor.memoryMb);
  return memoryMb <= host.memoryMb;
}

function fail(world: World, move: Evacuation, status: 'error' | 'failed', message: string): void {
  const { instance } = move;
  end(world, move, status);
  instance.vmState = 'error';
  instance.taskState = null;
  instance.fault = { code: 500, message, atMs: world.cloudNowMs };
  world.tell(`Nova gives up on ${instance.name}: ${message.trim()}`);
}

function rebuild(world: World, move: Evacuation, host: Host): void {
  const { instance } = move;
  const { rebuildMs, rebuildLeastMs = rebuildMs } = world.settings.durations;
  if (!world.evacuations.has(move)) return;
  mark(world, move, 'pre-migrating');
  const life = host.computeLife;
  const trouble = instance.trouble.shift() ?? world.mishap();
  if (trouble === 'sticks') {
    move.stuck = true;
    return world.tell(`Nova sticks in the rebuild of ${instance.name}`);
  }
  const tookMs = world.chance.between(rebuildLeastMs, rebuildMs);
  const halfMs = Math.floor(tookMs / 2);
  world.after(halfMs, () => {
    if (!world.evacuations.has(move)) return;
    instance.taskState = 'rebuild_block_device_mapping';
    world.after(tookMs - halfMs, () => {
      // A nova-compute that ended meanwhile takes the work with it: the instance stays in REBUILD.
      if (host.computeLife !== life) lose(world, move, host);
      else tellCompute(world, host, () => finish(world, move, host, life, trouble));
    });
  });
}

function finish(
  world: World,
  move: Evacuation,
  host: Host,
  life: number,
  trouble: EvacuationTrouble | null,
): void {
  const { instance } = move;
  if (!world.evacuations.has(move)) return;
  if (host.computeLife !== life) lose(world, move, host);
  // libvirt has it already: an earlier rebuild failed when its guest was started.
  else if (copiesOf(world, instance).includes(host.name))
    fail(world, move, 'failed', `Instance ${instance.id} already exists.`);
  else if (trouble === 'fails') fail(world, move, 'failed', 'Build of instance was aborted');
  else if (trouble === 'fails-running') {
    startGuest(world, instance, host.name);
    fail(world, move, 'failed', 'Timed out waiting for a reply to message ID of the conductor');
  } else if (move.second) wreck(world, move, host);
  else arrive(world, move, host);
}

function lose(world: World, move: Evacuation, host: Host): void {
  const { instance } = move;
  if (!world.evacuations.has(move)) return;
  if (world.isTended) return tend(world, move);
  move.stuck = true;
  world.tell(`${host.name} is lost with ${instance.name} half-way`);
}

function arrive(world: World, move: Evacuation, host: Host): void {
  const { instance } = move;
  if (instance.deleted) return end(world, move, 'error');
  startGuest(world, instance, host.name);
  bindWithRebuild(world, instance, host);
  instance.vmState = 'active';
  instance.powerState = 1;
  instance.taskState = move.stopped ? 'powering-off' : null;
  instance.launchedAtMs = world.cloudNowMs;
  world.version += 1;
  world.onPresence();
  if (move.stopped) stopAgain(world, move, host);
  else nameHost(world, move, host);
}

/** One that was stopped has been started like any other (compute/manager.py, rebuild_instance), and is stopped now. */
function stopAgain(world: World, move: Evacuation, host: Host): void {
  const { instance } = move;
  const life = host.computeLife;
  world.after(world.settings.durations.powerChangeMs, () => {
    if (!world.evacuations.has(move)) return;
    if (host.computeLife !== life) return lose(world, move, host);
    if (instance.deleted) return end(world, move, 'error');
    endGuest(world, instance, host.name);
    Object.assign(instance, { vmState: 'stopped', powerState: 4, taskState: null });
    nameHost(world, move, host);
  });
}

/** For a moment the instance reads ACTIVE, or SHUTOFF, with its old host. */
function nameHost(world: World, move: Evacuation, host: Host): void {
  const { instance } = move;
  world.after(world.settings.durations.oldHostShownMs, () => {
    instance.host = host.name;
    instance.node = host.hypervisorName;
    instance.fault = null;
    instance.evacuationsCompleted += 1;
    end(world, move, 'done');
  });
}

/** The second of two evacuations: the disk is open on two targets, the port hangs between them. */
function wreck(world: World, move: Evacuation, host: Host): void {
  const { instance } = move;
  end(world, move, 'failed');
  instance.vmState = 'error';
  instance.taskState = 'rebuild_block_device_mapping';
  instance.fault = { code: 500, message: 'Rebuild was overtaken by another one', atMs: world.cloudNowMs };
  instance.port.host = host.name;
  instance.port.status = 'BUILD';
  if (!move.stopped) startGuest(world, instance, host.name);
}

/** Somebody restarts what hangs, from now on: rebuilds that stick go on, or end in ERROR when their target is gone. */
export function unstick(world: World): void {
  world.isTended = true;
  for (const move of [...world.evacuations]) {
    const { target, source } = move.migration;
    // What was sent to another cell is undone by nobody.
    if (target !== null && world.host(target).cell !== world.host(source).cell) continue;
    const isLost = target !== null && !world.host(target).powered;
    if (move.stuck || isLost) tend(world, move);
  }
}

function tend(world: World, move: Evacuation): void {
  const host = world.host(move.migration.target ?? '');
  if (host.powered) arrive(world, move, host);
  else fail(world, move, 'error', 'its host is lost');
}

/**
 * What a nova-compute does about evacuations when it has been restarted: it destroys what it still runs of instances
 * that were taken away or are being so, gives back the allocations of those that are gone and closes their records.
 */
export function cleanUpAfterEvacuations(world: World, host: Host): void {
  for (const migration of world.migrations) {
    const { instance, status } = migration;
    if (migration.type !== 'evacuation' || migration.source !== host.name) continue;
    if (!['accepted', 'pre-migrating', 'done'].includes(status)) continue;
    if (instance.host !== host.name || status !== 'done') {
      instance.runningOn.delete(host.name);
      host.formerGuests.delete(instance);
    }
    if (status !== 'done') continue;
    if (!instance.deleted && instance.host !== host.name) world.placement.remove(instance.id, host.id);
    migration.status = 'completed';
    migration.updatedAtMs = world.cloudNowMs;
  }
}
