// The world as a test asserts on it: plain data, a copy.
import { canBind, isServiceUp } from './reports.ts';
import { serverStatus } from './status.ts';
import type { World } from './world.ts';

export interface ServerSnapshot {
  readonly id: string;
  readonly name: string;
  readonly host: string | null;
  readonly node: string | null;
  readonly status: string;
  readonly vmState: string;
  readonly taskState: string | null;
  readonly powerState: number;
  readonly locked: boolean;
  readonly fault: string | null;
  readonly ports: readonly { id: string; host: string | null; vifType: string; status: string }[];
  readonly evacuationsStarted: number;
  readonly evacuationsCompleted: number;
  /** Hosts with a process that has the instance's disk open, as it is in truth. */
  readonly runningOn: readonly string[];
  /** Was there ever a moment with two processes able to write? */
  readonly everTwoWriters: boolean;
  /** Hosts Placement books it on. */
  readonly allocatedOn: readonly string[];
}

interface HostSnapshot {
  readonly host: string;
  readonly name: string;
  readonly address: string | null;
  readonly powered: boolean;
  readonly state: 'up' | 'down';
  readonly status: 'enabled' | 'disabled';
  readonly disabledReason: string | null;
  readonly forcedDown: boolean;
  readonly agentAlive: boolean;
}

export interface Snapshot {
  readonly hosts: Readonly<Record<string, HostSnapshot>>;
  /** By name; names are expected to differ within a test. */
  readonly servers: Readonly<Record<string, ServerSnapshot>>;
  readonly migrations: readonly {
    readonly id: string;
    readonly server: string;
    readonly source: string;
    readonly target: string | null;
    readonly status: string;
  }[];
}

/** Copies the world's state. */
export function takeSnapshot(world: World): Snapshot {
  const servers = world.instances.map((instance): [string, ServerSnapshot] => {
    const { id, name, host, node, vmState, taskState, powerState, locked, port } = instance;
    const providers = [...(world.placement.consumers.get(id)?.allocations.keys() ?? [])];
    return [
      name,
      {
        id,
        name,
        host,
        node,
        vmState,
        taskState,
        powerState,
        locked,
        status: serverStatus(instance),
        fault: instance.fault?.message ?? null,
        ports: [{ id: port.id, host: port.host, vifType: port.vifType, status: port.status }],
        evacuationsStarted: instance.evacuationsStarted,
        evacuationsCompleted: instance.evacuationsCompleted,
        runningOn: [...instance.runningOn].sort(),
        everTwoWriters: instance.everTwoWriters,
        allocatedOn: [...world.hosts.values()].filter((h) => providers.includes(h.id)).map((h) => h.name),
      },
    ];
  });
  const hosts = [...world.hosts.values()].map((host): [string, HostSnapshot] => [
    host.name,
    {
      host: host.name,
      name: host.hypervisorName,
      address: host.address,
      powered: host.powered,
      state: isServiceUp(world, host) ? 'up' : 'down',
      status: host.disabled ? 'disabled' : 'enabled',
      disabledReason: host.disabledReason,
      forcedDown: host.forcedDown,
      agentAlive: canBind(world, host),
    },
  ]);
  const migrations = world.migrations.map(({ id, source, target, status, instance }) => ({
    id,
    source,
    target,
    status,
    server: instance.deleted ? instance.id : instance.name,
  }));
  return { hosts: Object.fromEntries(hosts), servers: Object.fromEntries(servers), migrations };
}
