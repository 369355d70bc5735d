// Collects the inventory: every list at once, each checked, joined by the service host. Nothing is stored here, so a
// refresh that fails on any of its lists leaves the previous inventory whole.

import {
  type Hosts,
  type Hypervisor,
  notSpares,
  type Server,
  type Servers,
} from '../../shared/documents/inventory.ts';
import type { FencingPlans } from '../../shared/documents/terms/fencing-plans.ts';
import { shortened } from '../../shared/documents/terms/shortened.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import { counted } from '../../shared/ground/counted.ts';
import { groupBy } from '../../shared/ground/group-by.ts';
import { listenedToByMany } from '../../shared/ground/listened-to.ts';
import {
  type Aggregate,
  type Cloud,
  CloudError,
  type ComputeService,
  type HypervisorRecord,
} from '../cloud/cloud.ts';
import { agentsOf, byText, lookAtAgents } from './read-agents.ts';
import { readServers } from './read-servers.ts';

export interface RefreshedInventory {
  readonly hosts: Hosts;
  /** Null when the servers were not asked for. */
  readonly servers: Servers | null;
  /** What did not fit together and was left out, as sentences for the log. */
  readonly oddities: readonly string[];
  /** Names in `provider_net` that mean nothing, likewise; null when the servers were not asked for. */
  readonly networkOddities: readonly string[] | null;
}

interface RefreshOptions {
  /** Read the servers as well. */
  readonly servers: boolean;
  /** `provider_net`: the names of the networks on which instances are reached from outside. */
  readonly externalNetworks: readonly string[];
  /** The inventory before: OVN's beats are compared with its, and a cell that is down hides all hypervisors. */
  readonly earlier: Earlier;
  /** Of the ns4 that are there. */
  readonly fencingPlans?: FencingPlans;
}

/** What a refresh takes over of the one before; empty lists where there was none. */
export type Earlier = Pick<Hosts, 'agents' | 'hypervisors'>;

/** A smaller difference of the clocks is within what the Date header (1 s) and the way there can tell. */
const SKEW_TOLERANCE_MS = 2_000;

/**
 * Reads the whole cloud. Times reported by the cloud's clock are corrected to ours when the clocks differ by more than
 * 2 s. `collectedAtMs` is when the reading began: nothing in it is older than that.
 * @throws CloudError when any of the lists fails; whatever the others are doing then is ended
 */
