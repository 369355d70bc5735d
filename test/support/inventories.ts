// Builders of inventories for tests: a cloud of hypervisors hv01… with agents and instances, changed where a test
// needs.
import type {
  Agent,
  Hosts,
  Hypervisor,
  Server,
  ServerAddress,
  Servers,
} from '../../src/shared/documents/inventory.ts';
import { Picture } from '../../src/shared/picture/picture.ts';
import { noServers } from '../../src/shared/picture/reading.ts';
import type { InventoryStore } from '../../src/shared/picture/store.ts';

/** What a refresh reads of a cloud. */
export interface Inventory {
  readonly hosts: Hosts;
  readonly servers: Servers;
}

export const nowMs = Date.UTC(2026, 10, 21, 3, 0, 0);

/** A report of nova-compute as old as the newest heartbeat of the host's agents: as it is when a host dies. */
const withItsAgents = nowMs - 2_000;

export function hypervisor(host: string, change: Partial<Hypervisor> = {}): Hypervisor {
  return {
    host,
    name: host,
    address: `10.0.0.${Number(host.replace(/\D/g, ''))}`,
    state: 'up',
    status: 'enabled',
    disabledReason: null,
    forcedDown: false,
    zone: 'nova',
    serviceId: `service-${host}`,
    vcpus: 32,
    vcpusUsed: 3,
    memoryMb: 128_000,
    memoryMbUsed: 4_000,
    runningVms: 3,
    aggregates: [],
    reportedAtMs: withItsAgents,
    ...change,
  };
}

export function spare(host: string, change: Partial<Hypervisor> = {}): Hypervisor {
  return hypervisor(host, {
    status: 'disabled',
    disabledReason: 'spare',
    vcpusUsed: 0,
    memoryMbUsed: 0,
    runningVms: 0,
    ...change,
  });
}

export function agent(host: string, ageMs: number, change: Partial<Agent> = {}): Agent {
  const binary = change.binary ?? 'neutron-openvswitch-agent';
  return {
    ...{ id: `${binary}-${host}`, host, statedHost: host, binary, heartbeatAtMs: nowMs - ageMs, alive: true },
    ovn: null,
    ...change,
  };
}

/** On the external network, unless a test says otherwise. */
export function address(of: string, change: Partial<ServerAddress> = {}): ServerAddress {
  return {
    ...{ network: 'ext-net', networkId: 'net-ext', external: true },
    ...{ address: of, version: 4, type: 'fixed' },
    ...change,
  };
}

export function server(name: string, host: string, change: Partial<Server> = {}): Server {
  const number = Number(name.replace(/\D/g, '') || '1');
  return {
    id: `id-${name}`,
    name,
    projectId: 'project',
    host,
    hypervisorName: host,
    status: 'ACTIVE',
    vmState: 'active',
    taskState: null,
    powerState: 1,
    locked: false,
    flavor: 'small',
    vcpus: 1,
    memoryMb: 1_024,
    zone: 'nova',
    createdAt: '2026-11-01T00:00:00Z',
    launchedAtMs: nowMs - 86_400_000,
    addresses: [address(`192.0.2.${number}`)],
    volumes: [],
    bootsFromImage: true,
    fault: null,
    ...change,
  };
}

/** Everything of a cloud at `atMs`; agents of all hypervisors are fresh unless given. */
export function inventory(
  parts: { hypervisors: Hypervisor[]; agents?: Agent[]; servers?: Server[] },
  atMs = nowMs,
): Inventory {
  const agents = parts.agents ?? [];
  const silentOrGiven = new Set(agents.map((a) => a.host));
  const fresh = parts.hypervisors
    .filter((h) => !silentOrGiven.has(h.host))
    .map((h) => agent(h.host, 1_000, { heartbeatAtMs: atMs - 1_000 }));
  const reported = (h: Hypervisor): Hypervisor => {
    if (h.reportedAtMs !== withItsAgents) return h;
    const beats = agents.filter((a) => a.host === h.host).map((a) => a.heartbeatAtMs);
    return { ...h, reportedAtMs: beats.length > 0 ? Math.max(...beats) : atMs - 1_000 };
  };
  return {
    hosts: {
      version: 1,
      cloud: 'cloud1',
      collectedAtMs: atMs,
      clockSkewMs: 0,
      hypervisors: parts.hypervisors.map(reported),
      agents: [...agents, ...fresh],
      cellDown: [],
      cutOff: [],
      leftOut: [],
      fencingPlans: [],
      projects: [],
    },
    servers: { collectedAtMs: atMs, servers: parts.servers ?? [] },
  };
}

/** The same as a picture, with all servers read. */
export function picture(...of: Parameters<typeof inventory>): Picture {
  const { hosts, servers } = inventory(...of);
  return Picture.of(hosts, servers);
}

/** Everything that is stored: the picture, and all servers by name. */
export async function readWhole(store: Pick<InventoryStore, 'read'>) {
  const picture = await store.read((found) => ({ ...noServers, hosts: found.hostsWithInstances }));
  if (picture === null) throw new Error('no inventory is stored');
  const servers = picture.hostsRead.flatMap((host) => picture.serversOf(host));
  return { picture, servers: servers.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}
