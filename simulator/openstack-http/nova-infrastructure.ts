// Nova's view of what carries the instances: hypervisors, services, aggregates, migrations.
import { setTimeout as delay } from 'node:timers/promises';
import type { ComputeServiceChange } from '../../src/ns4/cloud/cloud.ts';
import { isCellDown, needCell } from '../world/cells.ts';
import { changeService, requestedService } from '../world/compute-service.ts';
import type { Host } from '../world/model.ts';
import { ApiRefusal } from '../world/refusal.ts';
import { isServiceUp, lastReport, track, uptimeOf } from '../world/reports.ts';
import { reservedMemoryMb, type World } from '../world/world.ts';
import { type Answer, type Call, htmlPage, isoSeconds, jsonBody, type Route } from './call.ts';
import { novaVersion } from './nova-version.ts';
import { cutPage } from './paging.ts';

/** The routes for hypervisors, services and aggregates. */
export function infrastructureRoutes(world: World): Route[] {
  return [
    {
      method: 'GET',
      path: /^\/os-hypervisors(\/detail)?$/,
      handle: (call, detail) => hypervisors(world, call, detail !== ''),
    },
    {
      method: 'GET',
      path: /^\/os-hypervisors\/([^/]+)\/uptime$/,
      handle: (call, id) => uptime(world, id ?? '', novaVersion(call)),
    },
    { method: 'GET', path: /^\/os-services$/, handle: (call) => services(world, call) },
    {
      method: 'PUT',
      path: /^\/os-services\/([^/]+)$/,
      handle: (call, id) => putService(world, call, id ?? ''),
    },
    { method: 'GET', path: /^\/os-aggregates$/, handle: (call) => aggregates(world, novaVersion(call)) },
  ];
}

function hypervisors(world: World, call: Call, detail: boolean): Answer {
  const version = novaVersion(call);
  // Each cell is asked in turn, and one that does not answer ends it.
  if (world.downCells.size > 0) throw new ApiRefusal(500, 'Unexpected API Error. DBConnectionError');
  const all = [...world.hosts.values()];
  const idOf = (host: Host): string => (version >= 53 ? host.id : String(host.number));
  // Before 2.33 a limit is ignored.
  const page = version >= 33 ? cutPage(call, all, idOf) : { items: all, links: null };
  const withServers = call.query.get('with_servers')?.toLowerCase() === 'true' && version >= 53;
  const list = page.items.map((host) => ({
    id: version >= 53 ? host.id : host.number,
    hypervisor_hostname: host.hypervisorName,
    state: isServiceUp(world, host) ? 'up' : 'down',
    status: host.disabled ? 'disabled' : 'enabled',
    ...(detail ? hypervisorDetail(world, host, version) : {}),
    ...(withServers ? serversOf(world, host, version) : {}),
  }));
  const links = page.links === null ? {} : { hypervisors_links: page.links };
  return { status: 200, body: { hypervisors: list, ...links } };
}

/** Up to 2.87 a question of its own, which the host's nova-compute is asked. */
function uptime(world: World, id: string, version: number): Answer {
  const host = [...world.hosts.values()].find((one) => one.id === id || String(one.number) === id);
  if (host === undefined || version >= 88)
    throw new ApiRefusal(404, `Compute host ${id} could not be found.`);
  const told = uptimeOf(world, host);
  if (told === null) throw new ApiRefusal(400, `Compute service of ${host.name} is unavailable.`);
  const status = host.disabled ? 'disabled' : 'enabled';
  return {
    status: 200,
    body: {
      hypervisor: { id, hypervisor_hostname: host.hypervisorName, state: 'up', status, uptime: told },
    },
  };
}

const cpuInfo = {
  arch: 'x86_64',
  model: 'Nehalem',
  vendor: 'Intel',
  features: ['pge', 'clflush'],
  topology: { cores: 1, threads: 1, sockets: 4 },
};
const diskGb = 600_000;

function hypervisorDetail(world: World, host: Host, version: number): object {
  track(world, host);
  const { vms, vcpus, memoryMb } = host.tracked;
  const usedMb = memoryMb + reservedMemoryMb;
  const whatItIs = {
    hypervisor_type: 'fake',
    hypervisor_version: 1000,
    host_ip: host.address,
    service: {
      id: version >= 53 ? host.compute.id : host.number,
      host: host.name,
      disabled_reason: host.disabledReason,
    },
  };
  // From 2.88 on nothing is told of size and use.
  if (version >= 88) return { ...whatItIs, uptime: null };
  return {
    ...whatItIs,
    vcpus: host.vcpus,
    memory_mb: host.memoryMb,
    local_gb: diskGb,
    vcpus_used: vcpus,
    memory_mb_used: usedMb,
    local_gb_used: 0,
    free_ram_mb: host.memoryMb - usedMb,
    free_disk_gb: diskGb,
    current_workload: 0,
    running_vms: vms,
    disk_available_least: 0,
    cpu_info: version >= 28 ? cpuInfo : JSON.stringify(cpuInfo),
  };
}

