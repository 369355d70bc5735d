// What a client of the real APIs would have made of the world's records, in Sonny's words.
import type {
  AgentRecord,
  ComputeService,
  HypervisorRecord,
  InstanceAddress,
  MigrationRecord,
  PortBinding,
} from '../../src/ns4/cloud/cloud.ts';
import type { Server } from '../../src/shared/documents/inventory.ts';
import type { AgentRow } from '../world/agents.ts';
import { fixedAddresses, floatingAddresses, floatingNetwork } from '../world/instances.ts';
import type { Host, Instance, Migration, Port } from '../world/model.ts';
import { isServiceUp, lastReport, track } from '../world/reports.ts';
import { serverStatus, shownFault } from '../world/status.ts';
import { reservedMemoryMb, type World } from '../world/world.ts';

/** The APIs tell whole seconds. */
export const wholeSeconds = (ms: number): number => Math.floor(ms / 1_000) * 1_000;

export function hypervisorOf(world: World, host: Host): HypervisorRecord {
  track(world, host);
  const { vms, vcpus, memoryMb } = host.tracked;
  return {
    name: host.hypervisorName,
    host: host.name,
    address: host.address,
    vcpus: host.vcpus,
    vcpusUsed: vcpus,
    memoryMb: host.memoryMb,
    memoryMbUsed: memoryMb + reservedMemoryMb,
    runningVms: vms,
  };
}

export function serviceOf(world: World, host: Host): ComputeService {
  return {
    id: host.compute.id,
    host: host.name,
    zone: host.zone,
    status: host.disabled ? 'disabled' : 'enabled',
    state: isServiceUp(world, host) ? 'up' : 'down',
    disabledReason: host.disabledReason,
    forcedDown: host.forcedDown,
    reportedAtMs: wholeSeconds(lastReport(host.compute, world.nowMs) + world.cloudOffsetMs),
  };
}

export function agentOf({ id, host, binary, beatMs, alive }: AgentRow): AgentRecord {
  return { id, host, binary, heartbeatAtMs: wholeSeconds(beatMs), alive };
}

export function serverOf(world: World, instance: Instance): Server {
  const { id, name, projectId, locked, powerState, host, node, vmState, taskState, flavor } = instance;
  return {
    id,
    name,
    projectId,
    locked,
    powerState,
    host,
    hypervisorName: node,
    status: serverStatus(instance),
    vmState,
    taskState,
    fault: shownFault(instance)?.message ?? null,
    flavor: flavor.name,
    vcpus: flavor.vcpus,
    memoryMb: flavor.memoryMb,
    zone: host === null ? null : world.host(host).zone,
    createdAt: `${new Date(instance.createdAtMs).toISOString().slice(0, 19)}Z`,
    launchedAtMs: instance.launchedAtMs === null ? null : wholeSeconds(instance.launchedAtMs),
    volumes: [],
    bootsFromImage: true,
    addresses: instance.addresses.map((address) => ({ ...address, networkId: null, external: false })),
  };
}

/** What Neutron gives an instance: by its port, and floating. */
export function addressesOf(world: World, instance: Instance): InstanceAddress[] {
  const { id: instanceId, port } = instance;
  return [
    ...fixedAddresses(instance).map(({ address }) => ({
      ...{ instanceId, networkId: port.network.id, address },
      type: 'fixed' as const,
    })),
    ...floatingAddresses(instance).map(({ address }) => ({
      ...{ instanceId, networkId: floatingNetwork(world).id, address },
      type: 'floating' as const,
    })),
  ];
}

export function migrationOf(migration: Migration): MigrationRecord {
  const { id, type, instance, status, source, target, createdAtMs, updatedAtMs } = migration;
  return {
    uuid: id,
    type,
    instanceId: instance.id,
    status,
    source,
    target,
    createdAtMs: wholeSeconds(createdAtMs),
    updatedAtMs: wholeSeconds(updatedAtMs),
  };
}

export function bindingOf({ id, instanceId, host, vifType, status }: Port): PortBinding {
  return { id, instanceId, host, vifType, status, isSwitchedOn: true };
}
