// What Nova, Neutron and Keystone answer, as far as Sonny uses it, turned into Sonny's words. Field names and their
// oddities are those of the real services (docs/facts.md#names-fields-and-times).
import { z } from 'zod';
import { deletedChassis, type Server } from '../../shared/documents/inventory.ts';
import type {
  AgentRecord,
  Aggregate,
  ComputeService,
  HypervisorRecord,
  MigrationRecord,
  PortBinding,
} from '../cloud/cloud.ts';
import { hostName, id, ipAddress, name, opaqueId, orNone, sensible, term, words } from '../cloud/outside.ts';
import { utcTime } from './validation.ts';

/** Where a field that only people read makes no sense, or one whose nonsense has a safe meaning. */
const orElse = <T extends z.ZodType>(type: T, otherwise: z.infer<T>) => type.catch(() => otherwise);
const noneIfOdd = <T extends z.ZodType>(type: T) =>
  orNone(type)
    .nullish()
    .transform((value) => value ?? null)
    .catch(() => null);
/** A state that nobody can read: no rule takes it for one that it knows. */
const unread = 'unknown';

export const hypervisorItem = z
  .object({
    id,
    hypervisor_hostname: hostName,
    service: z.object({ host: hostName }),
    // Without it the host cannot be scanned, which is said then.
    host_ip: noneIfOdd(ipAddress),
    // Null on a compute node that was never counted (docs/facts.md#names-fields-and-times): no room is known there, and not
    // how many instances.
    vcpus: z.number().nullable(),
    vcpus_used: z.number().nullable(),
    memory_mb: z.number().nullable(),
    memory_mb_used: z.number().nullable(),
    running_vms: z.number().nullable(),
  })
  .transform((raw): HypervisorRecord & { id: string } => ({
    id: raw.id,
    name: raw.hypervisor_hostname,
    host: raw.service.host,
    address: raw.host_ip,
    vcpus: raw.vcpus ?? 0,
    vcpusUsed: raw.vcpus_used ?? 0,
    memoryMb: raw.memory_mb ?? 0,
    memoryMbUsed: raw.memory_mb_used ?? 0,
    runningVms: raw.running_vms,
  }));

/** All that Nova tells of what is in a cell that does not answer (from 2.69 on; docs/facts.md#cells). */
const ofDownCell = z.object({ status: z.literal('UNKNOWN') });

export const computeServiceItem = z
  .object({
    id,
    host: hostName,
    zone: name,
    state: z.enum(['up', 'down']),
    status: z.enum(['enabled', 'disabled']),
    disabled_reason: orNone(name).optional(),
    forced_down: z.boolean(),
    updated_at: utcTime.nullable(),
  })
  .transform(
    (raw): ComputeService => ({
      id: raw.id,
      host: raw.host,
      zone: raw.zone,
      state: raw.state,
      status: raw.status,
      disabledReason: raw.disabled_reason ?? null,
      forcedDown: raw.forced_down,
      reportedAtMs: raw.updated_at,
    }),
  );

/** A service, or the host of one whose cell does not answer. */
export const computeServiceOrDown = z.union([
  ofDownCell
    .extend({ host: hostName, binary: term })
    .transform(({ host }) => ({ id: `down ${host}`, downHost: host })),
  computeServiceItem,
]);

export const aggregateItem = z
  .object({ id, name, hosts: sensible(hostName) })
  .transform((raw): Aggregate & { id: string } => ({ id: raw.id, name: raw.name, hosts: raw.hosts }));

const addressItem = z.object({
  addr: ipAddress,
  version: z.union([z.literal(4), z.literal(6)]),
  'OS-EXT-IPS:type': z.enum(['fixed', 'floating']),
});

/** Everything else a server has (user data, keys, metadata, an admin password) is left behind here. */
export const serverItem = z
  .object({
    id,
    // A name is for people: without one, the id is all there is to show.
    name: orElse(name, ''),
    tenant_id: orElse(opaqueId, ''),
    status: orElse(term, 'UNKNOWN'),
    created: orElse(name, ''),
    locked: orElse(z.boolean(), false),
    // Shown to administrators only: without them the list is of no use, so their absence is an error.
    'OS-EXT-SRV-ATTR:host': orNone(hostName),
    'OS-EXT-SRV-ATTR:hypervisor_hostname': orNone(hostName),
    'OS-EXT-STS:vm_state': orElse(term, unread),
    // Whatever it is, something is under way.
    'OS-EXT-STS:task_state': orElse(orNone(term), unread),
    'OS-EXT-STS:power_state': orElse(z.number(), 0),
    'OS-EXT-AZ:availability_zone': noneIfOdd(name),
    flavor: orElse(z.object({ original_name: name, vcpus: z.number(), ram: z.number() }), {
      ...{ original_name: '?', vcpus: 0, ram: 0 },
    }),
    'OS-SRV-USG:launched_at': z
      .union([utcTime, z.null(), z.undefined()])
      .or(z.unknown().transform(() => unread)),
    // Keyed by the network's name.
    addresses: orElse(z.record(name, sensible(addressItem)), {}),
    // Their names are the disks' names: one that is not known is one that nobody asks for.
    'os-extended-volumes:volumes_attached': z.array(z.object({ id })).max(1_000).optional(),
    // '' for one that boots from a volume.
    image: orElse(z.union([z.literal(''), z.object({ id: opaqueId }), z.null()]), null),
    fault: orElse(z.object({ message: words }).nullish(), null),
  })
  .transform((raw): Server => {
    const launchedAtMs = raw['OS-SRV-USG:launched_at'];
    return {
      id: raw.id,
      name: raw.name === '' ? raw.id : raw.name,
      projectId: raw.tenant_id,
      host: raw['OS-EXT-SRV-ATTR:host'],
      hypervisorName: raw['OS-EXT-SRV-ATTR:hypervisor_hostname'],
      status: raw.status,
      // Since when it runs nobody knows: its silence is no evidence, as that of no other state that is not known.
      vmState: launchedAtMs === unread ? unread : raw['OS-EXT-STS:vm_state'],
      taskState: raw['OS-EXT-STS:task_state'],
      powerState: raw['OS-EXT-STS:power_state'],
      locked: raw.locked,
      flavor: raw.flavor.original_name,
      vcpus: raw.flavor.vcpus,
      memoryMb: raw.flavor.ram,
      zone: raw['OS-EXT-AZ:availability_zone'],
      createdAt: raw.created,
      launchedAtMs: typeof launchedAtMs === 'number' ? launchedAtMs : null,
      addresses: Object.entries(raw.addresses).flatMap(([network, addresses]) =>
        addresses.map((a) => ({
          ...{ network, networkId: null, external: false },
          ...{ address: a.addr, version: a.version, type: a['OS-EXT-IPS:type'] },
        })),
      ),
      volumes: (raw['os-extended-volumes:volumes_attached'] ?? []).map((volume) => volume.id),
      bootsFromImage: raw.image === null ? null : raw.image !== '',
      fault: raw.fault?.message || null,
    };
  });

