// What a simulator can be told at its start, with defaults that follow the measurements on a real cloud.
import type { PortSet } from '../network/loopback-address.ts';

/** How long things take; defaults as measured on a real cloud, but for `disableDeadBlockMs` (there 60 s). */
export interface Durations {
  /** nova-compute and network agents report this often. */
  readonly reportIntervalMs: number;
  /** No report for this long: Nova calls the service down. */
  readonly serviceDownMs: number;
  /** No heartbeat for this long: Neutron calls the agent dead. */
  readonly agentDownMs: number;
  /** nova-compute counts its guests anew this often. */
  readonly resourcesIntervalMs: number;
  /** From an evacuate request to the scheduler's verdict. */
  readonly scheduleMs: number;
  /** From there to the instance's return. */
  readonly rebuildMs: number;
  /** How long an evacuated instance reads ACTIVE with its old host. */
  readonly oldHostShownMs: number;
  readonly hardRebootMs: number;
  /** Stop, start, pause and their like. */
  readonly powerChangeMs: number;
  /** From a port's binding to its being ACTIVE. */
  readonly portActiveMs: number;
  /** From an agent's return to a failed binding's repair. */
  readonly rebindMs: number;
  /** How long Nova blocks when a dead nova-compute that it calls up is disabled. */
  readonly disableDeadBlockMs: number;
  /** After how long Nova, Neutron and Placement answer 503 when Keystone is away. */
  readonly keystoneAwayMs: number;
  /** After how long Nova's server reads answer 500 when Neutron is away. */
  readonly neutronAwayMs: number;
  /** How long everyone needs to find RabbitMQ or the conductor again. */
  readonly reconnectMs: number;
  readonly tokenLifetimeMs: number;
  /** How long a service trusts a token without asking Keystone again. */
  readonly tokenCacheMs: number;
}

const measured: Durations = {
  reportIntervalMs: 2_000,
  serviceDownMs: 8_000,
  agentDownMs: 8_000,
  resourcesIntervalMs: 10_000,
  scheduleMs: 400,
  rebuildMs: 800,
  oldHostShownMs: 70,
  hardRebootMs: 270,
  powerChangeMs: 300,
  portActiveMs: 500,
  rebindMs: 3_000,
  disableDeadBlockMs: 5_000,
  keystoneAwayMs: 3_500,
  neutronAwayMs: 3_600,
  reconnectMs: 3_000,
  tokenLifetimeMs: 3_600_000,
  tokenCacheMs: 5_000,
};

/** What startSimulator takes; everything has a default. */
export interface SimulatorOptions {
  /** Hypervisors hv01, hv02… */
  readonly computes?: number;
  /** With it, hypervisor_hostname is hv01.DOMAIN while the service host stays hv01, as with libvirt. */
  readonly domain?: string;
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
  readonly durations?: Partial<Durations>;
}

/** The options with every default filled in; `block` is known by then. */
export type Settings = Required<Omit<SimulatorOptions, 'durations' | 'domain'>> & {
  readonly durations: Durations;
  readonly domain: string | null;
};

/** Fills in the defaults. */
export function settle(options: SimulatorOptions, block: number): Settings {
  return {
    computes: options.computes ?? 4,
    domain: options.domain ?? null,
    block,
    listen: options.listen ?? true,
    cloud: options.cloud ?? 'simulated',
    username: options.username ?? 'admin',
    password: options.password ?? 'secret',
    projects: options.projects ?? ['admin', 'demo', 'service'],
    aggregates: options.aggregates ?? {},
    privateNetworks: options.privateNetworks ?? ['private'],
    externalNetwork: options.externalNetwork ?? 'ext-net',
    hypervisorPorts: options.hypervisorPorts ?? { open: [10022, 16509], closed: [10111] },
    instancePorts: options.instancePorts ?? { open: [10022], closed: [] },
    vcpus: options.vcpus ?? 1_000,
    memoryMb: options.memoryMb ?? 800_000,
    clockOffsetMs: options.clockOffsetMs ?? 0,
    durations: { ...measured, ...options.durations },
  };
}
