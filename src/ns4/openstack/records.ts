// What Nova, Neutron and Keystone answer, as far as Sonny uses it, turned into Sonny's words. Field names and their
// oddities are those of the real services (docs/facts.md#names-fields-and-times).
import { z } from 'zod';
import type { Server } from '../../shared/documents/inventory.ts';
import type {
  AgentRecord,
  Aggregate,
  ComputeService,
  HypervisorRecord,
  MigrationRecord,
  PortBinding,
} from '../cloud/cloud.ts';
import { utcTime } from './validation.ts';

/** Nova writes "none" as null, and in places as an empty string. */
const nullable = z.string().nullable();
const orNull = (text: string | null | undefined): string | null => text || null;

export const hypervisorItem = z
  .object({
    id: z.union([z.string(), z.number()]),
    hypervisor_hostname: z.string(),
    service: z.object({ host: z.string() }),
    host_ip: nullable.optional(),
    // Null on a compute node that was never counted (docs/facts.md#names-fields-and-times): nothing is known to be there.
    vcpus: z.number().nullable(),
    vcpus_used: z.number().nullable(),
    memory_mb: z.number().nullable(),
    memory_mb_used: z.number().nullable(),
    running_vms: z.number().nullable(),
  })
  .transform((raw): HypervisorRecord & { id: string } => ({
    id: String(raw.id),
    name: raw.hypervisor_hostname,
    host: raw.service.host,
    address: orNull(raw.host_ip),
    vcpus: raw.vcpus ?? 0,
    vcpusUsed: raw.vcpus_used ?? 0,
    memoryMb: raw.memory_mb ?? 0,
    memoryMbUsed: raw.memory_mb_used ?? 0,
    runningVms: raw.running_vms ?? 0,
  }));

/** All that Nova tells of what is in a cell that does not answer (from 2.69 on; docs/facts.md#cells). */
const ofDownCell = z.object({ status: z.literal('UNKNOWN') });

export const computeServiceItem = z
  .object({
    id: z.string(),
    host: z.string(),
    zone: z.string(),
    state: z.enum(['up', 'down']),
    status: z.enum(['enabled', 'disabled']),
    disabled_reason: nullable.optional(),
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
      disabledReason: orNull(raw.disabled_reason),
      forcedDown: raw.forced_down,
      reportedAtMs: raw.updated_at,
    }),
  );

/** A service, or the host of one whose cell does not answer. */
export const computeServiceOrDown = z.union([
  ofDownCell
    .extend({ host: z.string(), binary: z.string() })
    .transform(({ host }) => ({ id: `down ${host}`, downHost: host })),
  computeServiceItem,
]);

export const aggregateItem = z
  .object({ id: z.number(), name: z.string(), hosts: z.array(z.string()) })
  .transform((raw): Aggregate & { id: string } => ({ id: String(raw.id), name: raw.name, hosts: raw.hosts }));

const addressItem = z.object({
  addr: z.string(),
  version: z.union([z.literal(4), z.literal(6)]),
  'OS-EXT-IPS:type': z.enum(['fixed', 'floating']),
});

/** Everything else a server has (user data, keys, metadata, an admin password) is left behind here. */
export const serverItem = z
  .object({
    id: z.string(),
    name: z.string(),
    tenant_id: z.string(),
    status: z.string(),
    created: z.string(),
    locked: z.boolean(),
    // Shown to administrators only: without them the list is of no use, so their absence is an error.
    'OS-EXT-SRV-ATTR:host': nullable,
    'OS-EXT-SRV-ATTR:hypervisor_hostname': nullable,
    'OS-EXT-STS:vm_state': z.string(),
    'OS-EXT-STS:task_state': nullable,
    'OS-EXT-STS:power_state': z.number(),
    'OS-EXT-AZ:availability_zone': nullable.optional(),
    flavor: z.object({ original_name: z.string(), vcpus: z.number(), ram: z.number() }),
    'OS-SRV-USG:launched_at': utcTime.nullish(),
    // Keyed by the network's name.
    addresses: z.record(z.string(), z.array(addressItem)),
    'os-extended-volumes:volumes_attached': z.array(z.object({ id: z.string() })).optional(),
    fault: z.object({ message: z.string() }).nullish(),
  })
  .transform(
    (raw): Server => ({
      id: raw.id,
      name: raw.name,
      projectId: raw.tenant_id,
      host: orNull(raw['OS-EXT-SRV-ATTR:host']),
      hypervisorName: orNull(raw['OS-EXT-SRV-ATTR:hypervisor_hostname']),
      status: raw.status,
      vmState: raw['OS-EXT-STS:vm_state'],
      taskState: orNull(raw['OS-EXT-STS:task_state']),
      powerState: raw['OS-EXT-STS:power_state'],
      locked: raw.locked,
      flavor: raw.flavor.original_name,
      vcpus: raw.flavor.vcpus,
      memoryMb: raw.flavor.ram,
      zone: orNull(raw['OS-EXT-AZ:availability_zone']),
      createdAt: raw.created,
      launchedAtMs: raw['OS-SRV-USG:launched_at'] ?? null,
      addresses: Object.entries(raw.addresses).flatMap(([network, addresses]) =>
        addresses.map((a) => ({
          ...{ network, networkId: null, external: false },
          ...{ address: a.addr, version: a.version, type: a['OS-EXT-IPS:type'] },
        })),
      ),
      volumes: (raw['os-extended-volumes:volumes_attached'] ?? []).map(({ id }) => id),
      fault: orNull(raw.fault?.message),
    }),
  );

