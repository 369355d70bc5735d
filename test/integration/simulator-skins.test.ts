// One world, two skins: what the client reads over HTTP is what the port in process shows, field by field.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Apis } from '../../simulator/openstack-http/apis.ts';
import { addHosts, type HttpWorld, settingsOf } from '../../simulator/openstack-http/options.ts';
import { InProcessCloud } from '../../simulator/openstack-in-process/cloud.ts';
import { Link } from '../../simulator/openstack-in-process/link.ts';
import { changeService, setAside } from '../../simulator/world/compute-service.ts';
import { powerOff } from '../../simulator/world/host-power.ts';
import { boot } from '../../simulator/world/instances.ts';
import { realChance } from '../../simulator/world/real-time.ts';
import { World } from '../../simulator/world/world.ts';
import type { Cloud } from '../../src/ns4/cloud/cloud.ts';
import { systemClock } from '../../src/shared/ground/clock.ts';
import { Timeline } from '../simulation/timeline.ts';
import { type Client, overHttp } from '../support/cloud-contract-stage.ts';

const signal = new AbortController().signal;

/** Nothing happens by itself: what is planned comes to pass when the test says so. */
const time = new Timeline(Date.now());
let world: HttpWorld;
let apis: Apis;
let http: Client;
let inProcess: Cloud;

beforeAll(async () => {
  // Reports so seldom that none is due here.
  const durations = {
    reportIntervalMs: 3_600_000,
    serviceDownMs: 7_200_000,
    agentDownMs: 7_200_000,
    rebuildMs: 50,
  };
  const aggregates = { ssd: ['hv01', 'hv04'], empty: [] };
  const settings = settingsOf(
    {
      ...{ domain: 'example.org', agentDomain: 'agents.org', aggregates, durations, clockOffsetMs: -90_000 },
      cells: { cell2: ['hv03'] },
    },
    77,
  );
  world = new World(time, realChance, settings);
  world.cloudOffsetMs = settings.clockOffsetMs;
  addHosts(world);
  apis = new Apis(world);
  await apis.follow();
  const domain = { name: 'Default' };
  http = overHttp({
    cloud: 'simulated',
    file: 'none',
    authUrl: `${apis.url('keystone')}/v3`,
    login: {
      method: 'password',
      user: { name: 'admin', domain },
      project: { name: 'admin', domain },
      password: 'secret',
    },
    region: 'RegionOne',
    interface: 'public',
    tls: { ca: null, verify: true },
  }).open();
  const sender = { nowMs: () => systemClock.nowMs(), pause: (ms: number) => systemClock.sleep(ms) };
  inProcess = new InProcessCloud(world, new Link(world, sender));
});
afterAll(async () => {
  await http.close();
  await apis.stop();
});

async function expectAlike(): Promise<void> {
  const reads: readonly ((cloud: Cloud) => Promise<unknown>)[] = [
    (cloud) => cloud.listHypervisors(signal),
    (cloud) => cloud.listComputeServices(signal),
    (cloud) => cloud.listComputeServices(signal, 'hv02'),
    (cloud) => cloud.listAgents(signal),
    (cloud) => cloud.listAggregates(signal),
    (cloud) => cloud.listProjects(signal),
    (cloud) => cloud.listServers(signal),
    (cloud) => cloud.listServers(signal, 'hv01'),
    (cloud) => cloud.listEvacuations('hv01', signal),
    (cloud) => cloud.listMigrations('hv01', signal),
    (cloud) => cloud.listMigrations('hv02', signal),
    (cloud) => cloud.listMigrationsOf(world.instance('active').id, signal),
    async (cloud) =>
      (await cloud.listPorts({ host: 'hv01' }, signal)).sort((a, b) => a.id.localeCompare(b.id)),
    (cloud) => cloud.listNetworks(signal),
    async (cloud) =>
      (await cloud.listInstanceAddresses(signal)).sort((a, b) => a.address.localeCompare(b.address)),
    async (cloud) => cloud.clockSkewMs() < -85_000,
  ];
  for (const read of reads) expect(await read(http)).toEqual(await read(inProcess));
}

test('a cloud in peace, with instances of all kinds', async () => {
  const [hv01, hv02] = [world.host('hv01'), world.host('hv02')];
  for (const vmState of ['active', 'stopped', 'paused', 'suspended', 'error', 'shelved_offloaded'] as const)
    boot(world, vmState, hv01, { vmState });
  boot(world, 'inside', hv02, { network: 'private', floating: true, locked: true, flavor: { vcpus: 3 } });
  setAside(world, world.host('hv04'));
  boot(world, 'hidden', world.host('hv03'));
  await expectAlike();
});

test('a cell that does not answer: its services and servers are told alike, and its hypervisors fail alike', async () => {
  world.downCells.add('cell2');
  try {
    for (const cloud of [inProcess, http]) {
      const down: string[] = [];
      const services = await cloud.listComputeServices(signal, undefined, (host) => down.push(host));
      expect(services.map(({ host }) => host)).not.toContain('hv03');
      expect(down).toEqual(['hv03']);
      const hidden: string[] = [];
      const servers = await cloud.listServers(signal, undefined, (id) => hidden.push(id));
      expect(hidden).toEqual([world.instance('hidden').id]);
      expect(servers.map(({ name }) => name)).not.toContain('hidden');
      await expect(cloud.listHypervisors(signal)).rejects.toMatchObject({ outcome: 'not-done', status: 500 });
    }
  } finally {
    world.downCells.clear();
  }
});

test('a dead host, evacuations that end well and badly, and what is in between', async () => {
  powerOff(world, world.host('hv01'));
  changeService(world, world.host('hv01'), { status: 'disabled', disabledReason: 'dead', forcedDown: true });
  world.instance('stopped').trouble.push('fails');
  world.instance('error').trouble.push('sticks');
  for (const [name, target] of [
    ['active', 'hv02'],
    ['stopped', 'hv02'],
    ['error', 'hv02'],
  ] as const)
    await inProcess.evacuate(world.instance(name).id, target, signal);
  const seen: string[] = [];
  let events: number;
  do {
    events = time.events;
    await expectAlike();
    seen.push(world.migrations.map(({ status }) => status).join(' '));
    // One thing more, if any is due within a minute.
    await time.runUntil(time.nowMs + 60_000, () => true);
  } while (time.events > events);
  expect([...new Set(seen)]).toEqual([
    '',
    'accepted',
    'accepted accepted',
    'accepted accepted accepted',
    'pre-migrating accepted accepted',
    'pre-migrating pre-migrating accepted',
    'pre-migrating pre-migrating pre-migrating',
    'pre-migrating failed pre-migrating',
    'done failed pre-migrating',
  ]);
});
