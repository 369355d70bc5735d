// The compiled processes together: real Redis, the simulator as the cloud, hypervisors that really fall silent, and
// processes that are killed, stopped and started again as an operator or a power cut would.
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readState } from '../../src/monitor/memory.ts';
import { keysOf } from '../../src/shared/keys.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { Household, type Ini } from '../support/processes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const cloud = 'simulated';
let simulator: Simulator;
let redis: TestRedis;
let household: Household;

const shortPeriods: Ini = {
  DEFAULT: { monitor_period: 1, heartbeat_period: 3, cooldown_period: 3600 },
  OPENSTACK: { cloud },
  SCAN: { hypervisor_ports: '10022,10111,16509', instance_ports: 10022, timeout: 0.5 },
};

beforeEach(async () => {
  [simulator, redis] = await Promise.all([
    startSimulator({ durations: { reportIntervalMs: 500, serviceDownMs: 3_000, agentDownMs: 3_000 } }),
    startRedis({ aof: true }),
  ]);
  for (const name of ['vm-1', 'vm-2', 'vm-3']) await simulator.boot(name, 'hv01');
  await simulator.boot('other', 'hv02');
  simulator.spare('hv04');
  household = new Household({
    cloud,
    redisPort: redis.port,
    ini: shortPeriods,
    cloudsYaml: simulator.cloudsYaml(),
  });
});
afterEach(async () => {
  await household.close();
  await redis.stop();
  await simulator.close();
});

const ended = (limitMs = 25_000) =>
  household.waitForEvent((e) => e.facts.kind === 'evacuation-ended', limitMs);

async function watched(): Promise<void> {
  const keys = keysOf(cloud);
  for (let i = 0; (await household.redis.exists(keys.servers)) === 0; i += 1) {
    if (i > 200) throw new Error(`no inventory:\n${await household.story()}`);
    await delay(50);
  }
}

function expectRecoveredOnce(): void {
  const { servers, hosts } = simulator.snapshot();
  for (const name of ['vm-1', 'vm-2', 'vm-3'])
    expect(servers[name]).toMatchObject({
      host: 'hv04',
      status: 'ACTIVE',
      evacuationsStarted: 1,
      evacuationsCompleted: 1,
      everTwoWriters: false,
    });
  expect(servers.other).toMatchObject({ host: 'hv02', evacuationsStarted: 0 });
  expect(hosts.hv01).toMatchObject({
    forcedDown: true,
    status: 'disabled',
    state: 'down',
    disabledReason: 'sonny resurrection on hv04',
  });
  expect(hosts.hv04).toMatchObject({ status: 'enabled' });
}

test('a hypervisor dies: its instances are back on the spare, told step by step', async () => {
  household.start('ns4');
  household.start('monitor');
  await watched();
  await simulator.kill('hv01');
  expect((await ended()).text).toContain('all 3 affected instances are back (vm-1, vm-2, vm-3)');
  expectRecoveredOnce();
  expect((await household.events()).map((e) => e.facts.kind)).toEqual([
    'monitor-started',
    'suspects-found',
    'hosts-silent',
    'host-dead',
    'evacuation-requested',
    'evacuation-step',
    'evacuation-step',
    'instance',
    'instance',
    'instance',
    'evacuation-ended',
  ]);
  // The recovered host is quiet from then on: nothing more is said or done about it.
  await delay(3_500);
  expect((await household.events()).at(-1)?.facts.kind).toBe('evacuation-ended');
});

test('a host that hangs and wakes up while its instances are evacuated keeps no second writer that Sonny asked for', async () => {
  household.start('ns4');
  household.start('monitor');
  await watched();
  await simulator.kill('hv01', ['compute', 'agent', 'address']);
  await household.waitForEvent(
    (e) => e.facts.kind === 'refused' && e.facts.refusal.name === 'guests-answer',
    20_000,
  );
  await simulator.revive('hv01');
  await household.waitForEvent((e) => e.facts.kind === 'cleared' && e.facts.scope === 'hv01', 20_000);
  expect(simulator.snapshot().migrations).toEqual([]);
});

