// The things of the pretend cloud, as its world keeps them. Two truths stand side by side and may differ: what the
// databases of OpenStack say (host, status…) and what really runs where (`runningOn`, `powered`…).

/** Something on a host that reports at intervals: a network agent, or nova-compute (see reports.ts). */
export interface Reporter {
  readonly id: string;
  readonly binary: string;
  readonly intervalMs: number;
  readonly offsetMs: number;
  /** Reports arrive since then; null: they do not. */
  sinceMs: number | null;
  /** The last report that was not on the reporter's own beat, or before reports ended. */
  lastMs: number;
  /** The process has ended. */
  broken: boolean;
  /** Somebody took it off the list, until it reports again. */
  deleted: boolean;
}

/** A network of a host that may not carry: to RabbitMQ, of the host itself, of its guests, to Ceph. */
export type Line = 'reports' | 'management' | 'guests' | 'storage';

/**
 * A device that says off, and switched another host; said it and did nothing (a lie, or one of two supplies); or whose
 * host gets its power back by itself so much later.
 */
export type DeviceFault =
  | { readonly kind: 'other'; readonly host: string }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'restores'; readonly afterMs: number };

/** One of two supplies. */
export interface Feed {
  on: boolean;
  /** Since when, without a break; meaningless while it is off. */
  sinceMs: number;
}

/** A hypervisor with its nova-compute, its network agents and its fencing devices. */
export interface Host {
  /** Service host: what services, agents and servers are keyed by. */
  readonly name: string;
  /** hypervisor_hostname; with libvirt it has the domain, which `name` has not. */
  readonly hypervisorName: string;
  readonly address: string | null;
  /** Id of the hypervisor and, as in Nova, of its resource provider. */
  readonly id: string;
  /** The integer id of API versions before 2.53. */
  readonly number: number;
  /** What its network agents call it: its name, or the full one. */
  readonly agentHost: string;
  /** Nova's cell it is in. */
  cell: string;
  readonly zone: string;
  readonly aggregates: readonly string[];
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly createdAtMs: number;

  // What really is.
  powered: boolean;
  /** Since when it has power; meaningless while it has none. */
  poweredSinceMs: number;
  /** The machine stands still: nothing runs or answers, yet all of it goes on if it thaws. */
  frozen: boolean;
  /** Agents and nova-compute hang; the kernel answers, guests run. */
  controlHung: boolean;
  readonly cut: Record<Line, boolean>;
  /** What of it is up again after a boot: its kernel, its agents, its nova-compute. */
  readonly up: { kernel: boolean; agents: boolean; compute: boolean };
  /** Whoever asks for one of its ports: an answer, nothing, or its own ICMP error "host prohibited". */
  firewall: 'open' | 'drops' | 'prohibits';
  /** Its fencing device: `deaf` does as it is told and never answers. */
  bmc: 'works' | 'dead' | 'deaf';
  /** What is wrong with what its device does when it works. */
  bmcFault: DeviceFault | null;
  /** The switched outlet it is plugged into, the second level of its fencing; `none`: there is no second level. */
  outlet: 'works' | 'dead' | 'none';
  /**
   * The outlet of its second supply, on the same level: `stuck` says that it does as told, and stays on; `none`: it has one
   * supply only, or no outlets.
   */
  secondOutlet: 'works' | 'stuck' | 'dead' | 'none';
  /** What its outlets give, where it has two: it runs on either. */
  readonly feeds: readonly [Feed, Feed];
  /** Is its crash kernel listened for, before any device is told? */
  hasKdump: boolean;
  /** Messages in the name of its crash kernel come until then, whoever sends them. */
  crashMessagesUntilMs: number;
  readonly agents: readonly Reporter[];
  readonly compute: Reporter;
  /** Counts the ends of its nova-compute: work begun in an earlier life is lost. */
  computeLife: number;
  /** Work sent to this nova-compute while it could not take it; done when it returns. */
  readonly mailbox: (() => void)[];
  /** What ran when it lost its power last and libvirt still has: nova-compute takes out what it destroys. */
  readonly formerGuests: Set<Instance>;
  /** Since when the machine answers on its own network; null: it does not. */
  answersSinceMs: number | null;
  /** Since when it does not; meaningless while it does. */
  mutedSinceMs: number;
  /** Since when its agents' reports arrive, or its ovn-controller could be seen to answer; null: not now. */
  reportsSinceMs: number | null;
  /** Since when anything it sends on its own network can be received; null: nothing. */
  sendsSinceMs: number | null;

