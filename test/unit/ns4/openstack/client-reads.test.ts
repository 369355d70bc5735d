import { afterEach, describe, expect, it } from 'vitest';
import { leftOutText } from '../../../../src/shared/documents/terms/left-out.ts';
import {
  cloudErrorOf as errorOf,
  grant,
  password,
  type ScriptedClient,
  scriptedClient,
} from '../../../support/scripted-cloud.ts';

const never = new AbortController().signal;
const html = '<html><head><title>503</title></head><body><h1>503 Service Unavailable</h1></body></html>';
const noServices = { json: { services: [] } };

let clients: ScriptedClient[] = [];
afterEach(async () => {
  for (const client of clients) await client.close();
  clients = [];
});

const start: typeof scriptedClient = async (...how) => {
  const client = await scriptedClient(...how);
  clients.push(client);
  return client;
};

describe('a cell that does not answer', () => {
  const service = {
    ...{ id: '101', host: 'hv1', binary: 'nova-compute', zone: 'nova', state: 'up', status: 'enabled' },
    ...{ disabled_reason: null, forced_down: false, updated_at: '2026-11-21T02:17:13.000000' },
  };
  const away = { binary: 'nova-compute', host: 'hv9', status: 'UNKNOWN' };

  it('its services are left out and told, the others are read', async () => {
    const { cloud } = await start(() => ({ json: { services: [service, away] } }));
    const down: string[] = [];
    const services = await cloud.listComputeServices(never, undefined, (host) => down.push(host));
    expect(services.map(({ host }) => host)).toEqual(['hv1']);
    expect(down).toEqual(['hv9']);
    expect(await cloud.listComputeServices(never, 'hv9'), 'nobody changes a service of it').toEqual([]);
  });

  it('its servers as well', async () => {
    const server = {
      id: '109',
      status: 'UNKNOWN',
      tenant_id: 'p',
      created: '2026-11-01T00:00:00Z',
      links: [],
    };
    const { cloud } = await start((_, count) => ({ json: { servers: count === 0 ? [server] : [] } }));
    const down: string[] = [];
    expect(await cloud.listServers(never, undefined, (id) => down.push(id))).toEqual([]);
    expect(down).toEqual(['109']);
  });

  it('what has another status is no service of it, and told', async () => {
    const odd = { ...away, status: 'odd' };
    const { cloud } = await start(() => ({ json: { services: [odd, service] } }));
    expect((await cloud.listComputeServices(never)).map(({ host }) => host)).toEqual(['hv1']);
    expect(cloud.leftOut().map(leftOutText)).toEqual([
      expect.stringMatching(
        /^compute \/os-services\?binary=nova-compute: 1 of 2 records make no sense .* "hv9" \(/,
      ),
    ]);
  });
});

it('a compute node that was never counted has nulls: no room is known there, and not how many instances', async () => {
  const young = {
    ...{ id: '1', hypervisor_hostname: 'hv1', service: { host: 'hv1' }, host_ip: null, vcpus: null },
    ...{ vcpus_used: null, memory_mb: null, memory_mb_used: null, running_vms: null },
  };
  const { cloud } = await start((_, count) => ({ json: { hypervisors: count === 0 ? [young] : [] } }));
  expect(await cloud.listHypervisors(never)).toMatchObject([{ host: 'hv1', vcpus: 0, runningVms: null }]);
});

describe('a read', () => {
  it('speaks the negotiated microversion and carries the token', async () => {
    const { cloud, server } = await start(() => noServices);
    await cloud.listComputeServices(never, 'hv01');
    const [call] = server.calls();
    expect(call?.path).toBe('/compute/v2.1/os-services');
    expect(Object.fromEntries(call?.query ?? [])).toEqual({ binary: 'nova-compute', host: 'hv01' });
    expect(call?.headers).toMatchObject({
      'x-auth-token': 'token-1',
      'openstack-api-version': 'compute 2.87',
    });
  });

  it.each([
    ['a 500', { status: 500, json: { computeFault: { message: 'oops' } } }],
    ["a proxy's HTML", { status: 503, text: html }],
    ['half a body', { half: '{"services": [' }],
    ['a reset', 'reset'],
  ] as const)('is repeated after %s', async (_, trouble) => {
    const { cloud, server, clock } = await start((_request, count) => (count < 2 ? trouble : noServices));
    expect(await cloud.listComputeServices(never)).toEqual([]);
    expect(server.calls()).toHaveLength(3);
    expect(clock.sleeps).toEqual([300, 600]);
  });

  it('is repeated after a hang', async () => {
    const { cloud } = await start((_, count) => (count === 0 ? 'hang' : noServices), { timeoutMs: 60 });
    expect(await cloud.listComputeServices(never)).toEqual([]);
  });

  it('waits as long as it was asked to, up to its cap', async () => {
    const headers = { 'retry-after': '3' };
    const { cloud, clock } = await start((_, count) => (count === 0 ? { status: 429, headers } : noServices));
    await cloud.listComputeServices(never);
    expect(clock.sleeps).toEqual([3_000]);
  });

  it('fails for good with the words of the last trouble, told along the way', async () => {
    const told: string[] = [];
    const { cloud } = await start(() => ({ status: 503, text: html }), { log: (text) => told.push(text) });
    const error = await errorOf(cloud.listComputeServices(never));
    expect(error).toMatchObject({ outcome: 'not-done', status: 503 });
    expect(error.message).toBe('Nova GET /os-services: 503 503 Service Unavailable');
    expect(told).toHaveLength(4);
    expect(told[0]).toBe('Nova GET /os-services: answered 503; again in 300 ms');
  });

  it('is not repeated after a refusal', async () => {
    const refusal = { status: 403, json: { forbidden: { message: "Policy doesn't allow it." } } };
    const { cloud, server } = await start(() => refusal);
    const error = await errorOf(cloud.listAgents(never));
    expect(error).toMatchObject({ outcome: 'refused', status: 403 });
    expect(error.message).toBe("Neutron GET /agents: 403 Policy doesn't allow it.");
    expect(server.calls()).toHaveLength(1);
  });

  it.each([
    ['no JSON', { text: html }, /\/agents: .*it is no JSON/],
    ['another shape', { json: { ports: [] } }, /makes no sense \(agents: /],
    ['null', { json: null }, /makes no sense \(body: /],
    [
      'a list of which nothing makes sense',
      { json: { agents: [1, 2].map((id) => ({ id, host: 'h', binary: 'b', alive: true })) } },
      /agents\[0\]\.heartbeat_timestamp/,
    ],
  ])('does not believe %s', async (_, answer, message) => {
    const { cloud } = await start(() => answer);
    const error = await errorOf(cloud.listAgents(never));
    expect(error.outcome).toBe('not-done');
    expect(error.message).toMatch(message);
  });

  it('does not swallow an answer without end', async () => {
    const { cloud } = await start(() => ({ text: 'x'.repeat(5_000) }), {
      maxBodyBytes: 4_000,
      retry: { retries: 0 },
    });
    expect((await errorOf(cloud.listAgents(never))).message).toContain('larger than 4000 bytes');
  });

  it('ends at once with its signal and its reason, also within a pause', async () => {
    const hanging = await start(() => 'hang');
    const stop = new AbortController();
    const read = errorOf(hanging.cloud.listAgents(stop.signal));
    setTimeout(() => stop.abort(new Error('not finished after 80 s')), 50);
    expect(await read).toMatchObject({
      outcome: 'not-done',
      message: expect.stringContaining('stopped: not finished after 80 s'),
    });
    const pausing = await start(() => ({ status: 500 }), {
      clock: {
        nowMs: Date.now,
        steadyMs: Date.now,
        sleep: async (_, signal) => Promise.reject(signal?.reason ?? new Error('stopped')),
      },
    });
    expect((await errorOf(pausing.cloud.listAgents(never))).outcome).toBe('not-done');
    expect(pausing.server.calls()).toHaveLength(1);
  });

  it("takes Nova's 404 for no server, and no other", async () => {
    const nova = await start(() => ({
      status: 404,
      json: { itemNotFound: { code: 404, message: 'Instance x' } },
    }));
    expect(await nova.cloud.readServer('x', never)).toBeNull();
    const proxy = await start(() => ({ status: 404, text: '<html>404 Not Found</html>' }));
    expect(await errorOf(proxy.cloud.readServer('x', never))).toMatchObject({
      outcome: 'not-done',
      status: 404,
    });
  });

  it('pages on with the marker alone, not to where the link points', async () => {
    const agent = (id: string) => ({
      id,
      device_id: id,
      device_owner: 'compute:nova',
      'binding:host_id': 'h',
      'binding:vif_type': 'ovs',
      status: 'ACTIVE',
    });
    const router = { ...agent('2'), device_owner: 'network:router_interface' };
    const href = 'http://inside.example.org:9696/v2.0/ports?limit=2&marker=p2';
    const { cloud, server } = await start((request) =>
      request.query.has('marker')
        ? { json: { ports: [] } }
        : { json: { ports: [agent('1'), router], ports_links: [{ rel: 'next', href }] } },
    );
    expect((await cloud.listPorts({ host: 'h' }, never)).map((p) => p.id)).toEqual(['1']);
    expect(server.calls().map((c) => c.query.get('marker'))).toEqual([null, 'p2']);
    expect(server.calls()[1]?.query.getAll('fields')).toContain('binding:host_id');
  });
});

describe('the addresses of instances', () => {
  const port = (id: string, owner = 'compute:nova') => ({
    ...{ id, device_id: `of-${id}`, device_owner: owner, network_id: '501' },
    fixed_ips: [{ subnet_id: 's', ip_address: `10.0.0.${id}` }],
  });
  const floating = (id: string, portId: string | null) => ({
    ...{ id, port_id: portId, floating_ip_address: `192.0.2.${id}`, floating_network_id: '509' },
  });
  const noRouters = { status: 404, json: { NeutronError: 'The resource could not be found.' } };

  it('are those of their ports and the floating ones bound to these, a page after the other', async () => {
    const next = (key: string, marker: string) => ({
      [`${key}_links`]: [{ rel: 'next', href: `http://inside/v2.0/${key}?marker=${marker}` }],
    });
    const { cloud, server } = await start(({ path, query }) => {
      const isFirst = !query.has('marker');
      if (path.endsWith('/ports'))
        return isFirst
          ? { json: { ports: [port('1'), port('2', 'network:dhcp')], ...next('ports', '2') } }
          : { json: { ports: [port('3', 'compute:az2')] } };
      return isFirst
        ? { json: { floatingips: [floating('7', '3'), floating('8', null)], ...next('floatingips', '8') } }
        : { json: { floatingips: [floating('9', '2')] } };
    });
    expect(await cloud.listInstanceAddresses(never)).toEqual([
      { instanceId: 'of-1', networkId: '501', address: '10.0.0.1', type: 'fixed' },
      { instanceId: 'of-3', networkId: '501', address: '10.0.0.3', type: 'fixed' },
      { instanceId: 'of-3', networkId: '509', address: '192.0.2.7', type: 'floating' },
    ]);
    for (const { query } of server.calls()) expect(query.getAll('fields')).not.toEqual([]);
  });

  it('are without floating ones where Neutron has no routers, and only there', async () => {
    const answer = (aliases: string[]) => (request: { path: string }) =>
      request.path.endsWith('/ports')
        ? { json: { ports: [port('1')] } }
        : request.path.endsWith('/extensions')
          ? { json: { extensions: aliases.map((alias) => ({ alias })) } }
          : noRouters;
    const without = await start(answer(['binding']));
    expect(await without.cloud.listInstanceAddresses(never)).toHaveLength(1);
    const withRouters = await start(answer(['binding', 'router']));
    expect((await errorOf(withRouters.cloud.listInstanceAddresses(never))).status).toBe(404);
  });

  it('are read again when a floating one was deleted between two pages, as Neutron ends the list there', async () => {
    const gone = { on: true };
    const page = (ids: string[], next?: string) => ({
      json: {
        floatingips: ids.map((id) => floating(id, '1')),
        ...(next === undefined
          ? {}
          : { floatingips_links: [{ rel: 'next', href: `http://inside/v2.0/floatingips?marker=${next}` }] }),
      },
    });
    const { cloud } = await start(
      ({ path, query }) => {
        if (path.endsWith('/ports')) return { json: { ports: [port('1')] } };
        if (query.get('id') === '7') return page([]);
        if (query.has('id')) return page([query.get('id') ?? '']);
        if (!gone.on) return query.has('marker') ? page(['9']) : page(['8'], '8');
        if (!query.has('marker')) return page(['7'], '7');
        gone.on = false;
        return page([]);
      },
      { pageSize: 1 },
    );
    const found = await cloud.listInstanceAddresses(never);
    expect(found.filter(({ type }) => type === 'floating').map(({ address }) => address)).toEqual([
      '192.0.2.8',
      '192.0.2.9',
    ]);
  });

  it('fail as a whole when the floating ones cannot be read', async () => {
    const { cloud } = await start(({ path }) =>
      path.endsWith('/ports') ? { json: { ports: [] } } : { status: 500 },
    );
    expect((await errorOf(cloud.listInstanceAddresses(never))).status).toBe(500);
  });

  describe('stand on networks, which are public', () => {
    const named = (id: string, change: object = {}) => ({
      ...{ id, name: 'ext-net', project_id: 'theirs', shared: false, 'router:external': false },
      ...change,
    });
    const networks = [
      named('11', { 'router:external': true }),
      named('12', { shared: true }),
      named('13'),
      { id: '14', name: 'ext-net', shared: true },
      // Any project can bring these about: by a policy for the login's project, and for its own.
      named('15', { shared: true, 'router:external': true }),
      named('16', { project_id: 'own' }),
    ];
    const policy = (id: string, target = '*') => ({ id: `9${id}`, object_id: id, target_tenant: target });
    const policies = [policy('11'), policy('12'), policy('14'), policy('15', 'own')];
    const answer = (request: { path: string }) =>
      request.path.endsWith('/networks') ? { json: { networks } } : { json: { rbac_policies: policies } };
    const publicOnes = async (script: Parameters<typeof start>[0], projectId = 'else') => {
      const { cloud, server } = await start(script, {}, { projectId });
      const found = (await cloud.listNetworks(never)).filter(({ isPublic }) => isPublic);
      return { ids: found.map(({ id }) => id), calls: server.calls() };
    };

    it('when an administrator opened them to all projects', async () => {
      const { ids, calls } = await publicOnes(answer);
      expect(ids).toEqual(['11', '12', '14']);
      const asked = calls.find(({ path }) => path.endsWith('/rbac-policies'));
      expect(asked?.query.get('target_tenant')).toBe('*');
    });

    it('when they are of the project that is logged in to', async () =>
      expect((await publicOnes(answer, 'own')).ids).toContain('16'));

    it('when they are open, where Neutron knows no policies', async () => {
      const without = (request: { path: string }) =>
        request.path.endsWith('/rbac-policies')
          ? noRouters
          : request.path.endsWith('/extensions')
            ? { json: { extensions: [] } }
            : answer(request);
      expect((await publicOnes(without)).ids).toEqual(['11', '12', '14', '15']);
    });
  });
});

describe('the token', () => {
  it('is one for all who need it at once', async () => {
    const { cloud, server } = await start(() => noServices);
    await Promise.all(Array.from({ length: 10 }, () => cloud.listComputeServices(never)));
    expect(server.logins()).toHaveLength(1);
  });

  it('is renewed before it ends', async () => {
    const { cloud, server, clock } = await start(() => noServices);
    await cloud.listComputeServices(never);
    clock.advance(3_500_000);
    await cloud.listComputeServices(never);
    expect(server.calls().map((c) => c.headers['x-auth-token'])).toEqual(['token-1', 'token-2']);
  });

  it('is renewed once on a 401, for all who met it', async () => {
    const { cloud, server } = await start((request) =>
      request.headers['x-auth-token'] === 'token-1' ? { status: 401 } : noServices,
    );
    await Promise.all([cloud.listComputeServices(never), cloud.listComputeServices(never)]);
    expect(server.logins()).toHaveLength(2);
    expect(server.calls()).toHaveLength(4);
  });

  it('is not renewed for ever', async () => {
    const { cloud, server } = await start(() => ({ status: 401, json: { error: { message: 'No.' } } }));
    expect(await errorOf(cloud.listAgents(never))).toMatchObject({ outcome: 'refused', status: 401 });
    expect(server.logins()).toHaveLength(2);
  });

  it('is asked for anew, once a minute, while its catalogue leads nowhere: that may have been odd', async () => {
    const { cloud, server, clock } = await start(
      () => noServices,
      {},
      {
        login: (_, count) => {
          const base = count === 0 ? 'nowhere:' : new URL(server.credentials.authUrl).origin;
          return grant(`token-${count + 1}`, base);
        },
      },
    );
    expect((await errorOf(cloud.listComputeServices(never))).outcome).toBe('not-done');
    expect((await errorOf(cloud.listComputeServices(never))).outcome).toBe('not-done');
    expect(server.logins()).toHaveLength(1);
    clock.advance(60_000);
    await errorOf(cloud.listComputeServices(never));
    expect(await cloud.listComputeServices(never)).toEqual([]);
    expect(server.logins()).toHaveLength(2);
  });

  it('is not waited for by one who gave up, and still made for the others', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { cloud, server } = await start(
      () => noServices,
      {},
      {
        login: async (request) => {
          await gate;
          return grant('late', `http://${request.headers.host}`);
        },
      },
    );
    const stop = new AbortController();
    const impatient = errorOf(cloud.listComputeServices(stop.signal));
    const patient = cloud.listComputeServices(never);
    stop.abort(new Error('enough'));
    expect(await impatient).toMatchObject({ outcome: 'not-done' });
    release();
    expect(await patient).toEqual([]);
    expect(server.logins()).toHaveLength(1);
  });

  it('refused: the login is named, its secret is not, even when the service quotes it', async () => {
    const { cloud } = await start(
      () => noServices,
      {},
      {
        login: () => ({ status: 401, json: { error: { message: `wrong password ${password} for sonny` } } }),
      },
    );
    const error = await errorOf(cloud.listAgents(never));
    expect(error.outcome).toBe('not-done');
    expect(error.message).toBe('Keystone login of user sonny: 401 the login is refused');
  });

  it.each<[string, string, string]>([
    ['from http to https', 'https://keystone.example.org/v3/auth/tokens', 'https://keystone.example.org/v3'],
    ['to another path', '/identity/v3/auth/tokens/', 'http://HOST/identity/v3'],
    ['with more than an address', 'https://u:x@k.example.org/v3?next=1#a', 'https://k.example.org/v3'],
  ])('sent on %s: not followed, and the new address is named', async (_, location, named) => {
    const { cloud, server } = await start(
      () => noServices,
      {},
      { login: () => ({ status: 301, headers: { location }, json: {} }) },
    );
    const { outcome, message } = await errorOf(cloud.listAgents(never));
    expect(outcome).toBe('not-done');
    expect(message.replace(/127\.0\.0\.1:\d+/, 'HOST')).toBe(
      `Keystone login of user sonny: 301 Keystone is at "${named}" (auth_url)`,
    );
    expect(server.logins()).toHaveLength(1);
  });

  it.each(['http://[', 'javascript:alert(1)'])(
    'sent on to what is no address (%s): no login',
    async (location) => {
      const login = () => ({ status: 302, headers: { location }, json: {} });
      const { cloud } = await start(() => noServices, {}, { login });
      expect((await errorOf(cloud.listAgents(never))).message).toBe(
        'Keystone login of user sonny: 302 not a login',
      );
    },
  );

  it('quoted by a service is masked', async () => {
    const { cloud } = await start(() => ({ status: 404, json: { error: { message: 'no token token-1' } } }));
    expect((await errorOf(cloud.listAgents(never))).message).toBe('Neutron GET /agents: 404 no token ****');
  });
});

describe('the microversion', () => {
  it('too old is told with both ranges, and no call is made', async () => {
    const compute = { version: { version: '2.38', min_version: '2.1' } };
    const { cloud, server } = await start(() => noServices, {}, { compute });
    const error = await errorOf(cloud.evacuate('i', 'hv02', never));
    expect(error).toMatchObject({ outcome: 'not-done' });
    expect(error.message).toBe('Nova speaks microversions 2.1 to 2.38; Sonny needs 2.53 to 2.87');
    expect(server.calls()).toEqual([]);
  });

  it('is asked for again after a 406: Nova was exchanged', async () => {
    const { cloud, server } = await start((_, count) => (count === 0 ? { status: 406 } : noServices));
    expect(await errorOf(cloud.listComputeServices(never))).toMatchObject({ status: 406 });
    expect(await cloud.listComputeServices(never)).toEqual([]);
    expect(server.requests.filter((r) => r.path === '/compute/v2.1/')).toHaveLength(2);
  });
});
