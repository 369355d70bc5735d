// Making instances, and taking them away.
import type { Address, EvacuationTrouble, Flavor, Host, Instance, Network, Port, VmState } from './model.ts';
import { endGuest } from './physics.ts';
import { computeWorks, trackNow } from './reports.ts';
import type { World } from './world.ts';

/** How an instance is to be; everything has a default. */
export interface BootOptions {
  /** Its network, or the name of one; default the external one. */
  readonly network?: string | Network;
  /** Give it a floating address besides; useful on a private network. */
  readonly floating?: boolean;
  /** Its addresses, instead of those that follow from the network. */
  readonly addresses?: readonly Address[];
  /** Shut off rather than running. */
  readonly stopped?: boolean;
  /** Any other state to begin with. */
  readonly vmState?: VmState;
  /** Nova's number for it, where it does not follow from the state: 1 for one in ERROR that ran. */
  readonly powerState?: number;
  /** How long ago Nova started it; default: just now. */
  readonly launchedAgoMs?: number;
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
export function boot(world: World, name: string, host: Host, options: BootOptions = {}): Instance {
  world.bootedSoFar += 1;
  const number = world.bootedSoFar;
  const id = world.chance.newId('server', name);
  const vmState = options.stopped === true ? 'stopped' : (options.vmState ?? 'active');
  const isPlaced = vmState !== 'shelved_offloaded';
  const port = makePort(world, { id, name, number }, isPlaced ? host : null, options);
  const instance: Instance = {
    id,
    number,
    name,
    projectId: port.projectId,
    flavor: { name: 'small', vcpus: 1, memoryMb: 1024, diskGb: 10, ...options.flavor },
    addresses: options.addresses ?? addressesOf(world, port, number, options),
    port,
    createdAtMs: world.cloudNowMs,
    updatedAtMs: world.cloudNowMs,
    launchedAtMs: neverRan(vmState, options) ? null : world.cloudNowMs - (options.launchedAgoMs ?? 0),
    metadata: options.metadata ?? {},
    host: isPlaced ? host.name : null,
    node: isPlaced ? host.hypervisorName : null,
    movedFrom: null,
    vmState,
    taskState: vmState === 'building' ? 'spawning' : null,
    powerState: options.powerState ?? powerStates[vmState],
    locked: options.locked ?? false,
    fault: null,
    deleted: false,
    runningOn: new Set(),
    startedMs: new Map(),
    everTwoWriters: false,
    mute: options.mute ?? false,
    evacuationsStarted: 0,
    evacuationsCompleted: 0,
    trouble: [...(options.trouble ?? [])],
  };
  world.add(instance);
  if (isPlaced) {
    const { vcpus, memoryMb } = instance.flavor;
    world.placement.add(id, host.id, { MEMORY_MB: memoryMb, VCPU: vcpus }, instance);
    trackNow(world, host);
  }
  if (host.powered && ['active', 'paused', 'rescued'].includes(vmState)) instance.runningOn.add(host.name);
  world.onPresence();
  return instance;
}

const neverRan = (vmState: VmState, { powerState = powerStates[vmState] }: BootOptions): boolean =>
  powerState === 0;

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

function makePort(
  world: World,
  { id, name, number }: Pick<Instance, 'id' | 'name' | 'number'>,
  host: Host | null,
  options: BootOptions,
): Port {
  const network = networkOf(world, options.network ?? world.settings.externalNetwork);
  const project = world.projects.find((p) => p.name === options.project) ?? world.projects[1];
  const mac = number.toString(16).padStart(6, '0').match(/../g) ?? [];
  return {
    id: world.chance.newId('port', name),
    instanceId: id,
    mac: `fa:16:3e:${mac.join(':')}`,
    address: fixedAddress(world, network, number),
    network,
    projectId: project?.id ?? '',
    host: host?.name ?? null,
    vifType: host === null ? 'unbound' : 'ovs',
    status: host === null ? 'DOWN' : 'ACTIVE',
  };
}

function networkOf(world: World, named: string | Network): Network {
  const network = typeof named === 'string' ? world.networks.find(({ name }) => name === named) : named;
  if (network === undefined) throw new Error(`no such network: ${named}`);
  return network;
}

function fixedAddress(world: World, network: Network, number: number): string {
  if (network.external) return world.settings.outsideAddress(number);
  return `10.10.${Math.floor(number / guestsPerOctet)}.${(number % guestsPerOctet) + 1}`;
}

function addressesOf(world: World, port: Port, number: number, options: BootOptions): Address[] {
  const on = { network: port.network.name, version: 4 } as const;
  const fixed: Address = { ...on, address: port.address, type: 'fixed' };
  if (options.floating !== true) return [fixed];
  return [fixed, { ...on, address: world.settings.outsideAddress(number), type: 'floating' }];
}

/** What the port of an instance has on its network, as Neutron knows it. */
export const fixedAddresses = ({ addresses, port }: Instance): Address[] =>
  addresses.filter(({ type, network }) => type === 'fixed' && network === port.network.name);

export const floatingAddresses = ({ addresses }: Instance): Address[] =>
  addresses.filter(({ type }) => type === 'floating');

/** Where floating addresses come from. */
export function floatingNetwork({ networks }: World): Network {
  const network = networks.find(({ external }) => external);
  if (network === undefined) throw new Error('no network is external');
  return network;
}

/** The address of an instance that answers from outside, if it has one: on an external network, or floating. */
export function reachableAddress(instance: Instance): string | null {
  const fixed = instance.port.network.external ? fixedAddresses(instance) : [];
  return [...fixed, ...floatingAddresses(instance)][0]?.address ?? null;
}

/** Deletes an instance: its nova-compute ends it; a dead one's instances vanish from the record only. */
export function remove(world: World, instance: Instance): void {
  if (instance.host !== null) {
    const host = world.host(instance.host);
    if (computeWorks(world, host)) endGuest(world, instance, host.name);
    world.placement.consumers.delete(instance.id);
  }
  world.forget(instance);
  world.onPresence();
}
