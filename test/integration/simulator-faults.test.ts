// Keystone, Neutron and Placement of the simulator, outages, and the faults it can be told to commit.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { logIn, openRawApi, passwordLogin, type RawApi, rawFetch, until } from '../support/raw-api.ts';

describe('the simulator', () => {
  let simulator: Simulator;
  let api: RawApi;

  beforeAll(async () => {
    simulator = await startSimulator({
      computes: 2,
      listen: false,
      clockOffsetMs: 3_600_000,
      durations: { tokenCacheMs: 200, keystoneAwayMs: 100, tokenLifetimeMs: 60_000, portActiveMs: 50 },
    });
    api = await openRawApi(simulator);
    await simulator.boot('one', 'hv01');
    await simulator.boot('two', 'hv01');
  });
  afterAll(() => simulator.close());
  afterEach(() => simulator.clearFaults());

  it('logs in by password and by application credential, and tells where everything is', async () => {
    const login = await logIn(simulator, passwordLogin('admin', 'secret'));
    expect(login.status).toBe(201);
    expect(login.at('token', 'expires_at')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000Z$/);
    const compute = login
      .at<{ type: string; endpoints: { url: string }[] }[]>('token', 'catalog')
      .find((service) => service.type === 'compute');
    expect(compute?.endpoints[0]?.url).toBe(`${simulator.url('nova')}/v2.1`);
    expect((await logIn(simulator, passwordLogin('admin', 'wrong'))).status).toBe(401);

    const file = parse(simulator.cloudsYaml('application-credential')) as {
      clouds: Record<string, { auth: Record<string, string> }>;
    };
    const { auth } = file.clouds.simulated ?? { auth: {} };
    const identity = {
      methods: ['application_credential'],
      application_credential: {
        id: auth.application_credential_id,
        secret: auth.application_credential_secret,
      },
    };
    expect((await logIn(simulator, { auth: { identity } })).status).toBe(201);
    const scope = { project: { name: 'admin', domain: { name: 'Default' } } };
    expect((await logIn(simulator, { auth: { identity, scope } })).status).toBe(401);
  });

  it('trusts a revoked token for a while, then answers 401', async () => {
    const other = await openRawApi(simulator);
    expect((await other.nova('GET', '/os-services')).status).toBe(200);
    simulator.revokeTokens();
    expect((await other.nova('GET', '/os-services')).status).toBe(200);
    const denied = await until(
      () => other.nova('GET', '/os-services'),
      (answer) => answer.status === 401,
    );
    expect(denied.at('error', 'title')).toBe('Unauthorized');
    expect(denied.headers.get('www-authenticate')).toMatch(/^Keystone uri=/);
    api = await openRawApi(simulator);
  });

  it('answers 503 with HTML when Keystone is away', async () => {
    await simulator.stop('keystone');
    await expect(logIn(simulator, passwordLogin('admin', 'secret'))).rejects.toThrow();
    const answer = await until(
      () => api.neutron('GET', '/agents'),
      (one) => one.status === 503,
    );
    expect(answer.text).toMatch(/^<html>/);
    await simulator.start('keystone');
    expect((await api.neutron('GET', '/agents')).status).toBe(200);
  });

  it('has agents with heartbeats by its own clock, and ports that page', async () => {
    const agents = await api.neutron('GET', '/agents?host=hv01&alive=true&limit=1');
    expect(agents.at('agents')).toHaveLength(1);
    const beat = agents.at<string>('agents', 0, 'heartbeat_timestamp');
    expect(beat).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    const dateMs = Date.parse(agents.headers.get('date') ?? '');
    expect(Math.abs(dateMs - Date.now() - 3_600_000)).toBeLessThan(5_000);
    const page = await api.neutron('GET', '/ports?binding:host_id=hv01&limit=1&fields=id');
    expect(page.at('ports')).toHaveLength(1);
    expect(Object.keys(page.at<object>('ports', 0))).toEqual(['id']);
    expect(page.at<{ rel: string }[]>('ports_links').map((link) => link.rel)).toEqual(['next', 'previous']);
    expect((await api.neutron('GET', '/ports?nosuch=1')).status).toBe(400);
    const networks = await api.neutron('GET', '/networks?router:external=true');
    expect(networks.at('networks')).toMatchObject([{ name: 'ext-net' }]);
    expect((await api.neutron('PUT', '/ports/nosuch', { port: {} })).at('NeutronError', 'type')).toBe(
      'PortNotFound',
    );
  });

  it('moves allocations by generation and refuses a stale one', async () => {
    const server = simulator.snapshot().servers.one;
    const path = `/allocations/${server?.id}`;
    const before = await api.placement('GET', path);
    const found = await api.placement('GET', '/resource_providers?name=hv02');
    const body = {
      allocations: {
        [found.at<string>('resource_providers', 0, 'uuid')]: { resources: { VCPU: 1, MEMORY_MB: 1024 } },
      },
      consumer_generation: before.at('consumer_generation'),
      project_id: before.at('project_id'),
      user_id: before.at('user_id'),
    };
    expect((await api.placement('PUT', path, body)).status).toBe(204);
    expect(simulator.snapshot().servers.one?.allocatedOn).toEqual(['hv02']);
    const stale = await api.placement('PUT', path, body);
    expect(stale.status).toBe(409);
    expect(stale.at('errors', 0, 'code')).toBe('placement.concurrent_update');
    const bad = await rawFetch(`${simulator.url('placement')}/resource_providers`, {
      headers: { 'x-auth-token': api.token, 'OpenStack-API-Version': 'placement 1.99' },
    });
    expect(bad.status).toBe(406);
  });

  it('commits the faults it is told to, as often as told', async () => {
    const list = () => api.nova('GET', '/os-services');
    const fault = simulator.fault({
      kind: 'error',
      api: 'nova',
      method: 'GET',
      path: /os-services/,
      times: 2,
    });
    expect((await list()).status).toBe(500);
    expect((await list()).status).toBe(500);
    expect((await list()).status).toBe(200);
    expect(fault.hits).toBe(2);
    simulator.fault({ kind: 'html', api: 'nova' });
    expect((await list()).text).toMatch(/503 Service Unavailable/);
    simulator.fault({ kind: 'nonsense', path: '/os-services' });
    expect(typeof (await list()).body).toBe('string');
    simulator.fault({ kind: 'half-body', path: '/os-services' });
    await expect(list()).rejects.toThrow();
    simulator.fault({ kind: 'reset', path: '/os-services' });
    await expect(list()).rejects.toThrow();
    simulator.fault({ kind: 'error', status: 429, headers: { 'retry-after': '1' }, path: '/os-services' });
    expect((await list()).headers.get('retry-after')).toBe('1');
    simulator.fault({ kind: 'hang', path: '/v3/projects' });
    const hanging = fetch(`${simulator.url('keystone')}/v3/projects`, {
      headers: { 'x-auth-token': api.token },
      signal: AbortSignal.timeout(300),
    });
    await expect(hanging).rejects.toThrow();
  });

  it('loses an answer after the work was done', async () => {
    const id = simulator.snapshot().servers.two?.id;
    simulator.fault({ kind: 'lose-answer', method: 'POST', body: /os-stop/ });
    await expect(api.nova('POST', `/servers/${id}/action`, { body: { 'os-stop': null } })).rejects.toThrow();
    await until(
      () => simulator.snapshot().servers.two?.status,
      (status) => status === 'SHUTOFF',
    );
    const asked = simulator.requests.filter((request) => request.body.includes('os-stop'));
    expect(asked).toMatchObject([{ api: 'nova', method: 'POST', status: null }]);
  });
});
