// Neutron's network API: agents, ports and their bindings, networks, floating addresses.
import { randomUUID } from 'node:crypto';
import { type AgentRow, listAgents } from '../world/agents.ts';
import { bindPort, requestedPort } from '../world/binding.ts';
import { fixedAddresses, floatingAddresses, floatingNetwork } from '../world/instances.ts';
import type { Network, Port } from '../world/model.ts';
import { ApiRefusal } from '../world/refusal.ts';
import type { World } from '../world/world.ts';
import { admit, type Gate } from './admission.ts';
import {
  type Answer,
  type Call,
  findRoute,
  htmlPage,
  isoSeconds,
  isRecord,
  jsonBody,
  type Route,
} from './call.ts';

/** Handles every request to Neutron. */
export function createNeutron(gate: Gate): (call: Call) => Promise<Answer> {
  const { world } = gate;
  const routes: Route[] = [
    { method: 'GET', path: /^\/v2\.0\/agents$/, handle: (call) => agents(world, call) },
    { method: 'GET', path: /^\/v2\.0\/ports$/, handle: (call) => ports(world, call) },
    {
      method: 'GET',
      path: /^\/v2\.0\/ports\/([^/]+)$/,
      handle: (_call, id = '') => ({
        status: 200,
        body: { port: portView(world, requestedPort(world, id)) },
      }),
    },
    {
      method: 'PUT',
      path: /^\/v2\.0\/ports\/([^/]+)$/,
      handle: (call, id = '') => putPort(world, call, requestedPort(world, id)),
    },
    { method: 'GET', path: /^\/v2\.0\/networks$/, handle: (call) => networks(world, call) },
    { method: 'GET', path: /^\/v2\.0\/rbac-policies$/, handle: (call) => policies(world, call) },
    { method: 'GET', path: /^\/v2\.0\/floatingips$/, handle: (call) => floatingIps(world, call) },
  ];

  const answer = async (call: Call): Promise<Answer> => {
    if (call.path === '/') return { status: 200, body: { versions: [versionDocument(call)] } };
    const stopped = await admit(gate, call);
    if (stopped !== null) return stopped;
    const handle = findRoute(routes, call);
    return handle === null
      ? { status: 404, body: htmlPage(404, 'Not Found', 'The resource could not be found.') }
      : handle();
  };

  return async (call) => {
    const plain = await answer(call).catch((error: unknown) => {
      if (!(error instanceof ApiRefusal)) throw error;
      return neutronError(error.status, error.message);
    });
    return { ...plain, headers: { 'X-Openstack-Request-Id': `req-${randomUUID()}`, ...plain.headers } };
  };
}

function versionDocument(call: Call): object {
  return { id: 'v2.0', status: 'CURRENT', links: [{ rel: 'self', href: `${call.url.origin}/v2.0/` }] };
}

function agents(world: World, call: Call): Answer {
  // A limit is ignored here, as Neutron does: all are sent.
  return listAnswer(call, 'agents', listAgents(world).map(agentView));
}

/** "2026-11-21 02:17:15": Neutron's timestamps of agents have a space, no zone, and mean UTC. */
function agentTime(ms: number): string {
  return isoSeconds(ms).slice(0, 19).replace('T', ' ');
}

const ovnTypes: Readonly<Record<string, string>> = {
  'ovn-controller': 'OVN Controller agent',
  'neutron-ovn-metadata-agent': 'OVN Metadata agent',
};

function agentView({ id, binary, host, beatMs, alive, of }: AgentRow): Record<string, unknown> {
  const ovnType = ovnTypes[binary];
  const common = {
    id,
    binary,
    host,
    heartbeat_timestamp: agentTime(beatMs),
    alive,
    admin_state_up: true,
    availability_zone: ovnType === undefined ? null : '',
  };
  if (ovnType !== undefined)
    return {
      ...common,
      agent_type: ovnType,
      topic: 'n/a',
      description: '',
      start_flag: true,
      configurations: { chassis_name: of.id, 'bridge-mappings': '' },
    };
  return {
    ...common,
    agent_type: 'Open vSwitch agent',
    topic: 'N/A',
    created_at: agentTime(of.createdAtMs),
    started_at: agentTime(of.createdAtMs),
    description: null,
    resources_synced: null,
    configurations: { datapath_type: 'system', tunneling_ip: of.address, tunnel_types: ['vxlan'] },
  };
}

function portView(world: World, port: Port): Record<string, unknown> {
  const fixed = fixedAddresses(world.requestedInstance(port.instanceId));
  return {
    id: port.id,
    name: '',
    network_id: port.network.id,
    tenant_id: port.projectId,
    mac_address: port.mac,
    admin_state_up: true,
    status: port.status,
    device_id: port.instanceId,
    device_owner: 'compute:nova',
    fixed_ips: fixed.map(({ address }) => ({ subnet_id: subnetOf(port.network), ip_address: address })),
    allowed_address_pairs: [],
    extra_dhcp_opts: [],
    security_groups: [],
    description: '',
    'binding:vnic_type': 'normal',
    'binding:profile': {},
    'binding:host_id': port.host ?? '',
    'binding:vif_type': port.vifType,
    'binding:vif_details': port.vifType === 'ovs' ? { connectivity: 'l2', bridge_name: 'br-int' } : {},
    port_security_enabled: false,
    tags: [],
    created_at: `${isoSeconds(world.startedAtMs).slice(0, 19)}Z`,
    updated_at: `${isoSeconds(world.startedAtMs).slice(0, 19)}Z`,
    revision_number: 5,
    project_id: port.projectId,
  };
}

function subnetOf(network: Network): string {
  return `${network.id.slice(0, -4)}0001`;
}

