// Making instances, and the one change of Nova's database that is made from outside.

import { trackResources } from './heartbeats.ts';
import type { EvacuationTrouble, Flavor, Host, Instance, Port, VmState } from './model.ts';
import { startGuest } from './physics.ts';
import { newId, type World } from './world.ts';

/** How an instance is to be; everything has a default. */
export interface BootOptions {
  /** Name of its network; default the external one. */
  readonly network?: string;
  /** Give it a floating address besides; useful on a private network. */
  readonly floating?: boolean;
  /** Shut off rather than running. */
  readonly stopped?: boolean;
  /** Any other state to begin with. */
  readonly vmState?: VmState;
  readonly locked?: boolean;
  /** Its address never answers (a firewall, no ssh). */
  readonly mute?: boolean;
  readonly project?: string;
  readonly flavor?: Partial<Flavor>;
  readonly metadata?: Readonly<Record<string, string>>;
  /** What its next evacuations shall suffer, in order. */
  readonly trouble?: readonly EvacuationTrouble[];
}

const guestsPerOctet = 250;

/** Creates an instance on a host at once. */
export function boot(world: World, name: string, host: Host, options: BootOptions): Instance {
  const number = world.bootedSoFar + 1;
  world.bootedSoFar = number;
  const id = newId();
  const vmState = options.stopped === true ? 'stopped' : (options.vmState ?? 'active');
  const port = makePort(world, id, number, host, options);
  const loopback = outsideAddress(world, number);
  const instance: Instance = {
    id,
    number,
    name,
    projectId: port.projectId,
    flavor: { name: 'small', vcpus: 1, memoryMb: 1024, diskGb: 10, ...options.flavor },
    network: port.network,
    fixedAddress: port.address,
    floatingAddress: options.floating === true ? loopback : null,
    port,
    createdAtMs: world.now(),
    updatedAtMs: world.now(),
    metadata: options.metadata ?? {},
    host: vmState === 'shelved_offloaded' ? null : host.host,
    node: vmState === 'shelved_offloaded' ? null : host.name,
    vmState,
    taskState: vmState === 'building' ? 'spawning' : null,
    powerState: powerStates[vmState],
    locked: options.locked ?? false,
    fault: null,
    runningOn: new Set(),
    everTwoWriters: false,
    silenced: options.mute ?? false,
    evacuationsStarted: 0,
    evacuationsCompleted: 0,
    trouble: [...(options.trouble ?? [])],
  };
  world.instances.set(id, instance);
  if (instance.host !== null) {
    const { vcpus, memoryMb } = instance.flavor;
    world.placement.add(id, host.id, { MEMORY_MB: memoryMb, VCPU: vcpus }, instance);
    trackResources(world, host);
  }
  if (['active', 'paused', 'rescued'].includes(vmState)) startGuest(world, instance, host.host);
  return instance;
}

const powerStates: Readonly<Record<VmState, number>> = {
  active: 1,
  stopped: 4,
  paused: 3,
  suspended: 4,
  rescued: 1,
  building: 0,
  error: 0,
  shelved_offloaded: 4,
};

function outsideAddress(world: World, number: number): string {
  const octet = 2 + Math.floor((number - 1) / guestsPerOctet);
  return `127.${world.settings.block}.${octet}.${((number - 1) % guestsPerOctet) + 1}`;
}

function makePort(world: World, id: string, number: number, host: Host, options: BootOptions): Port {
  const network = world.networks.find((n) => n.name === (options.network ?? world.settings.externalNetwork));
  if (network === undefined) throw new Error(`no such network: ${options.network}`);
  const project = world.projects.find((p) => p.name === options.project) ?? world.projects[1];
  const inside = `10.10.${Math.floor(number / guestsPerOctet)}.${(number % guestsPerOctet) + 1}`;
  const mac = number.toString(16).padStart(6, '0').match(/../g) ?? [];
  return {
    id: newId(),
    instanceId: id,
    mac: `fa:16:3e:${mac.join(':')}`,
    address: network.external ? outsideAddress(world, number) : inside,
    network,
    projectId: project?.id ?? '',
    host: options.vmState === 'shelved_offloaded' ? null : host.host,
    vifType: options.vmState === 'shelved_offloaded' ? 'unbound' : 'ovs',
    status: options.vmState === 'shelved_offloaded' ? 'DOWN' : 'ACTIVE',
  };
}

/** The address of an instance that answers from here, if it has one: on the external network, or floating. */
export function reachableAddress(instance: Instance): string | null {
  return instance.network.external ? instance.fixedAddress : instance.floatingAddress;
}

/** UPDATE nova.instances SET host, node: the database method, behind Nova's back. Nothing else changes. */
export function rewriteHost(world: World, instance: Instance, host: string, node: string): void {
  instance.host = host;
  instance.node = node;
  instance.updatedAtMs = world.now();
}
