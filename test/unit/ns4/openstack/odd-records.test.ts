// One odd record beside sensible ones, in each list and each of its fields: the sensible ones are read, the odd one is read
// as far as it makes sense, or left out and told. Through the real client and the refresh, over HTTP.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refreshInventory } from '../../../../src/ns4/jobs/refresh-inventory.ts';
import { MAX_ITEMS } from '../../../../src/ns4/openstack/paging.ts';
import { hostsSchema, serverSchema } from '../../../../src/shared/documents/inventory.ts';
import { cloudErrorOf, type ScriptedClient, scriptedClient } from '../../../support/scripted-cloud.ts';

const never = new AbortController().signal;
/** By the clock of the pretend cloud, which is this machine's. */
const atTime = new Date().toISOString().slice(0, 19);
const idOf = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;
type Raw = Record<string, unknown>;

const lists: Record<string, { readonly path: string; readonly of: (n: number) => Raw }> = {
  hypervisors: {
    path: '/compute/v2.1/os-hypervisors/detail',
    of: (n) => ({
      ...{ id: idOf(n), hypervisor_hostname: `hv${n}.example.org`, service: { host: `hv${n}` } },
      ...{ host_ip: `10.0.0.${n}`, vcpus: 8, vcpus_used: 1, memory_mb: 1, memory_mb_used: 1, running_vms: 1 },
    }),
  },
  services: {
    path: '/compute/v2.1/os-services',
    of: (n) => ({
      ...{ id: idOf(n), host: `hv${n}`, binary: 'nova-compute', zone: 'nova', state: 'up' },
      ...{ status: 'enabled', disabled_reason: null, forced_down: false, updated_at: atTime },
    }),
  },
  aggregates: {
    path: '/compute/v2.1/os-aggregates',
    of: (n) => ({ id: n, name: `agg${n}`, hosts: ['hv1', 'hv2'] }),
  },
  servers: {
    path: '/compute/v2.1/servers/detail',
    of: (n) => ({
      ...{
        id: idOf(n),
        name: `web-${n}`,
        tenant_id: 'p1',
        status: 'ACTIVE',
        created: atTime,
        locked: false,
      },
      ...{ 'OS-EXT-SRV-ATTR:host': `hv${n}`, 'OS-EXT-SRV-ATTR:hypervisor_hostname': `hv${n}.example.org` },
      ...{ 'OS-EXT-STS:vm_state': 'active', 'OS-EXT-STS:task_state': null, 'OS-EXT-STS:power_state': 1 },
      ...{ 'OS-EXT-AZ:availability_zone': 'nova', flavor: { original_name: 's', vcpus: 1, ram: 1 } },
      ...{ 'OS-SRV-USG:launched_at': atTime, addresses: {}, 'os-extended-volumes:volumes_attached': [] },
      fault: null,
    }),
  },
  agents: {
    path: '/network/v2.0/agents',
    of: (n) => ({
      ...{ id: `a-${n}`, host: `hv${n}`, binary: 'neutron-openvswitch-agent', alive: true },
      heartbeat_timestamp: atTime,
    }),
  },
  networks: {
    path: '/network/v2.0/networks',
    of: (n) => ({
      id: idOf(n),
      name: `net${n}`,
      project_id: 'p1',
      'router:external': n === 1,
      shared: false,
    }),
  },
  ports: {
    path: '/network/v2.0/ports',
    of: (n) => ({
      ...{ id: idOf(n), device_id: idOf(n), device_owner: 'compute:nova', network_id: idOf(1) },
      fixed_ips: [{ ip_address: `192.0.2.${n}` }],
    }),
  },
  floatingips: {
    path: '/network/v2.0/floatingips',
    of: (n) => ({
      ...{ id: idOf(n), port_id: idOf(n), floating_ip_address: `198.51.100.${n}` },
      floating_network_id: idOf(1),
    }),
  },
  projects: { path: '/identity/v3/projects', of: (n) => ({ id: `p${n}`, name: `project${n}` }) },
};

const nonsense: Record<string, unknown> = {
  null: null,
  'no field': undefined,
  'a number': -1.5,
  'an empty text': '',
  'a text of two lines': 'hv3\nip=203.0.113.66',
  'a way up': '..',
  'a prototype': '__proto__',
  'two megabytes': 'x'.repeat(2_000_000),
  'signs that act': '\u001b]0;x\u0007\u202e',
  'an object': { a: 1 },
  'a list of anything': [null, 1, {}, 'x y'],
};

