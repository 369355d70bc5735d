// What a simulator can be told at its start, with defaults that follow the measurements on a real cloud.
import type { PortSet } from '../network/loopback-address.ts';
import { type Durations, measured, type WorldSettings } from '../world/options.ts';
import { ovnBinaries, useOvn } from '../world/ovn.ts';
import type { World } from '../world/world.ts';

/** How long the APIs take in their troubles, beside what takes time in the world. */
interface ApiDurations {
  /** After how long Nova, Neutron and Placement answer 503 when Keystone is away. */
  readonly keystoneAwayMs: number;
  /** After how long Nova's server reads answer 500 when Neutron is away. */
  readonly neutronAwayMs: number;
  readonly tokenLifetimeMs: number;
  /** How long a service trusts a token without asking Keystone again. */
  readonly tokenCacheMs: number;
}

const measuredOfApis: ApiDurations = {
  keystoneAwayMs: 3_500,
  neutronAwayMs: 3_600,
  tokenLifetimeMs: 3_600_000,
  tokenCacheMs: 5_000,
};

/** What startSimulator takes; everything has a default. */
export interface SimulatorOptions {
  /** Hypervisors hv01, hv02… */
  readonly computes?: number;
  /** With it, hypervisor_hostname is hv01.DOMAIN while the service host stays hv01, as with libvirt. */
  readonly domain?: string;
  /** With it, the agents of hv01 call it hv01.DOMAIN. */
  readonly agentDomain?: string;
  /** ovs (default): agents report by themselves. ovn: they beat when asked. ovn-of-old: rows are stamped with the request. */
  readonly network?: 'ovs' | 'ovn' | 'ovn-of-old';
  /** Names of cells with their hosts; the others are in cell1. */
  readonly cells?: Readonly<Record<string, readonly string[]>>;
  /** The X of 127.X.1.N and 127.X.2.N; default: a free one. */
  readonly block?: number;
  /** Real listeners on all addresses (default). Without, nothing listens: quicker, for API tests. */
  readonly listen?: boolean;
  readonly cloud?: string;
  readonly username?: string;
  readonly password?: string;
  /** Names of projects; the first is that of the login, the second that of booted instances. */
  readonly projects?: readonly string[];
  /** Aggregate names with their hosts. */
  readonly aggregates?: Readonly<Record<string, readonly string[]>>;
  /** Networks besides the external ext-net; addresses on them never answer from here. */
  readonly privateNetworks?: readonly string[];
  readonly externalNetwork?: string;
  readonly hypervisorPorts?: PortSet;
  readonly instancePorts?: PortSet;
  readonly vcpus?: number;
  readonly memoryMb?: number;
  /** The cloud's clock minus ours: shows in Date headers and all timestamps. */
  readonly clockOffsetMs?: number;
  readonly durations?: Partial<Durations & ApiDurations>;
}

/** The options with every default filled in; `block` is known by then. */
export type Settings = Required<Omit<SimulatorOptions, 'durations' | 'domain' | 'agentDomain'>> &
  WorldSettings & {
    readonly durations: Durations & ApiDurations;
    readonly domain: string | null;
    readonly agentDomain: string | null;
  };

/** A world behind the HTTP APIs. */
export type HttpWorld = World<Settings>;

const guestsPerOctet = 250;

/** Fills in the defaults. */
export function settingsOf(options: SimulatorOptions, block: number): Settings {
  return {
    computes: options.computes ?? 4,
    domain: options.domain ?? null,
    agentDomain: options.agentDomain ?? null,
    network: options.network ?? 'ovs',
    cells: options.cells ?? {},
    block,
    listen: options.listen ?? true,
    cloud: options.cloud ?? 'simulated',
    username: options.username ?? 'admin',
    password: options.password ?? 'secret',
    projects: options.projects ?? ['admin', 'demo', 'service'],
    aggregates: options.aggregates ?? {},
    privateNetworks: options.privateNetworks ?? ['private'],
    externalNetwork: options.externalNetwork ?? 'ext-net',
    outsideAddress: (instance) => {
      const octet = 2 + Math.floor((instance - 1) / guestsPerOctet);
      return `127.${block}.${octet}.${((instance - 1) % guestsPerOctet) + 1}`;
    },
    hypervisorPorts: options.hypervisorPorts ?? { open: [10022, 16509], closed: [10111] },
    instancePorts: options.instancePorts ?? { open: [10022], closed: [] },
    vcpus: options.vcpus ?? 1_000,
    memoryMb: options.memoryMb ?? 800_000,
    clockOffsetMs: options.clockOffsetMs ?? 0,
    durations: { ...measured, ...measuredOfApis, ...options.durations },
  };
}

/** Adds the hypervisors that the settings name. */
export function addHosts(world: HttpWorld): void {
  const { computes, domain, block, aggregates, vcpus, memoryMb, durations } = world.settings;
  const { agentDomain, network, cells } = world.settings;
  for (const name of Object.keys(aggregates)) world.aggregate(name);
  for (let number = 1; number <= computes; number += 1) {
    const name = `hv${String(number).padStart(2, '0')}`;
    world.addHost({
      name,
      hypervisorName: domain === null ? name : `${name}.${domain}`,
      address: `127.${block}.1.${number}`,
      agentHost: agentDomain === null ? name : `${name}.${agentDomain}`,
      cell: Object.keys(cells).find((cell) => cells[cell]?.includes(name)) ?? 'cell1',
      zone: 'nova',
      aggregates: Object.keys(aggregates).filter((aggregate) => aggregates[aggregate]?.includes(name)),
      vcpus,
      memoryMb,
      agents: network === 'ovs' ? ['neutron-openvswitch-agent'] : ovnBinaries,
      agentIntervalMs: durations.reportIntervalMs,
      isSpare: false,
    });
  }
  if (network !== 'ovs') useOvn(world, network === 'ovn' ? 'beat' : 'request');
}
