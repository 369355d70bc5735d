// The picture of a cloud: what ns4 last saw of it, asked by host instead of searched through. Its indexes are built
// once per read. Pure.
import {
  type Agent,
  type Hosts,
  type Hypervisor,
  type InstanceCounts,
  onNoHost,
  type Server,
  type Servers,
} from '../documents/inventory.ts';
import type { FencingPlans } from '../documents/terms/fencing-plans.ts';
import { groupBy } from '../ground/group-by.ts';

/** How many servers there are, and when they were collected. */
type Counts = Pick<InstanceCounts, 'collectedAtMs' | 'count' | 'byHost'>;

export class Picture {
  readonly #hosts: Hosts;
  readonly #counts: Counts | null;
  readonly #servers: ReadonlyMap<string, readonly Server[]>;
  /** Are all servers in `#servers`? */
  readonly #isWhole: boolean;
  readonly #hypervisors: ReadonlyMap<string, Hypervisor>;
  readonly #agents: ReadonlyMap<string, readonly Agent[]>;
  readonly #instances: ReadonlyMap<string, number>;

  /**
   * `counts` is null as long as no servers were ever listed. `servers` holds those of the hosts that were read, which
   * need not be all; whoever reads goes on to fill it.
   */
  constructor(
    hosts: Hosts,
    counts: Counts | null,
    servers: ReadonlyMap<string, readonly Server[]>,
    isWhole = false,
  ) {
    this.#hosts = hosts;
    this.#counts = counts;
    this.#servers = servers;
    this.#isWhole = isWhole;
    this.#hypervisors = new Map(hosts.hypervisors.map((hypervisor) => [hypervisor.host, hypervisor]));
    this.#agents = groupBy(hosts.agents, ({ host }) => host);
    this.#instances = new Map(Object.entries(counts?.byHost ?? {}));
  }

  /** The picture that a refresh made, with all its servers. Null: they were not listed. */
  static of(hosts: Hosts, servers: Servers | null): Picture {
    if (servers === null) return new Picture(hosts, null, new Map());
    const listed = serversByHost(servers);
    return new Picture(hosts, countsOf(servers, listed), listed, true);
  }

  get cloud(): string {
    return this.#hosts.cloud;
  }

  /** When the reading of the hosts began, by the clock of the ns4 that read. */
  get collectedAtMs(): number {
    return this.#hosts.collectedAtMs;
  }

  /** The same of the servers and their counts; null when they were never listed. */
  get serversCollectedAtMs(): number | null {
    return this.#counts?.collectedAtMs ?? null;
  }

  /** All servers of the cloud; null when they were never listed. */
  get instanceCount(): number | null {
    return this.#counts?.count ?? null;
  }

  /** Sorted by service host. */
  get hypervisors(): readonly Hypervisor[] {
    return this.#hosts.hypervisors;
  }

  get projects(): Hosts['projects'] {
    return this.#hosts.projects;
  }

  hypervisor(host: string): Hypervisor | undefined {
    return this.#hypervisors.get(host);
  }

  /** The network agents of a host; empty when it has none. */
  agentsOf(host: string): readonly Agent[] {
    return this.#agents.get(host) ?? [];
  }

  /** Every network agent of the cloud, on hypervisors and elsewhere. */
  get agents(): readonly Agent[] {
    return this.#hosts.agents;
  }

  /** Records of OpenStack that made no sense, by list: nobody judges them. */
  get leftOut(): Hosts['leftOut'] {
    return this.#hosts.leftOut;
  }

  /** Whom Sonny cut off from Ceph, and who still is. */
  get cutOff(): Hosts['cutOff'] {
    return this.#hosts.cutOff;
  }

  /** Of the ns4 that were there when it was taken. */
  get fencingPlans(): FencingPlans {
    return this.#hosts.fencingPlans;
  }

  /** Hosts of a cell that does not answer: not among the hypervisors. */
  get cellDown(): readonly string[] {
    return this.#hosts.cellDown;
  }

  /** How many servers Nova had on the host when they were last listed; 0 as long as they never were. */
  instancesOn(host: string): number {
    return this.#instances.get(host) ?? 0;
  }

  /**
   * The most that the list of servers and Nova's own count have on the host: the count stays as it was on a dead host, and
   * the list may be 600 s old. Null: neither tells.
   */
  mostInstancesOn(host: string): number | null {
    const count = this.hypervisor(host)?.runningVms ?? null;
    if (count === null && this.#counts === null) return null;
    return Math.max(this.instancesOn(host), count ?? 0);
  }

  /** Every service host with servers. Servers on none stand under `onNoHost`. */
  get hostsWithInstances(): readonly string[] {
    return [...this.#instances.keys()];
  }

  /** The servers of a host that was read. @throws Error for any other: whoever asks has to say so before */
  serversOf(host: string): readonly Server[] {
    const servers = this.#servers.get(host);
    if (servers === undefined && !this.#isWhole) throw new Error(`the servers of ${host} were not read`);
    return servers ?? [];
  }

  /** The hosts whose servers were read. */
  get hostsRead(): readonly string[] {
    return [...this.#servers.keys()];
  }
}

/** Servers by service host, in their order. */
export const serversByHost = ({ servers }: Pick<Servers, 'servers'>): Map<string, Server[]> =>
  groupBy(servers, ({ host }) => host ?? onNoHost);

export function countsOf(
  { servers, collectedAtMs }: Servers,
  listed: ReadonlyMap<string, readonly Server[]>,
): Counts {
  return {
    collectedAtMs,
    count: servers.length,
    byHost: Object.fromEntries([...listed].map(([host, on]) => [host, on.length])),
  };
}
