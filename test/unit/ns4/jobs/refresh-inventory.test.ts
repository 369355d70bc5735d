import { describe, expect, it } from 'vitest';
import {
  type Cloud,
  CloudError,
  type ComputeService,
  type HypervisorRecord,
} from '../../../../src/ns4/cloud/cloud.ts';
import {
  type Earlier,
  joinHypervisors,
  refreshInventory,
} from '../../../../src/ns4/jobs/refresh-inventory.ts';
import { hostsSchema } from '../../../../src/shared/documents/inventory.ts';
import { instantClock } from '../../../support/instant-clock.ts';

const never = new AbortController().signal;
const clock = instantClock();
const nowMs = clock.nowMs();

const record = (host: string, name = host): HypervisorRecord => ({
  host,
  name,
  address: '10.0.0.1',
  vcpus: 8,
  vcpusUsed: 1,
  memoryMb: 1024,
  memoryMbUsed: 512,
  runningVms: 1,
});
const service = (host: string): ComputeService => ({
  id: `id-${host}`,
  host,
  zone: 'nova',
  state: 'up',
  status: 'enabled',
  disabledReason: null,
  forcedDown: false,
  reportedAtMs: nowMs - 5_000,
});

const missing = async (): Promise<never> => Promise.reject(new Error('not part of a refresh'));

function pretend(changes: Partial<Cloud> = {}): Cloud {
  return {
    listHypervisors: async () => [record('hv02', 'hv02.example.org'), record('hv01', 'hv01.example.org')],
    listComputeServices: async () => [service('hv01'), service('hv02')],
    listAgents: async () => [
      { id: '1', host: 'hv02', binary: 'b', heartbeatAtMs: nowMs - 1_000, alive: true },
      { id: '2', host: 'hv01', binary: 'b', heartbeatAtMs: nowMs - 2_000, alive: true },
      { id: '3', host: 'hv01', binary: 'a', heartbeatAtMs: nowMs - 3_000, alive: false },
    ],
    listAggregates: async () => [
      { name: 'ssd', hosts: ['hv01', 'hv02'] },
      { name: 'big', hosts: ['hv01'] },
    ],
    listProjects: async () => [
      { id: '2', name: 'web' },
      { id: '1', name: 'admin' },
    ],
    listServers: async () => [],
    listNetworks: async () => [{ id: 'net-ext', name: 'ext-net', isPublic: true }],
    listInstanceAddresses: async () => [],
    clockSkewMs: () => 0,
    leftOut: () => [],
    readServer: missing,
    listEvacuations: missing,
    listMigrations: missing,
    listMigrationsOf: missing,
    listPorts: missing,
    changeComputeService: missing,
    evacuate: missing,
    hardReboot: missing,
    bindPort: missing,
    moveAllocation: missing,
    readUptime: missing,
    ...changes,
  };
}

const none: Earlier = { agents: [], hypervisors: [] };
const refresh = (cloud: Cloud, servers = true, earlier = none) =>
  refreshInventory(cloud, 'c', { servers, externalNetworks: ['ext-net'], earlier }, clock, never);

describe('refreshInventory', () => {
  it('joins by the service host, sorted, in the shape of the inventory', async () => {
    const { hosts, servers, oddities } = await refresh(pretend());
    expect(hostsSchema.parse(hosts)).toEqual(hosts);
    expect(servers).toEqual({ collectedAtMs: nowMs, servers: [] });
    expect(hosts).toMatchObject({ version: 1, cloud: 'c', collectedAtMs: nowMs, clockSkewMs: 0 });
    expect(hosts.hypervisors.map((h) => [h.host, h.name, h.serviceId, h.aggregates])).toEqual([
      ['hv01', 'hv01.example.org', 'id-hv01', ['big', 'ssd']],
      ['hv02', 'hv02.example.org', 'id-hv02', ['ssd']],
    ]);
    expect(hosts.agents.map((a) => a.host + a.binary)).toEqual(['hv01a', 'hv01b', 'hv02b']);
    expect(hosts.projects.map((p) => p.name)).toEqual(['admin', 'web']);
    expect(oddities).toEqual([]);
  });

  it('leaves the servers alone unless asked', async () => {
    const none = { listServers: missing, listNetworks: missing, listInstanceAddresses: missing };
    expect((await refresh(pretend(none), false)).servers).toBeNull();
  });

  it.each([
    { skewMs: 2_000, shiftMs: 0 },
    { skewMs: -1_500, shiftMs: 0 },
    { skewMs: 90_000, shiftMs: 90_000 },
    { skewMs: -90_000, shiftMs: -90_000 },
  ])('corrects heartbeats of a cloud $skewMs ms ahead by $shiftMs ms', async ({ skewMs, shiftMs }) => {
    const { hosts } = await refresh(pretend({ clockSkewMs: () => skewMs }));
    expect(hosts.clockSkewMs).toBe(skewMs);
    expect(hosts.agents[2]?.heartbeatAtMs).toBe(nowMs - 1_000 - shiftMs);
    expect(hosts.hypervisors[0]?.reportedAtMs).toBe(nowMs - 5_000 - shiftMs);
  });

  it.each([
    'listHypervisors',
    'listComputeServices',
    'listAgents',
    'listAggregates',
    'listServers',
    'listNetworks',
    'listInstanceAddresses',
  ] as const)('fails as a whole when %s fails, and ends the others', async (method) => {
    const ended: string[] = [];
    const slow = (signal: AbortSignal): Promise<never> =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          ended.push('ended');
          reject(signal.reason);
        });
      });
    const failing = { [method]: async () => Promise.reject(new CloudError('not-done', 'away', 503)) };
    await expect(refresh(pretend({ listProjects: slow, ...failing }))).rejects.toThrow('away');
    expect(ended).toEqual(['ended']);
  });
});