export async function refreshInventory(
  cloud: Cloud,
  cloudName: string,
  options: RefreshOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<RefreshedInventory> {
  const collectedAtMs = clock.nowMs();
  const failure = new AbortController();
  const either = listenedToByMany(AbortSignal.any([signal, failure.signal]));
  const down = { hosts: new Set<string>(), servers: new Set<string>() };
  const listServices = () => cloud.listComputeServices(either, undefined, (host) => down.hosts.add(host));
  const onServerDown = (id: string) => void down.servers.add(id);
  try {
    const services = listServices();
    const [hypervisors, first, looks, aggregates, projects, listed] = await Promise.all([
      cloud.listHypervisors(either).catch(async (error: unknown) => {
        await services;
        return knownHypervisors(options.earlier, down.hosts, error);
      }),
      services,
      lookAtAgents(cloud, options.earlier.agents, clock, either),
      cloud.listAggregates(either),
      namesOfProjects(cloud, either),
      options.servers ? readServers(cloud, options.externalNetworks, either, onServerDown) : null,
    ]);
    // The looks took their time, and reports are judged by their age.
    const reports = looks.length > 1 ? await listServices() : first;
    const clockSkewMs = cloud.clockSkewMs();
    const correctionMs = Math.abs(clockSkewMs) > SKEW_TOLERANCE_MS ? clockSkewMs : 0;
    const joined = joinHypervisors(hypervisors, reports, aggregates, correctionMs, down.hosts);
    const earlier = options.earlier.agents;
    const nowMs = clock.nowMs();
    const read = agentsOf({ looks, earlier, hypervisors: joined.hypervisors, correctionMs, nowMs });
    return {
      hosts: {
        version: 1,
        cloud: cloudName,
        collectedAtMs,
        clockSkewMs,
        hypervisors: joined.hypervisors,
        agents: read.agents,
        cellDown: [...down.hosts].sort(byText),
        // Ceph tells that; see refresh.ts.
        cutOff: [],
        leftOut: cloud.leftOut(),
        fencingPlans: options.fencingPlans ?? [],
        projects: projects.known.sort((a, b) => byText(a.name, b.name) || byText(a.id, b.id)),
      },
      servers: listed && {
        collectedAtMs,
        servers: correctedServers(listed.servers, correctionMs).sort(
          (a, b) => byText(a.name, b.name) || byText(a.id, b.id),
        ),
      },
      oddities: [...[...joined.oddities, ...read.oddities, ...cellOddities(down)], ...projects.oddities],
      networkOddities: listed === null ? null : listed.oddities,
    };
  } catch (error) {
    failure.abort(error);
    throw error;
  }
}

/** Only people read them: a user who may not list projects watches all the same. */
async function namesOfProjects(cloud: Cloud, signal: AbortSignal) {
  try {
    return { known: await cloud.listProjects(signal), oddities: [] };
  } catch (error) {
    if (!(error instanceof CloudError) || signal.aborted) throw error;
    return {
      known: [],
      oddities: [`projects are shown by their ids, their names cannot be read: ${error.message}`],
    };
  }
}

/**
 * A cell that does not answer takes Nova's whole list of hypervisors with it (docs/facts.md#cells). Those of the other
 * cells are as they were: their services are read, and what is on them tells the list of servers.
 * @throws what the list failed with, when it is not that, or nothing is known from before
 */
function knownHypervisors(
  { hypervisors }: Earlier,
  down: ReadonlySet<string>,
  error: unknown,
): readonly HypervisorRecord[] {
  const known = hypervisors.filter(({ host }) => !down.has(host));
  if (!(error instanceof CloudError) || down.size === 0 || known.length === 0) throw error;
  return known;
}

function cellOddities(down: { hosts: ReadonlySet<string>; servers: ReadonlySet<string> }): string[] {
  const { hosts, servers } = down;
  if (hosts.size === 0 && servers.size === 0) return [];
  return [
    `a cell does not answer Nova: ${counted(hosts.size, 'host')} (${shortened([...hosts].sort(byText), 5)}) and ${counted(servers.size, 'instance')} left out, and judged by nobody`,
  ];
}

/**
 * One hypervisor per nova-compute, joined by the service host (the hypervisor's own name may be an FQDN). What has no
 * counterpart, or several on one service host (bare metal; rows of a service that was registered twice), is left out
 * and told: it could be neither judged nor evacuated, nor taken for a spare. A spare that is none is told as well.
 */
export function joinHypervisors(
  records: readonly HypervisorRecord[],
  services: readonly ComputeService[],
  aggregates: readonly Aggregate[],
  correctionMs: number,
  /** Hosts of cells that do not answer: told by themselves. */
  down: ReadonlySet<string> = new Set(),
): { hypervisors: Hypervisor[]; oddities: string[] } {
  const servicesOf = groupBy(services, (service) => service.host);
  const recordsOf = groupBy(records, (record) => record.host);
  const namesOf = aggregatesByHost(aggregates);
  const hypervisors: Hypervisor[] = [];
  const oddities: string[] = [];
  for (const [host, [record, ...more]] of recordsOf) {
    const [service, ...doubles] = servicesOf.get(host) ?? [];
    if (down.has(host)) continue;
    if (!service) oddities.push(`hypervisor ${record?.name} has no nova-compute service (${host}): left out`);
    else if (doubles.length > 0)
      oddities.push(
        `${host} has ${doubles.length + 1} nova-compute services: neither judged nor a spare, left out`,
      );
    else if (more.length > 0) oddities.push(`${host} has ${more.length + 1} hypervisors: left out`);
    else if (record) hypervisors.push(joined(record, service, namesOf.get(host) ?? [], correctionMs));
  }
  for (const host of servicesOf.keys()) {
    if (!recordsOf.has(host)) oddities.push(`nova-compute on ${host} has no hypervisor: left out`);
  }
  oddities.push(...notSpares(hypervisors));
  return { hypervisors: hypervisors.sort((a, b) => byText(a.host, b.host)), oddities: oddities.sort(byText) };
}

/** The names of the aggregates each host is in, sorted. */
function aggregatesByHost(aggregates: readonly Aggregate[]): Map<string, string[]> {
  const memberships = [...aggregates]
    .sort((a, b) => byText(a.name, b.name))
    .flatMap(({ name, hosts }) => hosts.map((host) => ({ name, host })));
  const byHost = groupBy(memberships, ({ host }) => host);
  return new Map([...byHost].map(([host, found]) => [host, found.map(({ name }) => name)]));
}

function joined(
  record: HypervisorRecord,
  service: ComputeService,
  aggregates: string[],
  correctionMs: number,
): Hypervisor {
  const { host, name, address, vcpus, vcpusUsed, memoryMb, memoryMbUsed, runningVms } = record;
  const { id: serviceId, state, status, disabledReason, forcedDown, zone } = service;
  return {
    host,
    name,
    address,
    state,
    status,
    disabledReason,
    forcedDown,
    zone,
    serviceId,
    vcpus,
    vcpusUsed,
    memoryMb,
    memoryMbUsed,
    runningVms,
    aggregates,
    reportedAtMs: service.reportedAtMs === null ? null : service.reportedAtMs - correctionMs,
  };
}

function correctedServers(servers: Server[], correctionMs: number): Server[] {
  if (correctionMs === 0) return servers;
  return servers.map(({ launchedAtMs, ...server }) => ({
    ...server,
    launchedAtMs: launchedAtMs === null ? null : launchedAtMs - correctionMs,
  }));
}
