// The inventory: what ns4 last saw of a cloud, as it crosses to the monitor and to sonny through Redis. `hosts`
// (hypervisors, compute services, network agents, aggregates, projects) is replaced at every refresh; the servers by
// host, and how many there are, when asked for. This file owns their shape; nothing else is ever stored of a server, so
// that user data, passwords and keys cannot leak from here.
import { z } from 'zod';
import {
  isByNovaItself,
  isSpareReason,
  mentionsRecovery,
  notASpareBecause,
  recoveryMarkOf,
} from './terms/disabled-reason.ts';
import { fencingPlansSchema } from './terms/fencing-plans.ts';
import { leftOutSchema } from './terms/left-out.ts';

/** A compute service (nova-compute) and the hypervisor it runs. `host` is the service host, Nova's own key. */
const hypervisorSchema = z.object({
  /** Service host: what agents, services, servers and evacuate's target are keyed by. */
  host: z.string(),
  /** hypervisor_hostname: often the FQDN, then not equal to `host`. */
  name: z.string(),
  /** The address the host is scanned on (host_ip), null when Nova knows none. */
  address: z.string().nullable(),
  state: z.enum(['up', 'down']),
  status: z.enum(['enabled', 'disabled']),
  disabledReason: z.string().nullable(),
  forcedDown: z.boolean(),
  zone: z.string(),
  serviceId: z.string(),
  vcpus: z.number(),
  vcpusUsed: z.number(),
  memoryMb: z.number(),
  memoryMbUsed: z.number(),
  /**
   * Nova's own count; stale on a dead host until its nova-compute returns (docs/facts.md#counts-on-a-dead-host). Null: it
   * never counted there, so that the list of servers alone can tell.
   */
  runningVms: z.number().nullable(),
  /** Names of all aggregates the host is in, sorted. */
  aggregates: z.array(z.string()),
  /** When nova-compute last reported, ms since the epoch; null when it never did. */
  reportedAtMs: z.number().nullable(),
});
export type Hypervisor = z.infer<typeof hypervisorSchema>;

/**
 * What ns4's own looks at one OVN row came to (docs/facts.md#ovn). Times are of the ns4 that looked; beats are compared
 * with each other only.
 */
const ovnStateSchema = z.object({
  /** `alive`: its beat moved; `silent`: others answered and it did not, or its row is gone or called dead. */
  says: z.enum(['alive', 'silent', 'cannot-tell']),
  why: z.enum([
    'moved',
    'missed',
    'vanished',
    'deleted',
    'called-dead',
    'never-moved',
    'all-gone',
    'stamp-is-the-request',
  ]),
  /** Its beat as told when it was last known who answers: what the next look compares with. */
  baseMs: z.number(),
  /**
   * It did not answer the last time that others did: it may yet, which says nothing about the others. Of one that is
   * alive: it answered a ping that others had not answered by the last look.
   */
  isBehind: z.boolean(),
  /** When a look found that its beat had moved; null: none did. */
  heardAtMs: z.number().nullable(),
  /** The look before that one: it lived at some time since then. */
  heardAfterMs: z.number().nullable(),
  silentSinceMs: z.number().nullable(),
  /** When the last look began that asked twice. */
  lookedAtMs: z.number(),
});
export type OvnState = z.infer<typeof ovnStateSchema>;

/** One Neutron agent of a host with its last heartbeat, corrected to the clock of the ns4 that read it. */
const agentSchema = z.object({
  /** Neutron's id; empty in documents of older versions. */
  id: z.string().default(''),
  /** The service host of the hypervisor it belongs to; its own word for it where that is none. */
  host: z.string(),
  /** As Neutron has it: an FQDN, say, where Nova has a short name. Empty in documents of older versions. */
  statedHost: z.string().default(''),
  binary: z.string(),
  heartbeatAtMs: z.number(),
  alive: z.boolean(),
  /** Of OVN's rows only; null for agents that report by themselves, and in documents of older versions. */
  ovn: ovnStateSchema.nullable().default(null),
});
export type Agent = z.infer<typeof agentSchema>;

/** Neutron's name for the host of a chassis that was deleted. */
export const deletedChassis = '("Chassis" register deleted)';

/**
 * How an agent tells of itself. `reports`: by itself. `ovn`: ovn-controller, which beats only when somebody lists agents.
 * `ovn-helper`: likewise, but late and not always (metadata agents): no measure.
 */
export type AgentKind = 'reports' | 'ovn' | 'ovn-helper';

export const kindOfAgent = ({ binary }: Pick<Agent, 'binary'>): AgentKind =>
  binary === 'ovn-controller' ? 'ovn' : binary.includes('ovn') ? 'ovn-helper' : 'reports';

const projectSchema = z.object({ id: z.string(), name: z.string() });

export const hostsSchema = z.object({
  version: z.literal(1),
  cloud: z.string(),
  collectedAtMs: z.number(),
  /** Cloud clock minus ns4's clock, as the API's Date header showed it; heartbeats are already corrected by it. */
  clockSkewMs: z.number(),
  hypervisors: z.array(hypervisorSchema),
  agents: z.array(agentSchema),
  /** Service hosts of a cell that does not answer Nova: nothing else is known of them, and nobody judges them. */
  cellDown: z.array(z.string()).default([]),
  /** Whom Sonny cut off from Ceph, and who still is. `sinceMs`: when that was done last. */
  cutOff: z
    .array(z.object({ host: z.string(), addresses: z.array(z.string()), sinceMs: z.number() }))
    .default([]),
  /** Records of OpenStack that made no sense; absent in inventories of earlier versions. */
  leftOut: z.array(leftOutSchema).default([]),
  /** The plans of fencing of the ns4 that were there. */
  fencingPlans: fencingPlansSchema.default([]),
  projects: z.array(projectSchema),
});
/** The `hosts` half of the inventory. */
export type Hosts = z.infer<typeof hostsSchema>;

