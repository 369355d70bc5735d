// Evacuation as Nova does it: which requests it refuses at once, what its scheduler says 0.4 s later, and the course
// of the rebuild with the states a client sees by polling.
import { computeWorks, isAgentAlive, isServiceUp, trackResources } from './heartbeats.ts';
import { tellCompute, tellConductor } from './messaging.ts';
import type { Host, Instance, Migration, VmState } from './model.ts';
import { startGuest } from './physics.ts';
import { ApiRefusal } from './refusal.ts';
import { newId, type World } from './world.ts';

const evacuableStates: readonly VmState[] = ['active', 'stopped', 'error'];

/** One evacuation under way. */
interface Course {
  readonly world: World;
  readonly instance: Instance;
  readonly migration: Migration;
  /** How the instance was before: a stopped one stays stopped. */
  readonly stopped: boolean;
  /** Another evacuation of the same instance was under way already: this one wrecks it. */
  readonly second: boolean;
}

/** Takes an evacuate request, or throws Nova's refusal; what follows happens in the background. */
export function evacuate(world: World, instance: Instance, target: string | null, force: boolean): void {
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
  const course = begin(world, instance, instance.host, instance.node, target);
  tellConductor(world, () => {
    world.after(world.settings.durations.scheduleMs, () => schedule(course, target, force));
  });
}

function begin(
  world: World,
  instance: Instance,
  source: string,
  sourceNode: string,
  target: string | null,
): Course {
  const second = world.migrations.some(
    (m) => m.instanceId === instance.id && ['accepted', 'pre-migrating'].includes(m.status),
  );
  const migration: Migration = {
    number: world.migrations.length + 1,
    id: newId(),
    instanceId: instance.id,
    projectId: instance.projectId,
    source,
    sourceNode,
    target,
    status: 'accepted',
    createdAtMs: world.now(),
    updatedAtMs: world.now(),
  };
  world.migrations.push(migration);
  instance.evacuationsStarted += 1;
  instance.taskState = 'rebuilding';
  instance.updatedAtMs = world.now();
  return { world, instance, migration, stopped: instance.vmState === 'stopped', second };
}

function mark(course: Course, status: Migration['status']): void {
  course.migration.status = status;
  course.migration.updatedAtMs = course.world.now();
  course.instance.updatedAtMs = course.world.now();
}

function schedule(course: Course, target: string | null, force: boolean): void {
  const { world, instance, migration } = course;
  if (force && target !== null && !isServiceUp(world, world.host(target))) {
    // Forced onto a host that is down: nothing happens and nobody is told but the migration record.
    mark(course, 'error');
    instance.taskState = null;
    return;
  }
  const choice = choose(course, target, force);
  if (typeof choice === 'string') return fail(course, choice);
  migration.target = choice.host;
  const { vcpus, memoryMb } = instance.flavor;
  // Booked beside the old allocation, which stays until the source's nova-compute cleans up.
  world.placement.add(instance.id, choice.id, { VCPU: vcpus, MEMORY_MB: memoryMb }, instance);
  tellCompute(world, choice, () => rebuild(course, choice));
}

/** The scheduler: a host, or its words for having none. */
function choose(course: Course, target: string | null, force: boolean): Host | string {
  const { world, instance } = course;
  if (target !== null && force) return world.host(target);
  const asked = target === null ? [...world.hosts.values()] : [world.host(target)];
  // A disabled host is filtered out by Placement, a dead one by a filter of the scheduler: two messages.
  const enabled = asked.filter((h) => !h.disabled && !h.disabledTrait && h.host !== instance.host);
  if (enabled.length === 0) return 'No valid host was found. ';
  const fit = enabled.find((h) => isServiceUp(world, h) && hasRoom(world, h, instance));
  return fit ?? 'No valid host was found. There are not enough hosts available.';
}

function hasRoom(world: World, host: Host, instance: Instance): boolean {
  const there = world.instancesOn(host.host);
  const memoryMb = there.reduce((sum, other) => sum + other.flavor.memoryMb, instance.flavor.memoryMb);
  return memoryMb <= host.memoryMb;
}

function fail(course: Course, message: string): void {
  const { world, instance } = course;
  mark(course, 'error');
  instance.vmState = 'error';
  instance.taskState = null;
  instance.fault = { code: 500, message, atMs: world.now() };
}

function rebuild(course: Course, host: Host): void {
  const { world, instance } = course;
  const { rebuildMs } = world.settings.durations;
  mark(course, 'pre-migrating');
  const trouble = instance.trouble.shift();
  world.after(rebuildMs / 2, () => {
    instance.taskState = 'rebuild_block_device_mapping';
    if (trouble === 'sticks') return;
    world.after(rebuildMs / 2, () => {
      // A target that died meanwhile takes the work with it: the instance stays in REBUILD.
      if (!computeWorks(world, host)) return;
      if (trouble === 'fails') {
        mark(course, 'failed');
        instance.vmState = 'error';
        instance.taskState = null;
        instance.fault = {
          code: 500,
          message: 'Build of instance was aborted by the simulator',
          atMs: world.now(),
        };
      } else if (course.second) wreck(course, host);
      else arrive(course, host);
    });
  });
}

function arrive(course: Course, host: Host): void {
  const { world, instance } = course;
  bindWithRebuild(world, instance, host);
  instance.vmState = course.stopped ? 'stopped' : 'active';
  instance.powerState = course.stopped ? 4 : 1;
  instance.taskState = null;
  if (!course.stopped) startGuest(world, instance, host.host);
  // For a moment the instance reads ACTIVE with its old host.
  world.after(world.settings.durations.oldHostShownMs, () => {
    instance.host = host.host;
    instance.node = host.name;
    instance.fault = null;
    instance.evacuationsCompleted += 1;
    mark(course, 'done');
    world.presenceChanged();
  });
}

function bindWithRebuild(world: World, instance: Instance, host: Host): void {
  const { port } = instance;
  port.host = host.host;
  // Nova calls it a success even when Neutron could not bind the port for want of a living agent.
  port.vifType = isAgentAlive(world, host) ? 'ovs' : 'binding_failed';
  port.status = port.vifType === 'ovs' ? 'ACTIVE' : 'DOWN';
}

/** The second of two evacuations: the disk is open on two targets, the port hangs between them. */
function wreck(course: Course, host: Host): void {
  const { world, instance } = course;
  mark(course, 'failed');
  instance.vmState = 'error';
  instance.taskState = 'rebuild_block_device_mapping';
  instance.fault = { code: 500, message: 'Rebuild was overtaken by another one', atMs: world.now() };
  instance.port.host = host.host;
  instance.port.status = 'BUILD';
  if (!course.stopped) startGuest(world, instance, host.host);
}

/**
 * What a nova-compute does about evacuations when it has been restarted: it destroys what it still runs of instances
 * that were taken away, gives back their allocations and closes the records.
 */
export function cleanUpAfterEvacuations(world: World, host: Host): void {
  for (const migration of world.migrations) {
    if (migration.source !== host.host || migration.status !== 'done') continue;
    const instance = world.instances.get(migration.instanceId);
    if (instance !== undefined && instance.host !== host.host) {
      instance.runningOn.delete(host.host);
      world.placement.remove(instance.id, host.id);
    }
    migration.status = 'completed';
    migration.updatedAtMs = world.now();
  }
  trackResources(world, host);
  world.presenceChanged();
}