  // What Nova has on record.
  disabled: boolean;
  disabledReason: string | null;
  /** When an operator set it aside last; 0: as the cloud began. */
  setAsideAtMs: number;
  forcedDown: boolean;
  /**
   * Placement's trait COMPUTE_STATUS_DISABLED, by which the scheduler passes over a host. nova-compute itself keeps
   * it: at once when Nova can tell it of a change, else at its next periodic update.
   */
  disabledTrait: boolean;
  /** The resource tracker's last word; stale on a dead host. */
  tracked: { atMs: number; vms: number; vcpus: number; memoryMb: number };
}

export interface Flavor {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly diskGb: number;
}

export interface InstanceFault {
  readonly code: number;
  readonly message: string;
  /** By the cloud's clock. */
  readonly atMs: number;
}

/** An address of an instance as Nova remembers it: under the name of a network. */
export interface Address {
  readonly network: string;
  readonly address: string;
  readonly version: 4 | 6;
  readonly type: 'fixed' | 'floating';
}

/** An instance (a server of the API). Times are by the cloud's clock. */
export interface Instance {
  readonly id: string;
  readonly number: number;
  readonly name: string;
  readonly projectId: string;
  readonly flavor: Flavor;
  readonly addresses: readonly Address[];
  readonly port: Port;
  readonly createdAtMs: number;
  readonly metadata: Readonly<Record<string, string>>;
  updatedAtMs: number;
  /** When it was last spawned: at its boot, and by each rebuild; null: never. */
  launchedAtMs: number | null;

  /** Nova's record: service host and hypervisor name; null when shelved. */
  host: string | null;
  node: string | null;
  /** Where its row was before somebody rewrote it. */
  movedFrom: string | null;
  vmState: VmState;
  taskState: string | null;
  powerState: number;
  locked: boolean;
  fault: InstanceFault | null;
  deleted: boolean;

  /** Service hosts on which a process with this instance's disk open exists: it writes, or will when its host thaws. */
  readonly runningOn: Set<string>;
  /** When it started on each of them; those it was made on are missing. */
  readonly startedMs: Map<string, number>;
  /** Was there ever a moment with two of them able to write? The one thing that must never be. */
  everTwoWriters: boolean;
  /** Its address never answers: a firewall, as many have. */
  mute: boolean;
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

/**
 * fails: ends in ERROR as a broken target does; sticks: stays in REBUILD for ever; fails-running: the target starts the
 * guest and fails after that, so that it runs there while Nova has it in ERROR on the dead host.
 */
export type EvacuationTrouble = 'fails' | 'sticks' | 'fails-running';

export interface Network {
  readonly id: string;
  readonly name: string;
  readonly external: boolean;
  /** False: of one project, which calls it as it likes. */
  readonly shared: boolean;
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

/** Words of Nova for how far a migration is; an evacuation has the first six only. */
export type MigrationStatus =
  | 'accepted'
  | 'pre-migrating'
  | 'done'
  | 'completed'
  | 'failed'
  | 'error'
  | 'queued'
  | 'preparing'
  | 'running'
  | 'migrating'
  | 'post-migrating'
  | 'finished'
  | 'confirmed';

/** A migration record. Times are by the cloud's clock. */
export interface Migration {
  readonly type: 'evacuation' | 'live-migration' | 'migration';
  readonly number: number;
  readonly id: string;
  readonly instance: Instance;
  readonly source: string;
  readonly sourceNode: string;
  readonly createdAtMs: number;
  target: string | null;
  status: MigrationStatus;
  updatedAtMs: number;
}

/** An evacuation that did not come to its end yet. */
export interface Evacuation {
  readonly instance: Instance;
  readonly migration: Migration;
  /** How the instance was before: a stopped one stays stopped. */
  readonly stopped: boolean;
  /** Another evacuation of the same instance was under way already: this one wrecks it. */
  readonly second: boolean;
  /** Nobody works at it any more, and Nova does not notice. */
  stuck: boolean;
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

/** A row of OVN's southbound database: ovn-controller of a host, with the answer of its metadata agent beside it. */
export interface Chassis {
  /** The last ping that it answered. */
  nbCfg: number;
  /** When, by the host's own clock. */
  beatMs: number;
  metadataBeatMs: number;
  /** Its own clock minus the true time. */
  clockOffsetMs: number;
  /** ovn-controller was stopped in good order and deleted its row. `forgotten`: Neutron was restarted since. */
  gone: 'no' | 'shown' | 'forgotten';
}

/** `beat`: rows are stamped by their chassis. `request`: with the moment of the request, as Neutron 16 to 20 does. */
export type OvnEra = 'beat' | 'request';

export interface Ovn {
  readonly era: OvnEra;
  /** Counts the pings. */
  nbCfg: number;
  pingedAtMs: number;
  readonly chassis: Map<string, Chassis>;
}
