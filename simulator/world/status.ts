// Nova's one word for an instance's state, made of its vm state and task state.
import type { Instance, InstanceFault } from './model.ts';

/** Status words by task state while the vm state is what it says; otherwise the state's own word. */
const statusByTask: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  active: {
    rebooting: 'REBOOT',
    rebooting_hard: 'HARD_REBOOT',
    rebuilding: 'REBUILD',
    rebuild_block_device_mapping: 'REBUILD',
    migrating: 'MIGRATING',
    resize_migrating: 'RESIZE',
    resize_finish: 'RESIZE',
  },
  stopped: {
    resize_migrating: 'RESIZE',
    resize_finish: 'RESIZE',
    rebuilding: 'REBUILD',
    rebuild_block_device_mapping: 'REBUILD',
    rebooting_hard: 'HARD_REBOOT',
  },
  error: { rebuilding: 'REBUILD', rebooting_hard: 'HARD_REBOOT' },
};

const statusByState: Readonly<Record<Instance['vmState'], string>> = {
  active: 'ACTIVE',
  stopped: 'SHUTOFF',
  paused: 'PAUSED',
  suspended: 'SUSPENDED',
  rescued: 'RESCUE',
  building: 'BUILD',
  error: 'ERROR',
  shelved_offloaded: 'SHELVED_OFFLOADED',
};

/** The one word for an instance's state, from its vm state and task state as Nova makes it. */
export function serverStatus(instance: Pick<Instance, 'vmState' | 'taskState'>): string {
  return statusByTask[instance.vmState]?.[instance.taskState ?? ''] ?? statusByState[instance.vmState];
}

/** A fault is told of an instance in ERROR only. */
export function shownFault(instance: Instance): InstanceFault | null {
  return serverStatus(instance) === 'ERROR' ? instance.fault : null;
}