function ports(world: World, call: Call): Answer {
  const all = world.instances.map((instance) => portView(world, instance.port));
  all.sort((a, b) => String(a.id).localeCompare(String(b.id)));
  return listAnswer(call, 'ports', all, { paged: true });
}

function networks(world: World, call: Call): Answer {
  const list = world.networks.map((network) => ({
    id: network.id,
    name: network.name,
    tenant_id: ownerOf(world, network),
    project_id: ownerOf(world, network),
    admin_state_up: true,
    mtu: 1500,
    status: 'ACTIVE',
    subnets: [subnetOf(network)],
    shared: network.shared,
    'router:external': network.external,
    'provider:network_type': network.external ? 'flat' : 'vxlan',
  }));
  return listAnswer(call, 'networks', list, { paged: true });
}

/** What is open to all is the administrator's. */
const ownerOf = ({ projects }: World, { external, shared }: Network): string | undefined =>
  projects[external || shared ? 0 : 1]?.id;

function policies(world: World, call: Call): Answer {
  const open = world.networks.flatMap((network) => [
    ...(network.shared ? [{ network, action: 'access_as_shared' }] : []),
    ...(network.external ? [{ network, action: 'access_as_external' }] : []),
  ]);
  const list = open.map(({ network, action }) => ({
    id: `${network.id.slice(0, -4)}${action === 'access_as_shared' ? '5a5a' : 'e7e7'}`,
    project_id: ownerOf(world, network),
    tenant_id: ownerOf(world, network),
    ...{ object_type: 'network', object_id: network.id, action, target_tenant: '*' },
  }));
  // A limit is ignored here, as Neutron does.
  return listAnswer(call, 'rbac_policies', list);
}

function floatingIps(world: World, call: Call): Answer {
  const { id: networkId } = floatingNetwork(world);
  const list = world.instances.flatMap((instance) =>
    floatingAddresses(instance).map(({ address }) => ({
      id: `${instance.port.id.slice(0, -4)}f10a`,
      tenant_id: instance.projectId,
      project_id: instance.projectId,
      floating_ip_address: address,
      floating_network_id: networkId,
      router_id: null,
      port_id: instance.port.id,
      fixed_ip_address: fixedAddresses(instance)[0]?.address ?? null,
      status: 'ACTIVE',
      description: '',
      tags: [],
      revision_number: 1,
    })),
  );
  list.sort((a, b) => a.id.localeCompare(b.id));
  return listAnswer(call, 'floatingips', list, { paged: true });
}

const listWords = ['limit', 'marker', 'page_reverse', 'fields', 'sort_key', 'sort_dir'];

/** Filters (a repeated one means "any of"), fields, and Neutron's paging with links both ways. */
function listAnswer(
  call: Call,
  key: string,
  all: readonly Record<string, unknown>[],
  { paged = false } = {},
): Answer {
  const { query } = call;
  const filters = [...new Set(query.keys())].filter((name) => !listWords.includes(name));
  const sample = all[0];
  const odd = filters.find((name) => sample !== undefined && !(name in sample));
  if (odd !== undefined) {
    return neutronError(400, `['${odd}'] is invalid attribute for filtering`);
  }
  const wanted = all.filter((item) =>
    filters.every((name) =>
      query.getAll(name).some((value) => value.toLowerCase() === String(item[name]).toLowerCase()),
    ),
  );
  const { items, links } = paged ? cut(call, key, wanted) : { items: wanted, links: [] };
  const fields = query.getAll('fields');
  const shown = items.map((item) =>
    fields.length === 0
      ? item
      : Object.fromEntries(Object.entries(item).filter(([name]) => fields.includes(name))),
  );
  return { status: 200, body: { [key]: shown, ...(links.length === 0 ? {} : { [`${key}_links`]: links }) } };
}

interface NeutronPage {
  readonly items: readonly Record<string, unknown>[];
  readonly links: readonly object[];
}

const nouns: Readonly<Record<string, string>> = { ports: 'Port', networks: 'Network' };

function cut(call: Call, key: string, all: readonly Record<string, unknown>[]): NeutronPage {
  const limit = Number(call.query.get('limit') ?? 0);
  const marker = call.query.get('marker');
  const index = all.findIndex((item) => item.id === marker);
  // A marker that has gone: floating IPs begin after everything, others say so (both seen).
  if (marker !== null && index < 0 && key !== 'floatingips')
    throw new ApiRefusal(404, `${nouns[key] ?? 'Object'} ${marker} could not be found.`);
  const start = marker === null ? 0 : index < 0 ? all.length : index + 1;
  if (limit === 0) return { items: all.slice(start), links: [] };
  const items = all.slice(start, start + limit);
  const link = (rel: string, last: unknown, reverse: boolean): object => {
    const next = new URLSearchParams(call.query);
    next.delete('marker');
    if (last !== undefined) next.set('marker', String(last));
    if (reverse) next.set('page_reverse', 'True');
    return { rel, href: `${call.url.origin}${call.path}?${next}` };
  };
  const links = items.length === limit ? [link('next', items.at(-1)?.id, false)] : [];
  return { items, links: [...links, link('previous', items[0]?.id, true)] };
}

function putPort(world: World, call: Call, port: Port): Answer {
  const change = jsonBody(call).port;
  const host = isRecord(change) ? change['binding:host_id'] : undefined;
  if (typeof host === 'string') bindPort(world, port, host);
  return { status: 200, body: { port: portView(world, port) } };
}

function neutronError(status: number, message: string): Answer {
  const type = status === 404 ? 'PortNotFound' : 'HTTPBadRequest';
  return { status, body: { NeutronError: { type, message, detail: '' } } };
}