const serverAddressSchema = z.object({
  /** The network's name, for people: names need not be unique. */
  network: z.string(),
  /** Neutron's id of the network; of a floating address that of its floating network. Null: Neutron told none. */
  networkId: z.string().nullable().default(null),
  /** Reached from outside: floating, or on one of `provider_net` (see `external-networks.ts` in ns4/jobs). */
  external: z.boolean().default(false),
  address: z.string(),
  version: z.union([z.literal(4), z.literal(6)]),
  type: z.enum(['fixed', 'floating']),
});
export type ServerAddress = z.infer<typeof serverAddressSchema>;

/** The public facts of a server (an instance): all that Sonny ever keeps or shows of it. */
export const serverSchema = z.object({
  id: z.string(),
  name: z.string(),
  projectId: z.string(),
  /** Service host it is on; null for one that is on none (shelved offloaded). */
  host: z.string().nullable(),
  hypervisorName: z.string().nullable(),
  /** ACTIVE, SHUTOFF, ERROR, REBUILD… */
  status: z.string(),
  /** active, stopped, paused, error… */
  vmState: z.string(),
  taskState: z.string().nullable(),
  /** Nova's number: 1 running, 3 paused, 4 shut down, 0 unknown. */
  powerState: z.number(),
  locked: z.boolean(),
  flavor: z.string(),
  vcpus: z.number(),
  memoryMb: z.number(),
  zone: z.string().nullable(),
  createdAt: z.string(),
  /** When it was last started anew (boot, rebuild, evacuation), ms since the epoch; null: never, or not told. */
  launchedAtMs: z.number().nullable().default(null),
  /** As Neutron had them when the servers were read; Nova's own memory of them where Neutron has no port. */
  addresses: z.array(serverAddressSchema),
  /** Ids of the volumes that are attached to it. */
  volumes: z.array(z.string()).default([]),
  /** Its root disk was made from an image; false: it boots from a volume; null: not told. */
  bootsFromImage: z.boolean().nullable().default(null),
  /** Nova's own words on why it is in ERROR; null otherwise. */
  fault: z.string().nullable(),
});
export type Server = z.infer<typeof serverSchema>;

/** What stands for the service host of a server that is on none. */
export const onNoHost = '';

/** The servers as one refresh read them. */
export interface Servers {
  readonly collectedAtMs: number;
  readonly servers: readonly Server[];
}

/** How many servers there are, and the name under which they are stored by host. */
export const instanceCountsSchema = z.object({
  version: z.literal(1),
  cloud: z.string(),
  /** Of one refresh; its servers never change. */
  generation: z.string(),
  collectedAtMs: z.number(),
  /** All of them. */
  count: z.number(),
  /** By service host; a host without any is not in it. */
  byHost: z.record(z.string(), z.number()),
});
export type InstanceCounts = z.infer<typeof instanceCountsSchema>;

/** Is this compute service set aside as a spare? Disabled, with a reason that begins with the word "spare". */
export const isMarkedSpare = (h: Pick<Hypervisor, 'status' | 'disabledReason'>): boolean =>
  h.status === 'disabled' && isSpareReason(h.disabledReason);

/**
 * Disabled services that are no spares although their reason contains the word, each as a sentence: whoever wrote it
 * may count on them.
 */
export const notSpares = (
  hypervisors: readonly Pick<Hypervisor, 'host' | 'status' | 'disabledReason'>[],
): string[] =>
  hypervisors.flatMap(({ host, status, disabledReason }) => {
    const why = status === 'disabled' ? notASpareBecause(disabledReason) : null;
    return why === null ? [] : [`${host} is no spare: its reason ${why}`];
  });

/** Down, and disabled with a reason that names sonny: a recovery has been here before. */
export function wasHandled(hypervisor: Pick<Hypervisor, 'state' | 'status' | 'disabledReason'>): boolean {
  return (
    hypervisor.state === 'down' &&
    hypervisor.status === 'disabled' &&
    /sonny/i.test(hypervisor.disabledReason ?? '')
  );
}

/** Disabled with the reason that a recovery leaves, whatever became of its nova-compute since. */
export const bearsMarkOfRecovery = (h: Pick<Hypervisor, 'status' | 'disabledReason'>): boolean =>
  h.status === 'disabled' && mentionsRecovery(h.disabledReason);

/**
 * The reason for which an operator disabled the service of this host, as he wrote it ("" without one): he is at work
 * there. Null: it is enabled, set aside as a spare, marked by a recovery, or disabled by Nova itself.
 */
export function operatorsReason({
  status,
  disabledReason,
}: Pick<Hypervisor, 'status' | 'disabledReason'>): string | null {
  if (status !== 'disabled' || isSpareReason(disabledReason) || isByNovaItself(disabledReason)) return null;
  return recoveryMarkOf(disabledReason) === null ? (disabledReason ?? '') : null;
}

/** The addresses at which a server can be asked from outside. */
export const externalAddresses = ({ addresses }: Pick<Server, 'addresses'>): ServerAddress[] =>
  addresses.filter(({ external }) => external);
