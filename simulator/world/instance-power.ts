// An instance's own power: reboot, stop, start, pause and their like: the state checks Nova makes, and the state each
// ends in.
import { tellCompute } from './messaging.ts';
import type { Host, Instance, VmState } from './model.ts';
import { endGuest, startGuest } from './physics.ts';
import { ApiRefusal } from './refusal.ts';
import type { World } from './world.ts';

interface PowerAction {
  readonly from: readonly VmState[];
  readonly task: string;
  readonly to: VmState;
  readonly powerState: number;
}

/** The simple actions by their name in the API. */
const powerActions: Readonly<Record<string, PowerAction>> = {
  'os-stop': { from: ['active', 'error'], task: 'powering-off', to: 'stopped', powerState: 4 },
  'os-start': { from: ['stopped'], task: 'powering-on', to: 'active', powerState: 1 },
  pause: { from: ['active'], task: 'pausing', to: 'paused', powerState: 3 },
  unpause: { from: ['paused'], task: 'unpausing', to: 'active', powerState: 1 },
  suspend: { from: ['active'], task: 'suspending', to: 'suspended', powerState: 4 },
  resume: { from: ['suspended'], task: 'resuming', to: 'active', powerState: 1 },
};

/** Is this a name of a simple power action? */
export function isPowerAction(action: string): boolean {
  return Object.hasOwn(powerActions, action);
}

/** Begins a power action, or throws Nova's 409. */
export function changePower(world: World, instance: Instance, action: string): void {
  const rule = powerActions[action];
  if (rule === undefined) throw new ApiRefusal(400, `There is no such action: ${action}`);
  const word = action.replace('os-', '');
  demandState(instance, word, rule.from, [null]);
  run(world, instance, rule.task, world.settings.durations.powerChangeMs, (host) => {
    instance.vmState = rule.to;
    instance.powerState = rule.powerState;
    if (rule.to === 'stopped' || rule.to === 'suspended') endGuest(world, instance, host);
    else startGuest(world, instance, host);
  });
}

/** Begins a reboot, or throws Nova's 409. A hard one starts the instance on whatever host Nova has it on by then. */
export function reboot(world: World, instance: Instance, type: 'HARD' | 'SOFT'): void {
  const hard = type === 'HARD';
  const from: VmState[] = hard ? ['active', 'stopped', 'paused', 'suspended', 'error'] : ['active'];
  demandState(instance, 'reboot', from, hard ? [null, 'rebooting', 'rebooting_hard'] : [null]);
  // After its row was rewritten this is what starts it elsewhere.
  if (instance.movedFrom !== null)
    world.listener.evacuationTaken(instance, instance.host ?? 'no host', false);
  run(
    world,
    instance,
    hard ? 'rebooting_hard' : 'rebooting',
    world.settings.durations.hardRebootMs,
    (host) => {
      instance.vmState = 'active';
      instance.powerState = 1;
      instance.fault = null;
      startGuest(world, instance, host);
    },
  );
}

function demandState(
  instance: Instance,
  action: string,
  from: readonly VmState[],
  tasks: readonly (string | null)[],
): void {
  const sentence = `Cannot '${action}' instance ${instance.id} while it is in`;
  if (!from.includes(instance.vmState)) {
    throw new ApiRefusal(409, `${sentence} vm_state ${instance.vmState}`);
  }
  if (!tasks.includes(instance.taskState)) {
    throw new ApiRefusal(409, `${sentence} task_state ${instance.taskState}`);
  }
}

/** Sends the work to the instance's nova-compute; for a dead one it waits, and the task state stays. */
function run(
  world: World,
  instance: Instance,
  task: string,
  ms: number,
  finish: (host: string) => void,
): void {
  if (instance.host === null) throw new ApiRefusal(409, `Instance ${instance.id} is not ready`);
  const host = world.host(instance.host);
  instance.taskState = task;
  instance.updatedAtMs = world.cloudNowMs;
  const work = (): void => {
    const life = host.computeLife;
    world.after(ms, () => {
      const isItsOwn = instance.host === host.name && instance.taskState === task;
      if (host.computeLife !== life) {
        // One that ended in the midst of it takes it up again at its start.
        if (isItsOwn) tellCompute(world, host, work);
        return;
      }
      if (!isItsOwn) return carryOutBlindly(world, instance, task, host);
      instance.taskState = null;
      finish(host.name);
      instance.updatedAtMs = world.cloudNowMs;
    });
  };
  tellCompute(world, host, work);
}

/**
 * Moved or taken up by somebody else while the order lay in its queue. Nova drops it by its task state
 * (UnexpectedTaskStateError), never by its host: a reboot before anything is done, a start when it has switched the
 * instance on (compute/manager.py, start_instance). Nobody ends what runs there.
 */
function carryOutBlindly(world: World, instance: Instance, task: string, host: Host): void {
  const isDone = task === 'powering-on' || (task === 'rebooting_hard' && instance.taskState === task);
  if (!isDone || instance.deleted || instance.runningOn.has(host.name)) return;
  world.tell(`${host.name} carries out an old order, which starts ${instance.name}`);
  startGuest(world, instance, host.name);
  world.onPresence();
}