function serversOf(world: World, host: Host, version: number): object {
  const servers = world.instancesOn(host.name).map((instance) => ({
    name: `instance-${instance.number.toString(16).padStart(8, '0')}`,
    uuid: instance.id,
  }));
  // Up to 2.74 an empty host has no such key at all.
  return servers.length > 0 || version >= 75 ? { servers } : {};
}

function serviceView(world: World, host: Host, version: number): object {
  if (isCellDown(world, host)) return { binary: 'nova-compute', host: host.name, status: 'UNKNOWN' };
  return {
    binary: 'nova-compute',
    host: host.name,
    id: version >= 53 ? host.compute.id : host.number,
    zone: host.zone,
    status: host.disabled ? 'disabled' : 'enabled',
    state: isServiceUp(world, host) ? 'up' : 'down',
    updated_at: isoSeconds(lastReport(host.compute, world.nowMs) + world.cloudOffsetMs),
    disabled_reason: host.disabledReason,
    ...(version >= 11 ? { forced_down: host.forcedDown } : {}),
  };
}

function services(world: World, call: Call): Answer {
  const { query } = call;
  const version = novaVersion(call);
  const wanted = (binary: string, host: string): boolean =>
    (query.get('binary') ?? binary) === binary && (query.get('host') ?? host) === host;
  const control = ['nova-scheduler', 'nova-conductor'].map((binary, index) => ({
    binary,
    host: 'controller',
    id: version >= 53 ? `00000000-0000-4000-8000-00000000000${index}` : 1_000 + index,
    zone: 'internal',
    status: 'enabled',
    state: binary === 'nova-conductor' && world.stopped.has('conductor') ? 'down' : 'up',
    updated_at: isoSeconds(world.cloudNowMs),
    disabled_reason: null,
    ...(version >= 11 ? { forced_down: false } : {}),
  }));
  const list = [
    ...control.filter((service) => wanted(service.binary, service.host)),
    ...[...world.hosts.values()]
      .filter((host) => wanted('nova-compute', host.name))
      // Up to 2.68 what is in such a cell is not told at all.
      .filter((host) => version >= 69 || !isCellDown(world, host))
      .map((host) => serviceView(world, host, version)),
  ];
  return { status: 200, body: { services: list } };
}

async function putService(world: World, call: Call, id: string): Promise<Answer> {
  const version = novaVersion(call);
  if (version >= 53 && !/^[0-9a-f-]{36}$/.test(id)) throw new ApiRefusal(400, `Invalid uuid ${id}`);
  // By UUID from 2.53; before, the ids are actions and their bodies name host and binary.
  const host = version >= 53 ? requestedService(world, id) : world.hosts.get(String(jsonBody(call).host));
  if (host === undefined) throw new ApiRefusal(404, `Service ${id} could not be found.`);
  needCell(world, host.name);
  const change = version >= 53 ? modernChange(jsonBody(call)) : oldChange(id, jsonBody(call));
  if (change === null) {
    return { status: 404, body: htmlPage(404, 'Not Found', 'The resource could not be found.') };
  }
  const { blocksMs } = changeService(world, host, change);
  if (blocksMs > 0) await delay(blocksMs);
  return { status: 200, body: { service: serviceView(world, host, version) } };
}

function modernChange(body: Record<string, unknown>): ComputeServiceChange {
  const odd = Object.keys(body).find((key) => !['status', 'disabled_reason', 'forced_down'].includes(key));
  if (odd !== undefined) {
    throw new ApiRefusal(400, `Additional properties are not allowed ('${odd}' was unexpected)`);
  }
  const { status, disabled_reason: reason, forced_down: forcedDown } = body;
  if (status !== undefined && status !== 'enabled' && status !== 'disabled') {
    throw new ApiRefusal(
      400,
      `Invalid input for field/attribute status. Value: ${String(status)}. '${String(status)}' is not one of ['enabled', 'disabled']`,
    );
  }
  if (typeof reason === 'string' && [...reason].length > 255) {
    throw new ApiRefusal(
      400,
      `Invalid input for field/attribute disabled_reason. Value: ${reason}. '${reason}' is too long`,
    );
  }
  return {
    ...(status === undefined ? {} : { status }),
    ...(typeof reason === 'string' ? { disabledReason: reason } : {}),
    ...(typeof forcedDown === 'boolean' ? { forcedDown } : {}),
  };
}

function oldChange(action: string, body: Record<string, unknown>): ComputeServiceChange | null {
  if (action === 'enable') return { status: 'enabled' };
  if (action === 'disable') return { status: 'disabled' };
  if (action === 'disable-log-reason') {
    return { status: 'disabled', disabledReason: String(body.disabled_reason) };
  }
  return action === 'force-down' ? { forcedDown: body.forced_down === true } : null;
}

function aggregates(world: World, version: number): Answer {
  const list = world.aggregates.map((aggregate) => ({
    id: aggregate.id,
    name: aggregate.name,
    hosts: aggregate.hosts,
    metadata: {},
    availability_zone: null,
    created_at: isoSeconds(world.startedAtMs),
    updated_at: null,
    deleted_at: null,
    deleted: false,
    ...(version >= 41 ? { uuid: aggregate.uuid } : {}),
  }));
  return { status: 200, body: { aggregates: list } };
}
