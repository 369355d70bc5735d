// Which instances can speak for the host that Nova has them on, by what they are doing. Pure; the monitor and ns4 ask
// alike.

import { externalAddresses, type Server } from '../documents/inventory.ts';
import type { ScanTarget } from '../documents/jobs/scan.ts';
import { quoted } from '../ground/plain.ts';

/** States of a guest that runs, so that it could answer: Nova's vm_state. ERROR ones may never have run. */
const runningStates: ReadonlySet<string> = new Set(['active', 'rescued', 'resized']);
/** Nova's power_state of a guest that its hypervisor runs. */
const powerRunning = 1;
const powerWords: Readonly<Record<number, string>> = {
  0: 'no power state',
  3: 'paused',
  4: 'shut down',
  6: 'crashed',
  7: 'suspended',
};

/** Tasks (Nova's task_state) with which an instance may run on another host than the one that Nova has it on. */
const movingTasks: ReadonlySet<string> = new Set([
  'migrating',
  'resize_migrating',
  'resize_migrated',
  'resize_finish',
  'resize_reverting',
  'rebuilding',
  'rebuild_block_device_mapping',
  'rebuild_spawning',
]);

/** What an instance can tell of its host. */
export interface Standing {
  /**
   * testifies: its answer and its silence; only-alive: its answer, as it may be silent for other reasons; nothing: it
   * may run elsewhere.
   */
  readonly tells: 'testifies' | 'only-alive' | 'nothing';
  /** Its name, quoted, with the reason when its silence says nothing: `"vm2" (stopped)`, `"vm3" (migrating)`. */
  readonly title: string;
}

type Doing = Pick<Server, 'name' | 'vmState' | 'taskState' | 'powerState'>;

export function standingOf({ name, vmState, taskState, powerState }: Doing): Standing {
  const named = (why: string) => `${quoted(name)} (${why})`;
  if (taskState !== null) {
    const tells = movingTasks.has(taskState) ? 'nothing' : 'only-alive';
    return { tells, title: named(taskState) };
  }
  if (!runningStates.has(vmState)) return { tells: 'only-alive', title: named(vmState) };
  if (powerState !== powerRunning)
    return { tells: 'only-alive', title: named(powerWords[powerState] ?? `power state ${powerState}`) };
  return { tells: 'testifies', title: quoted(name) };
}

/** An instance by its external addresses; what was heard there before its launch was not this guest. */
export function guestTarget(server: Server, ports: readonly number[]): ScanTarget {
  const { id: name, launchedAtMs } = server;
  return {
    name,
    kind: 'guest',
    endpoints: externalAddresses(server).flatMap(({ address }) => ports.map((port) => ({ address, port }))),
    ...(launchedAtMs === null ? {} : { heardSinceMs: launchedAtMs }),
  };
}

/** A network that an instance can be asked on. */
export interface GuestNetwork {
  readonly id: string;
  /** For people. */
  readonly name: string;
}

/** The networks of its external addresses, each once; of a floating one the network that it floats on. */
export function guestNetworks(server: Pick<Server, 'addresses'>): GuestNetwork[] {
  const names = new Map<string, string>();
  for (const { networkId, network } of externalAddresses(server))
    if (networkId !== null) names.set(networkId, network);
  return [...names].map(([id, name]) => ({ id, name }));
}