/** A server, or the id of one whose cell does not answer. */
export const serverOrDown = z.union([
  ofDownCell
    .extend({ id, name: z.undefined().optional() })
    .transform((down) => ({ id: down.id, isDown: true as const })),
  serverItem,
]);

export const migrationItem = z
  .object({
    id,
    // From 2.59.
    uuid: id.optional(),
    // From 2.23. Of an unreadable type or state it counts as under way.
    migration_type: orElse(term, unread),
    instance_uuid: id,
    status: orElse(term, unread),
    source_compute: orNone(hostName),
    dest_compute: orNone(hostName),
    created_at: utcTime,
    updated_at: utcTime.nullish(),
  })
  .transform(
    (raw): MigrationRecord => ({
      uuid: raw.uuid ?? raw.id,
      type: raw.migration_type,
      instanceId: raw.instance_uuid,
      status: raw.status,
      source: raw.source_compute,
      target: raw.dest_compute,
      createdAtMs: raw.created_at,
      updatedAtMs: raw.updated_at ?? raw.created_at,
    }),
  );

export const agentItem = z
  .object({
    id: opaqueId,
    host: z.union([hostName, z.literal(deletedChassis)]),
    binary: term,
    heartbeat_timestamp: utcTime,
    alive: z.boolean(),
  })
  .transform(
    (raw): AgentRecord => ({
      id: raw.id,
      host: raw.host,
      binary: raw.binary,
      heartbeatAtMs: raw.heartbeat_timestamp,
      alive: raw.alive,
    }),
  );

export const portItem = z
  .object({
    id,
    device_id: name,
    device_owner: name,
    // Shown to administrators only.
    'binding:host_id': orNone(hostName),
    'binding:vif_type': term,
    status: term,
    admin_state_up: z.boolean().optional(),
  })
  .transform((raw): PortBinding & { owner: string } => ({
    id: raw.id,
    owner: raw.device_owner,
    instanceId: raw.device_id,
    host: raw['binding:host_id'],
    vifType: raw['binding:vif_type'],
    status: raw.status,
    isSwitchedOn: raw.admin_state_up ?? true,
  }));

export const networkItem = z
  .object({
    id,
    name,
    project_id: noneIfOdd(opaqueId),
    // Where Neutron knows no external networks at all, no network has the field.
    'router:external': z.boolean().optional(),
    shared: z.boolean(),
  })
  .transform((raw) => ({
    id: raw.id,
    name: raw.name,
    projectId: raw.project_id,
    isOpen: raw.shared || raw['router:external'] === true,
  }));

/** Whom an object is opened to: "*" are all projects, and only an administrator can say so. */
export const policyItem = z
  .object({ id, object_id: id, target_tenant: name })
  .transform((raw) => ({ id: raw.id, objectId: raw.object_id, target: raw.target_tenant }));

export const addressedPortItem = z
  .object({
    id,
    device_id: name,
    device_owner: name,
    network_id: id,
    fixed_ips: sensible(z.object({ ip_address: ipAddress })),
  })
  .transform((raw) => ({
    id: raw.id,
    owner: raw.device_owner,
    instanceId: raw.device_id,
    networkId: raw.network_id,
    addresses: raw.fixed_ips.map((fixed) => fixed.ip_address),
  }));

export const floatingItem = z
  .object({
    id,
    // Null while it is bound to nobody.
    port_id: orNone(id),
    floating_ip_address: ipAddress,
    floating_network_id: id,
  })
  .transform((raw) => ({
    id: raw.id,
    portId: raw.port_id,
    address: raw.floating_ip_address,
    networkId: raw.floating_network_id,
  }));

export const extensionItem = z.object({ alias: term });

export const projectItem = z.object({ id: opaqueId, name });