test('kill -9 of monitor and ns4 again and again: each instance is evacuated once', async () => {
  let [ns4, monitor] = [household.start('ns4'), household.start('monitor')];
  await watched();
  await simulator.kill('hv01');
  await household.waitForEvent((e) => e.facts.kind === 'suspects-found', 15_000);
  for (let round = 0; round < 4; round += 1) {
    await delay(400 + 350 * round);
    await Promise.all([ns4.signal('SIGKILL'), monitor.signal('SIGKILL')]);
    [ns4, monitor] = [household.start('ns4'), household.start('monitor')];
  }
  await ended(80_000);
  expectRecoveredOnce();
  const requested = (await household.events()).filter((e) => e.facts.kind === 'evacuation-requested');
  expect(requested).toHaveLength(1);
}, 100_000);

test('SIGTERM in mid-recovery: ns4 hands back at once and the next one finishes', async () => {
  const ns4 = household.start('ns4');
  household.start('monitor');
  await watched();
  await simulator.kill('hv01');
  await household.waitForEvent(
    (e) => e.facts.kind === 'evacuation-step' && e.text.includes('enabled'),
    20_000,
  );
  const stoppedMs = Date.now();
  await ns4.signal('SIGTERM');
  expect(Date.now() - stoppedMs).toBeLessThan(8_000);
  expect(await ns4.exited).toBe(0);
  household.start('ns4');
  await ended();
  expectRecoveredOnce();
});

test('redis-server is killed and comes back in mid-recovery', async () => {
  household.start('ns4');
  household.start('monitor');
  await watched();
  await simulator.kill('hv01');
  await household.waitForEvent((e) => e.facts.kind === 'evacuation-requested', 20_000);
  await delay(300);
  await redis.kill9();
  await delay(1_500);
  await redis.start();
  await ended(60_000);
  expectRecoveredOnce();
}, 80_000);

test('a second monitor takes over, the first one ends and says why', async () => {
  household.start('ns4');
  const first = household.start('monitor');
  await watched();
  household.start('monitor');
  expect(await first.exited).toBe(1);
  expect(first.output).toContain('another monitor of this cloud took over');
});

test('ns4 -r: the running monitor forgets the last recovery', async () => {
  household.start('ns4');
  household.start('monitor');
  await watched();
  await simulator.kill('hv01');
  await ended();
  expect((await readState(household.redis, keysOf(cloud)))?.cooldown).not.toBeNull();
  const reset = household.start('ns4', '-r');
  expect(await reset.exited, reset.output).toBe(0);
  await household.waitForEvent((e) => e.facts.kind === 'cooldown-reset', 10_000);
  expect((await readState(household.redis, keysOf(cloud)))?.cooldown).toBeNull();
});

test('defect 14: starting the monitor leaves a queued evacuation where it is', async () => {
  const ns4 = household.start('ns4');
  const monitor = household.start('monitor');
  await watched();
  await simulator.kill('hv01');
  await household.waitForEvent((e) => e.facts.kind === 'host-dead', 20_000);
  await Promise.all([ns4.signal('SIGKILL'), monitor.signal('SIGKILL')]);
  household.start('monitor');
  await household.waitForEvent((e) => e.facts.kind === 'monitor-started' && e.facts.resumed, 10_000);
  household.start('ns4');
  await ended(60_000);
  expectRecoveredOnce();
}, 80_000);

test('--check tells what was found, and fails when something is away', async () => {
  const good = household.start('ns4', '--check');
  expect(await good.exited, good.output).toBe(0);
  expect(good.output).toMatch(/ok {6}inventory: 4 hypervisors, 4 agents, 4 instances, spares: hv04/);
  const monitor = household.start('monitor', '--check');
  expect(await monitor.exited, monitor.output).toBe(0);
  await simulator.stop('neutron');
  await redis.kill9();
  const bad = household.start('ns4', '--check');
  expect(await bad.exited).toBe(1);
  expect(bad.output).toMatch(/FAILED {2}Redis: Redis at 127.0.0.1:\d+, database \d+: .*ECONNREFUSED/);
  expect(bad.output).toMatch(/FAILED {2}inventory: .*Neutron|FAILED {2}inventory: .*network/i);
}, 90_000);