it('names of projects are for people only: a user who may not list them watches all the same', async () => {
  const forbidden = new CloudError('refused', 'Keystone GET /projects: 403 Forbidden', 403);
  const { hosts, oddities } = await refresh(pretend({ listProjects: () => Promise.reject(forbidden) }));
  expect(hosts.hypervisors).toHaveLength(2);
  expect(hosts.projects).toEqual([]);
  expect(oddities).toEqual([expect.stringContaining('403 Forbidden')]);
});

describe('a cell that does not answer', () => {
  it('is left out and told; the rest of the cloud is read', async () => {
    const cloud = pretend({
      listComputeServices: async (_signal, _host, onDown) => {
        onDown?.('hv01');
        return [service('hv02')];
      },
      listServers: async (_signal, _host, onDown) => {
        onDown?.('id-7');
        return [];
      },
    });
    const { hosts, oddities } = await refresh(cloud);
    expect(hosts.hypervisors.map(({ host }) => host)).toEqual(['hv02']);
    expect(hosts.cellDown).toEqual(['hv01']);
    expect(oddities).toContain(
      'a cell does not answer Nova: 1 host (hv01) and 1 instance left out, and judged by nobody',
    );
  });
});

describe('a cell that takes the list of hypervisors with it', () => {
  const failing: Partial<Cloud> = {
    listHypervisors: async () => Promise.reject(new CloudError('not-done', 'Nova: 500', 500)),
  };
  const downCell: Partial<Cloud> = {
    ...failing,
    listComputeServices: async (_signal, _host, onDown) => {
      onDown?.('hv01');
      return [{ ...service('hv02'), state: 'down' }];
    },
  };

  it('those of the other cells are taken from before, with their services as they are now', async () => {
    const before = (await refresh(pretend())).hosts;
    const { hosts } = await refresh(pretend(downCell), false, before);
    expect(hosts.hypervisors).toMatchObject([{ host: 'hv02', state: 'down', name: 'hv02.example.org' }]);
  });

  it('without any from before, or with all cells up, the refresh fails', async () => {
    const before = (await refresh(pretend())).hosts;
    await expect(refresh(pretend(downCell))).rejects.toThrow('Nova: 500');
    await expect(refresh(pretend(failing), false, before)).rejects.toThrow('Nova: 500');
  });
});

describe('joinHypervisors', () => {
  it('names the aggregates of each host, sorted, whatever the order and size of the lists', () => {
    const hosts = Array.from({ length: 2_000 }, (_, i) => `hv${i}`);
    const aggregates = Array.from({ length: 50 }, (_, i) => ({
      name: `a${String(99 - i)}`,
      hosts: hosts.filter((_, j) => j % (i + 1) === 0),
    }));
    const { hypervisors } = joinHypervisors(
      hosts.map((h) => record(h)),
      hosts.map(service),
      aggregates,
      0,
    );
    const of = (host: string) => hypervisors.find((h) => h.host === host)?.aggregates;
    expect(of('hv7')).toEqual(['a93', 'a99']);
    expect(of('hv12')).toEqual(['a88', 'a94', 'a96', 'a97', 'a98', 'a99']);
  });

  it('leaves out what has no counterpart or several, and says so', () => {
    const records = [record('hv01'), record('lone'), record('bm', 'node-1'), record('bm', 'node-2')];
    const { hypervisors, oddities } = joinHypervisors(
      records,
      [service('hv01'), service('bm'), service('idle')],
      [],
      0,
    );
    expect(hypervisors.map((h) => h.host)).toEqual(['hv01']);
    expect(oddities).toEqual([
      'bm has 2 hypervisors: left out',
      'hypervisor lone has no nova-compute service (lone): left out',
      'nova-compute on idle has no hypervisor: left out',
    ]);
  });

  it('leaves out a host whose service is there twice: nobody knows which row is true', () => {
    const twice = [service('hv01'), { ...service('hv02'), id: 'old' }, service('hv02')];
    const { hypervisors, oddities } = joinHypervisors([record('hv01'), record('hv02')], twice, [], 0);
    expect(hypervisors.map((h) => h.host)).toEqual(['hv01']);
    expect(oddities).toEqual(['hv02 has 2 nova-compute services: neither judged nor a spare, left out']);
  });

  it('names a spare that is none', () => {
    const broken = { status: 'disabled', disabledReason: 'waiting for spare part' } as const;
    const { oddities } = joinHypervisors([record('hv01')], [{ ...service('hv01'), ...broken }], [], 0);
    expect(oddities).toEqual(['hv01 is no spare: its reason contains the word but does not begin with it']);
  });
});
