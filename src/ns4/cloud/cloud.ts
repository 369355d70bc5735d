// The port to OpenStack: what ns4 needs of a cloud, in Sonny's words. openstack/ implements it over HTTP. The rules
// about errors stand here, as the evacuation's safety rests on them.
import type { Server } from '../../shared/documents/inventory.ts';
import type { LeftOutOfList } from '../../shared/documents/terms/left-out.ts';

/**
 * A call that did not succeed. `outcome` is what the caller may conclude:
 * - refused: the service answered and said no (4xx); nothing was done. `status` and `message` are its own.
 * - not-done: the request certainly had no effect (never connected, no token), or a read failed for good.
 * - unknown: a changing request left and its answer was lost, late, a 5xx or not the service's (a proxy's page,
 * whatever
 *   its status). It may have been done or still be under way: look before doing anything else, never repeat blindly.
 */
export class CloudError extends Error {
  readonly outcome: 'refused' | 'not-done' | 'unknown';
  readonly status: number | null;
  constructor(
    outcome: CloudError['outcome'],
    message: string,
    status: number | null,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'CloudError';
    this.outcome = outcome;
    this.status = status;
  }
}

/** A hypervisor as Nova lists it (os-hypervisors/detail with microversion 2.53 to 2.87). */
export interface HypervisorRecord {
  readonly name: string;
  readonly host: string;
  readonly address: string | null;
  readonly vcpus: number;
  readonly vcpusUsed: number;
  readonly memoryMb: number;
  readonly memoryMbUsed: number;
  /** Null: never counted. */
  readonly runningVms: number | null;
}

/** A nova-compute service. */
export interface ComputeService {
  readonly id: string;
  readonly host: string;
  readonly zone: string;
  readonly state: 'up' | 'down';
  readonly status: 'enabled' | 'disabled';
  readonly disabledReason: string | null;
  readonly forcedDown: boolean;
  readonly reportedAtMs: number | null;
}

export interface AgentRecord {
  readonly id: string;
  /** As Neutron has it; OVN: what the chassis calls itself, which may be its full name. */
  readonly host: string;
  readonly binary: string;
  /** By the cloud's clock, uncorrected; of OVN by that of the host itself, or the moment of the request. */
  readonly heartbeatAtMs: number;
  readonly alive: boolean;
}

export interface Aggregate {
  readonly name: string;
  readonly hosts: readonly string[];
}

/** A migration record of Nova (os-migrations). Times are the cloud's own. */
export interface MigrationRecord {
  readonly uuid: string;
  /** evacuation, live-migration, migration (cold), resize. */
  readonly type: string;
  readonly instanceId: string;
  /** Of an evacuation: accepted, pre-migrating, done, completed, failed, error; others have more words. */
  readonly status: string;
  readonly source: string | null;
  readonly target: string | null;
  readonly createdAtMs: number;
  /** When its status last changed. */
  readonly updatedAtMs: number;
}

export interface PortBinding {
  readonly id: string;
  readonly instanceId: string;
  readonly host: string | null;
  readonly vifType: string;
  /** ACTIVE, DOWN, BUILD. */
  readonly status: string;
  /** False: somebody switched it off; its status is DOWN then. */
  readonly isSwitchedOn: boolean;
}

/** A network as Neutron has it. Names need not be unique: a project may call its own one as it likes. */
export interface NetworkRecord {
  readonly id: string;
  readonly name: string;
  /**
   * An administrator opened it: to all projects (shared, or external), or as a network of the project that Sonny logs in
   * to. Neutron's own `shared` and `router:external` do not tell: any project can bring them about for its networks.
   */
  readonly isPublic: boolean;
}

/** An address that Neutron gives an instance: of one of its ports, or floating and bound to one of them. */
export interface InstanceAddress {
  readonly instanceId: string;
  /** Of a floating address the network that it floats on. */
  readonly networkId: string;
  readonly address: string;
  readonly type: 'fixed' | 'floating';
}

/** A change of a compute service; absent fields stay as they are. */
export interface ComputeServiceChange {
  readonly status?: 'enabled' | 'disabled';
  readonly disabledReason?: string;
  readonly forcedDown?: boolean;
}

/** Every method may throw CloudError; reads are retried within, changes never. All lists are paged to their end. */
export interface Cloud {
  listHypervisors(signal: AbortSignal): Promise<HypervisorRecord[]>;
  /**
   * What `uptime` says on the hypervisor of this service host, as its nova-compute tells it now; null where that does not
   * answer or cannot tell.
   */
  readUptime(host: string, signal: AbortSignal): Promise<string | null>;
  /** `onDown` hears the hosts of cells that do not answer: of their services Nova knows nothing, and they are left out. */
  listComputeServices(
    signal: AbortSignal,
    host?: string,
    onDown?: (host: string) => void,
  ): Promise<ComputeService[]>;
  listAgents(signal: AbortSignal, host?: string): Promise<AgentRecord[]>;
  listAggregates(signal: AbortSignal): Promise<Aggregate[]>;
  listProjects(signal: AbortSignal): Promise<{ id: string; name: string }[]>;
  /**
   * Of all projects; with `host`, only those Nova has on that service host. `onDown` hears the ids of those whose cell
   * does not answer: Nova does not even tell their host, and they are left out. Their addresses are those that Nova
   * remembers, by the names of networks, and none of them counts as external.
   */
  listServers(signal: AbortSignal, host?: string, onDown?: (id: string) => void): Promise<Server[]>;
  /** Null when there is no such server (any more). */
  readServer(id: string, signal: AbortSignal): Promise<Server | null>;
  /** Evacuations away from a service host, newest first. */
  listEvacuations(sourceHost: string, signal: AbortSignal): Promise<MigrationRecord[]>;
  /** Migrations of any type from or to a service host, newest first. */
  listMigrations(host: string, signal: AbortSignal): Promise<MigrationRecord[]>;
  /** Migrations of any type of one instance, newest first. */
  listMigrationsOf(instanceId: string, signal: AbortSignal): Promise<MigrationRecord[]>;
  /** Ports of instances bound to a host. */
  listPorts(filter: { host: string } | { instanceId: string }, signal: AbortSignal): Promise<PortBinding[]>;
  /** All networks of all projects. */
  listNetworks(signal: AbortSignal): Promise<NetworkRecord[]>;
  /** What Neutron gives the instances of all projects now. */
  listInstanceAddresses(signal: AbortSignal): Promise<InstanceAddress[]>;
  /** Cloud clock minus ours by the last answer's Date header (resolution 1 s); 0 before the first. */
  clockSkewMs(): number;
  /** What made no sense in the whole lists as they were read last, and was left out. */
  leftOut(): LeftOutOfList[];

  changeComputeService(
    id: string,
    change: ComputeServiceChange,
    signal: AbortSignal,
  ): Promise<ComputeService>;
  /**
   * Asks Nova to rebuild the instance on `target` (a service host); null: where its scheduler finds room. Resolves when
   * Nova took the request.
   */
  evacuate(instanceId: string, target: string | null, signal: AbortSignal): Promise<void>;
  hardReboot(instanceId: string, signal: AbortSignal): Promise<void>;
  bindPort(portId: string, host: string, signal: AbortSignal): Promise<void>;
  /**
   * Makes Placement count the instance on the hypervisor named `toName` only (database method; Nova never heals it).
   * Safe to repeat; retries a concurrent update (409 placement.concurrent_update) within.
   */
  moveAllocation(instanceId: string, fromName: string, toName: string, signal: AbortSignal): Promise<void>;
}
