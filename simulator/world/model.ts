// The things of the pretend cloud, as its world keeps them. Two truths stand side by side and may differ: what the
// databases of OpenStack say (host, status…) and what really runs where (`runningOn`, `powered`…).

/** A hypervisor with its nova-compute and its network agent. */
export interface Host {
  /** Service host: what services, agents and servers are keyed by. */
  readonly host: string;
  /** hypervisor_hostname; differs from `host` when a domain is set. */
  readonly name: string;
  readonly address: string;
  /** Id of the hypervisor and, as in Nova, of its resource provider. */
  readonly id: string;
  /** The integer id of API versions before 2.53. */
  readonly number: number;
  readonly serviceId: string;
  readonly agentId: string;
  readonly zone: string;
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly createdAtMs: number;

  // What really is.
  powered: boolean;
  /** The machine stands still (hung): nothing runs on, nothing is lost. */
  frozen: boolean;
  computeRuns: boolean;
  agentRuns: boolean;
  /** Does the host's own address have a network? */
  addressUp: boolean;
  /** Do the guests on it have a network? */
  guestsUp: boolean;
  /** Work sent to this nova-compute while it could not take it; done when it returns. */
  readonly mailbox: (() => void)[];

  // What Nova and Neutron have on record.
  disabled: boolean;
  disabledReason: string | null;
  forcedDown: boolean;
  /**
   * Placement's trait COMPUTE_STATUS_DISABLED, by which the scheduler passes over a host. nova-compute itself keeps
   * it: at once when Nova can tell it of a change, else at its next periodic update.
   */
  disabledTrait: boolean;
  reportedAtMs: number;
  heartbeatAtMs: number;
  agentWasAlive: boolean;
  /** The resource tracker's last word; stale on a dead host. */
  tracked: { vms: number; vcpus: number; memoryMb: number };
}

export interface Flavor {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly diskGb: number;
}

export interface Fault {
  readonly code: number;
  readonly message: string;
  readonly atMs: number;
}

/** An instance (a server of the API). */
export interface Instance {
  readonly id: string;
  readonly number: number;
  readonly name: string;
  readonly projectId: string;
  readonly flavor: Flavor;
  readonly network: Network;
  readonly fixedAddress: string;
  readonly floatingAddress: string | null;
  readonly port: Port;
  readonly createdAtMs: number;
  readonly metadata: Readonly<Record<string, string>>;
  updatedAtMs: number;

  /** Nova's record: service host and hypervisor name; null when shelved. */
  host: string | null;
  node: string | null;
  vmState: VmState;
  taskState: string | null;
  powerState: number;
  locked: boolean;
  fault: Fault | null;

  /** Service hosts on which a process with this instance's disk open exists. */
  readonly runningOn: Set<string>;
  /** Was there ever a moment with two of them able to write? The one thing that must never be. */
  everTwoWriters: boolean;
  /** Its address never answers (a firewall), or was silenced by a test. */
  silenced: boolean;
  evacuationsStarted: number;
  evacuationsCompleted: number;
  /** What the next evacuations of this instance shall suffer, one entry each. */
  readonly trouble: EvacuationTrouble[];
}

export type VmState =
  | 'active'
  | 'stopped'
  | 'paused'
  | 'suspended'
  | 'rescued'
  | 'building'
  | 'error'
  | 'shelved_offloaded';

/** fails: ends in ERROR as a broken target does; sticks: stays in REBUILD for ever. */
export type EvacuationTrouble = 'fails' | 'sticks';

export interface Network {
  readonly id: string;
  readonly name: string;
  readonly external: boolean;
}

/** A Neutron port; every instance has one. */
export interface Port {
  readonly id: string;
  readonly instanceId: string;
  readonly mac: string;
  readonly address: string;
  readonly network: Network;
  readonly projectId: string;
  host: string | null;
  vifType: 'ovs' | 'binding_failed' | 'unbound';
  status: 'ACTIVE' | 'DOWN' | 'BUILD';
}

/** A migration record of type evacuation. */
export interface Migration {
  readonly number: number;
  readonly id: string;
  readonly instanceId: string;
  readonly projectId: string;
  readonly source: string;
  readonly sourceNode: string;
  readonly createdAtMs: number;
  target: string | null;
  status: 'accepted' | 'pre-migrating' | 'done' | 'completed' | 'failed' | 'error';
  updatedAtMs: number;
}

export interface Aggregate {
  readonly id: number;
  readonly uuid: string;
  readonly name: string;
  readonly hosts: string[];
}

export interface Project {
  readonly id: string;
  readonly name: string;
}
