// Nova's lists, services and outages, as raw requests: each quirk was seen on a real one.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type NovaBench, openNovaBench, quickDurations } from '../support/nova-bench.ts';
import { type RawServer, rawFetch, until } from '../support/raw-api.ts';

describe('Nova', () => {
  let bench: NovaBench;

  beforeAll(async () => {
    bench = await openNovaBench();
  });
  afterAll(() => bench.simulator.close());
  beforeEach(() => bench.clean());

  it('tells its versions without a token and refuses those it does not have', async () => {
    const root = await rawFetch(`${bench.simulator.url('nova')}/v2.1/`);
    expect(root.at('version')).toMatchObject({ version: '2.93', min_version: '2.1' });
    const tooMuch = await bench.api.nova('GET', '/servers/detail', { version: '2.94' });
    expect(tooMuch.status).toBe(406);
    expect(tooMuch.at('computeFault', 'message')).toBe(
      'Version 2.94 is not supported by the API. Minimum is 2.1 and maximum is 2.93.',
    );
    expect((await bench.api.nova('GET', '/servers/detail', { version: 'abc' })).status).toBe(400);
    const fine = await bench.api.nova('GET', '/servers/detail', { version: '2.53' });
    expect(fine.headers.get('openstack-api-version')).toBe('compute 2.53');
    expect((await rawFetch(`${bench.simulator.url('nova')}/v2.1/servers`)).status).toBe(401);
  });

  it('changes the shape of hypervisors with the version', async () => {
    const one = async (version: string, query = '?with_servers=true') =>
      (await bench.api.nova('GET', `/os-hypervisors/detail${query}`, { version })).at<
        Record<string, unknown>
      >('hypervisors', 0);
    expect((await one('2.52')).id).toBe(1);
    expect(typeof (await one('2.27')).cpu_info).toBe('string');
    const middle = await one('2.74');
    expect(middle).toMatchObject({ hypervisor_hostname: 'hv01.example.org', service: { host: 'hv01' } });
    expect(middle).not.toHaveProperty('servers');
    expect((await one('2.75')).servers).toEqual([]);
    const late = await one('2.88');
    expect(late).not.toHaveProperty('running_vms');
    expect(late).not.toHaveProperty('vcpus');
    expect((await one('2.32', '?limit=1')).id).toBe(1);
    const limited = await bench.api.nova('GET', '/os-hypervisors/detail?limit=1', { version: '2.32' });
    expect(limited.at('hypervisors')).toHaveLength(4);
    const paged = await bench.api.nova('GET', '/os-hypervisors/detail?limit=1', { version: '2.33' });
    expect(paged.at('hypervisors')).toHaveLength(1);
    expect(paged.at('hypervisors_links', 0, 'rel')).toBe('next');
    const aggregates = await bench.api.nova('GET', '/os-aggregates');
    expect(aggregates.at('aggregates')).toMatchObject([{ name: 'ssd', hosts: ['hv01', 'hv04'] }]);
  });

  it('links on from a full last page, and refuses a marker that has gone', async () => {
    const first = await bench.simulator.boot('one', 'hv01');
    const second = await bench.simulator.boot('two', 'hv01');
    const page = await bench.api.nova('GET', '/servers/detail?all_tenants=1&limit=2');
    expect(page.at<RawServer[]>('servers').map((s) => s.id)).toEqual([second, first]);
    const next = new URL(page.at<string>('servers_links', 0, 'href'));
    expect(next.searchParams.get('marker')).toBe(first);
    const empty = await bench.api.nova('GET', `/servers/detail${next.search}`);
    expect(empty.body).toEqual({ servers: [] });
    await bench.simulator.delete('one');
    const gone = await bench.api.nova('GET', `/servers/detail${next.search}`);
    expect(gone.status).toBe(400);
    expect(gone.at('badRequest', 'message')).toBe(`marker [${first}] not found`);
    expect((await bench.api.nova('GET', '/servers/detail')).at('servers')).toEqual([]);
    expect((await bench.api.nova('GET', '/servers/detail?all_tenants=1&host=hv02')).at('servers')).toEqual(
      [],
    );
  });

  it('shows a dead host in its services, and in a server only by host_status', async () => {
    const id = await bench.simulator.boot('one', 'hv01');
    expect((await bench.server(id)).host_status).toBe('UP');
    await bench.simulator.kill('hv01');
    expect((await bench.service('hv01')).state).toBe('up');
    await until(
      () => bench.service('hv01'),
      (s) => s.state === 'down',
    );
    expect((await bench.service('hv01')).updated_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000$/);
    expect(await bench.server(id)).toMatchObject({ status: 'ACTIVE', host_status: 'UNKNOWN' });
    expect((await bench.putService('hv01', { forced_down: true })).at('service', 'state')).toBe('down');
    expect((await bench.server(id)).host_status).toBe('DOWN');
  });

  it('blocks when a dead service that still shows up is disabled, not when it is forced down along', async () => {
    await bench.simulator.kill('hv01');
    let before = Date.now();
    await bench.putService('hv01', { status: 'disabled', disabled_reason: 'dead' });
    expect(Date.now() - before).toBeGreaterThanOrEqual(quickDurations.disableDeadBlockMs);
    await bench.simulator.kill('hv02');
    before = Date.now();
    expect((await bench.condemn('hv02')).at('service')).toMatchObject({ state: 'down', status: 'disabled' });
    expect(Date.now() - before).toBeLessThan(400);
  });

  it('refuses senseless changes of a service', async () => {
    expect((await bench.putService('hv01', { disabled_reason: 'why' })).status).toBe(400);
    expect((await bench.putService('hv01', { status: 'enabled', disabled_reason: 'why' })).status).toBe(400);
    const long = { status: 'disabled', disabled_reason: 'x'.repeat(256) };
    expect((await bench.putService('hv01', long)).status).toBe(400);
    expect((await bench.putService('hv01', { host: 'hv01', binary: 'nova-compute' })).status).toBe(400);
    const old = { version: '2.52', body: { host: 'hv01', binary: 'nova-compute', forced_down: true } };
    await bench.api.nova('PUT', '/os-services/force-down', old);
    expect(bench.simulator.snapshot().hosts.hv01?.forcedDown).toBe(true);
  });

  it('cannot show servers without Neutron, but hypervisors', async () => {
    await bench.simulator.boot('one', 'hv01');
    await bench.simulator.stop('neutron');
    const servers = await bench.api.nova('GET', '/servers/detail?all_tenants=1');
    expect([servers.status, Object.keys(servers.at<object>())]).toEqual([500, ['computeFault']]);
    expect((await bench.api.nova('GET', '/os-services')).status).toBe(200);
    await bench.simulator.start('neutron');
    expect((await bench.api.nova('GET', '/servers/detail?all_tenants=1')).status).toBe(200);
  });

  it('stops, starts, pauses and deletes', async () => {
    const id = await bench.simulator.boot('one', 'hv01');
    const act = async (action: string, status: string): Promise<void> => {
      const answer = await bench.act(id, { [action]: null });
      expect(answer.status).toBe(202);
      await until(
        () => bench.server(id),
        (s) => s.status === status && s['OS-EXT-STS:task_state'] === null,
      );
    };
    await act('os-stop', 'SHUTOFF');
    await act('os-start', 'ACTIVE');
    await act('pause', 'PAUSED');
    const refused = await bench.act(id, { 'os-start': null });
    expect(refused.status).toBe(409);
    await act('unpause', 'ACTIVE');
    expect((await bench.act(id, { lock: null })).status).toBe(202);
    expect((await bench.server(id)).locked).toBe(true);
    expect((await bench.api.nova('DELETE', `/servers/${id}`)).status).toBe(204);
    expect((await bench.api.nova('GET', `/servers/${id}`)).at('itemNotFound', 'message')).toBe(
      `Instance ${id} could not be found.`,
    );
  });
});
