// The pretend OVN, held to docs/facts.md#ovn, and ns4's looks at it: nobody who lives is ever called silent, and whoever
// dies is within a ping.
import { describe, expect, test } from 'vitest';
import { InProcessCloud } from '../../../simulator/openstack-in-process/cloud.ts';
import { Link } from '../../../simulator/openstack-in-process/link.ts';
import { change, powerOff, powerOn } from '../../../simulator/world/host-power.ts';
import { startService, stopService } from '../../../simulator/world/messaging.ts';
import { ovnBinaries, startController, stopController, useOvn } from '../../../simulator/world/ovn.ts';
import { type Earlier, refreshInventory } from '../../../src/ns4/jobs/refresh-inventory.ts';
import type { Agent } from '../../../src/shared/documents/inventory.ts';
import { Process } from '../../simulation/processes/process.ts';
import { Random } from '../../simulation/random.ts';
import { Timeline } from '../../simulation/timeline.ts';
import { World } from '../../simulation/world/world.ts';

const never = new AbortController().signal;
const hosts = ['hv1', 'hv2', 'hv3', 'hv4'];

class Cloud {
  readonly timeline = new Timeline(Date.parse('2026-11-21T12:00:00Z'));
  readonly world: World;
  readonly cloud: InProcessCloud;
  readonly #process: Process;
  #earlier: Earlier = { agents: [], hypervisors: [] };

  constructor(seed: number, era: 'beat' | 'request' = 'beat') {
    const { timeline } = this;
    this.world = new World(timeline, new Random(seed));
    for (const [i, name] of hosts.entries()) {
      const part = { name, address: `10.0.0.${i + 1}`, zone: 'az1', aggregates: [], vcpus: 16 };
      this.world.addPlainHost(part, ovnBinaries, 30_000, false);
    }
    useOvn(this.world, era);
    this.#process = new Process('ns4', timeline, { offsetMs: 0, pausedMs: 0, isPausable: false });
    const sender = {
      nowMs: () => this.#process.clock.nowMs(),
      pause: (ms: number) => this.#process.sleep(ms),
    };
    this.cloud = new InProcessCloud(this.world, new Link(this.world, sender));
  }