/** A server, or the id of one whose cell does not answer. */
export const serverOrDown = z.union([
  ofDownCell
    .extend({ id: z.string(), name: z.undefined().optional() })
    .transform(({ id }) => ({ id, isDown: true as const })),
  serverItem,
]);

export const migrationItem = z
  .object({
    id: z.union([z.string(), z.number()]),
    // From 2.59.
    uuid: z.string().optional(),
    // From 2.23.
    migration_type: z.string(),
    instance_uuid: z.string(),
    status: z.string(),
    source_compute: nullable,
    dest_compute: nullable,
    created_at: utcTime,
    updated_at: utcTime.nullish(),
  })
  .transform(
    (raw): MigrationRecord => ({
      uuid: raw.uuid ?? String(raw.id),
      type: raw.migration_type,
      instanceId: raw.instance_uuid,
      status: raw.status,
      source: orNull(raw.source_compute),
      target: orNull(raw.dest_compute),
      createdAtMs: raw.created_at,
      updatedAtMs: raw.updated_at ?? raw.created_at,
    }),
  );

export const agentItem = z
  .object({
    id: z.string(),
    host: z.string(),
    binary: z.string(),
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
    id: z.string(),
    device_id: z.string(),
    device_owner: z.string(),
    // Shown to administrators only.
    'binding:host_id': nullable,
    'binding:vif_type': z.string(),
    status: z.string(),
    admin_state_up: z.boolean().optional(),
  })
  .transform((raw): PortBinding & { owner: string } => ({
    id: raw.id,
    owner: raw.device_owner,
    instanceId: raw.device_id,
    host: orNull(raw['binding:host_id']),
    vifType: raw['binding:vif_type'],
    status: raw.status,
    isSwitchedOn: raw.admin_state_up ?? true,
  }));

export const networkItem = z
  .object({
    id: z.string(),
    name: z.string(),
    project_id: nullable.optional(),
    // Where Neutron knows no external networks at all, no network has the field.
    'router:external': z.boolean().optional(),
    shared: z.boolean(),
  })
  .transform((raw) => ({
    id: raw.id,
    name: raw.name,
    projectId: orNull(raw.project_id),
    isOpen: raw.shared || raw['router:external'] === true,
  }));

/** Whom an object is opened to: "*" are all projects, and only an administrator can say so. */
export const policyItem = z
  .object({ id: z.string(), object_id: z.string(), target_tenant: z.string() })
  .transform((raw) => ({ id: raw.id, objectId: raw.object_id, target: raw.target_tenant }));

export const addressedPortItem = z
  .object({
    id: z.string(),
    device_id: z.string(),
    device_owner: z.string(),
    network_id: z.string(),
    fixed_ips: z.array(z.object({ ip_address: z.string() })),
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
    id: z.string(),
    // Null while it is bound to nobody.
    port_id: nullable,
    floating_ip_address: z.string(),
    floating_network_id: z.string(),
  })
  .transform((raw) => ({
    id: raw.id,
    portId: orNull(raw.port_id),
    address: raw.floating_ip_address,
    networkId: raw.floating_network_id,
  }));

export const extensionItem = z.object({ alias: z.string() });

export const projectItem = z.object({ id: z.string(), name: z.string() });