let odd: { list: string; record: unknown } | null = null;
let client: ScriptedClient;
beforeAll(async () => {
  client = await scriptedClient(({ path, query }) => {
    if (path === '/network/v2.0/rbac-policies') return { json: { rbac_policies: [] } };
    const found = Object.entries(lists).find(([, list]) => list.path === path);
    if (found === undefined) return { status: 404, json: { itemNotFound: { message: path } } };
    const [name, { of }] = found;
    const isPage = query.get('marker') !== null;
    const id = query.get('id');
    const records: unknown[] = [of(1), of(2), ...(odd?.list === name ? [odd.record] : [])];
    const asked = id === null ? records : records.filter((one) => (one as Raw | null)?.id === id);
    return { json: { [name]: isPage ? [] : asked } };
  });
});
afterAll(() => client.close());

const read = () =>
  refreshInventory(
    client.cloud,
    'c',
    { servers: true, externalNetworks: ['net1'], earlier: { agents: [], hypervisors: [] } },
    client.clock,
    never,
  );

const cases = Object.entries(lists).flatMap(([list, { of }]) =>
  Object.keys(of(3)).flatMap((field) => Object.keys(nonsense).map((kind) => [list, field, kind] as const)),
);

describe.each(Object.keys(lists))('in the list of %s', (list) => {
  it.each(cases.filter(([one]) => one === list))('%s, field %s: %s', async (_, field, kind) => {
    odd = { list, record: { ...lists[list]?.of(3), [field]: nonsense[kind] } };
    const { hosts, servers } = await read();
    // The others are read as ever.
    expect(hosts.hypervisors.map(({ host }) => host).slice(0, 2)).toEqual(['hv1', 'hv2']);
    expect(hosts.agents.map(({ host }) => host)).toEqual(expect.arrayContaining(['hv1', 'hv2']));
    const ids = servers?.servers.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining([idOf(1), idOf(2)]));
    // What is stored, the readers understand; no name of a host, and no id, could be anything else.
    hostsSchema.parse(hosts);
    for (const server of servers?.servers ?? []) serverSchema.parse(server);
    const named = [
      ...hosts.hypervisors.flatMap(({ host, name, serviceId }) => [host, name, serviceId]),
      ...hosts.agents.map(({ host }) => host),
      ...(servers?.servers.flatMap(({ id, host }) => [id, host ?? 'none']) ?? []),
    ];
    for (const one of named) expect(one).toMatch(/^[A-Za-z0-9._-]{1,255}$/);
    expect(JSON.stringify(hosts).length + JSON.stringify(servers).length).toBeLessThan(20_000);
  });

  it.each([null, 5, 'text', []])('a record that is %j is left out and told', async (record) => {
    odd = { list, record };
    const { hosts } = await read();
    expect(hosts.hypervisors).toHaveLength(2);
    expect(hosts.leftOut).toMatchObject([{ count: 1, of: 3 }]);
    odd = null;
    expect((await read()).hosts.leftOut).toEqual([]);
  });
});

describe('a server of which little can be read', () => {
  const serverWith = async (change: Raw) => {
    odd = { list: 'servers', record: { ...lists.servers?.of(3), ...change } };
    return (await read()).servers?.servers.find(({ id }) => id === idOf(3));
  };
  it('is named by its id, and its silence says nothing', async () => {
    const state = 'OS-EXT-STS:vm_state';
    expect(await serverWith({ name: null })).toMatchObject({ name: idOf(3), vmState: 'active' });
    expect(await serverWith({ [state]: null })).toMatchObject({ vmState: 'unknown', host: 'hv3' });
    expect(await serverWith({ 'OS-SRV-USG:launched_at': 'soon' })).toMatchObject({ vmState: 'unknown' });
    expect(await serverWith({ 'OS-EXT-STS:task_state': 7 })).toMatchObject({ taskState: 'unknown' });
    expect(await serverWith({ 'OS-EXT-STS:power_state': null })).toMatchObject({ powerState: 0 });
  });
  it('is left out where its host is none: nobody knows where it is', async () => {
    expect(await serverWith({ 'OS-EXT-SRV-ATTR:host': 'hv3\nip=1' })).toBeUndefined();
  });
});

describe('bounds', () => {
  it('a list without end ends', async () => {
    let page = 0;
    const endless = await scriptedClient(() => {
      const ids = Array.from({ length: 10_000 }, (_, i) => `${page * 10_000 + i}`);
      page += 1;
      const links = [{ rel: 'next', href: `http://x/?marker=${page}` }];
      const hypervisors = ids.map((id) => ({ ...lists.hypervisors?.of(1), id }));
      return { json: { hypervisors, hypervisors_links: links } };
    });
    const error = await cloudErrorOf(endless.cloud.listHypervisors(never));
    expect(error.message).toBe(`the list has more than ${MAX_ITEMS} items, which nobody holds`);
    await endless.close();
  }, 30_000);
});