  /** Lets time pass until it is done. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await this.timeline.runUntil(this.timeline.nowMs + 50);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return done;
  }

  async pass(ms: number): Promise<void> {
    await this.timeline.runUntil(this.timeline.nowMs + ms);
  }

  /** What each ovn-controller says after a refresh. */
  async refresh(): Promise<Record<string, string>> {
    const options = { servers: false, externalNetworks: [], earlier: this.#earlier };
    const refreshed = await this.run(refreshInventory(this.cloud, 'c', options, this.#process.clock, never));
    this.#earlier = refreshed.hosts;
    const controllers = refreshed.hosts.agents.filter((a: Agent) => a.binary === 'ovn-controller');
    return Object.fromEntries(controllers.map((a) => [a.host, `${a.ovn?.says}: ${a.ovn?.why}`]));
  }

  beats = async () =>
    Object.fromEntries(
      (await this.run(this.cloud.listAgents(never)))
        .filter(({ binary }) => binary === 'ovn-controller')
        .map(({ host, heartbeatAtMs }) => [host, heartbeatAtMs]),
    );
}

describe('the pretend OVN', () => {
  test('nobody beats by himself; the list is the ping, once in 37 s, and its answer shows what was before', async () => {
    const cloud = new Cloud(3);
    await cloud.pass(600_000);
    const first = await cloud.beats();
    await cloud.pass(2_000);
    const second = await cloud.beats();
    expect(
      hosts.filter((host) => first[host] === second[host]).length,
      'some may show it at once',
    ).toBeLessThan(2);
    await cloud.pass(30_000);
    expect(await cloud.beats()).toEqual(second);
    await cloud.pass(10_000);
    await cloud.beats();
    await cloud.pass(2_000);
    const third = await cloud.beats();
    expect(hosts.filter((host) => third[host] === second[host])).toEqual([]);
  });

  test('alive: two pings behind and 75 s old is dead; with northd away all are', async () => {
    const cloud = new Cloud(3);
    const alive = async () =>
      (await cloud.run(cloud.cloud.listAgents(never))).filter((a) => a.alive).map((a) => a.host);
    await alive();
    await cloud.pass(2_000);
    powerOff(cloud.world, cloud.world.host('hv1'));
    await cloud.pass(40_000);
    expect(await alive()).toContain('hv1');
    await cloud.pass(40_000);
    expect(await alive()).not.toContain('hv1');
    stopService(cloud.world, 'northd');
    for (let i = 0; i < 4; i += 1) {
      await cloud.pass(40_000);
      await alive();
    }
    expect(await alive()).toEqual([]);
  });

  test('stopped in good order: shown as deleted, and forgotten when Neutron starts anew', async () => {
    const cloud = new Cloud(3);
    const rows = async () =>
      (await cloud.run(cloud.cloud.listAgents(never))).filter(({ id }) => id.startsWith('ovn-controller'));
    stopController(cloud.world, cloud.world.host('hv1'));
    expect(await rows()).toContainEqual(
      expect.objectContaining({ host: '("Chassis" register deleted)', alive: false }),
    );
    stopService(cloud.world, 'neutron');
    startService(cloud.world, 'neutron');
    expect((await rows()).map(({ host }) => host)).toEqual(['hv2', 'hv3', 'hv4']);
  });

  test('of old: a row is stamped with the request, dead or alive', async () => {
    const cloud = new Cloud(3, 'request');
    powerOff(cloud.world, cloud.world.host('hv1'));
    await cloud.pass(100_000);
    expect((await cloud.beats()).hv1).toBeGreaterThan(cloud.timeline.nowMs - 2_000);
    expect((await cloud.refresh()).hv1).toBe('cannot-tell: stamp-is-the-request');
  });
});

test('a controller that was stopped registers once it runs, and not on a host without power', async () => {
  const cloud = new Cloud(1);
  const host = cloud.world.host('hv1');
  change(cloud.world, host, () => stopController(cloud.world, host));
  expect(host.reportsSinceMs).toBeNull();
  powerOff(cloud.world, host);
  change(cloud.world, host, () => startController(cloud.world, host));
  expect(cloud.world.ovn?.chassis.get('hv1')?.gone).toBe('shown');
  powerOn(cloud.world, host);
  expect(cloud.world.ovn?.chassis.get('hv1')?.gone).toBe('no');
  expect(host.reportsSinceMs).not.toBeNull();
});

describe('looks at it', () => {
  test.each([1, 2, 3, 4])(
    'ten minutes in peace, another reader beside (seed %i): nobody is silent',
    async (seed) => {
      const cloud = new Cloud(seed);
      const random = new Random(seed);
      const said = new Set<string>();
      for (let i = 0; i < 50; i += 1) {
        for (const word of Object.values(await cloud.refresh())) said.add(word);
        if (random.chance(0.3)) await cloud.beats();
        await cloud.pass(random.between(1_000, 20_000));
      }
      expect([...said].sort().filter((word) => word !== 'cannot-tell: never-moved')).toEqual([
        'alive: moved',
      ]);
    },
  );

  test.each([1, 2, 3, 4])('a death is seen within a ping and a look (seed %i)', async (seed) => {
    const cloud = new Cloud(seed);
    for (let i = 0; i < 6; i += 1) {
      await cloud.refresh();
      await cloud.pass(10_000 + seed * 1_111);
    }
    const diedAtMs = cloud.timeline.nowMs;
    powerOff(cloud.world, cloud.world.host('hv1'));
    while ((await cloud.refresh()).hv1?.startsWith('alive')) await cloud.pass(8_000);
    expect(cloud.timeline.nowMs - diedAtMs).toBeLessThan(37_000 + 13_000);
    expect(await cloud.refresh()).toMatchObject({ hv1: 'silent: missed', hv2: 'alive: moved' });
  });
});
