// The main job on a real OpenStack: a hypervisor dies, its instances are back on the spare, nothing else is touched.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cloudTool } from '../support/cloud-tool.ts';
import { firstRequestAtMs } from '../support/journals.ts';
import { never, type Stage, stage, Testbed } from '../support/testbed.ts';

let testbed: Testbed;
let on: Stage | null = null;

beforeAll(async () => {
  testbed = await Testbed.open();
});
beforeEach(async () => {
  await testbed.reset();
});
afterEach(async () => {
  await on?.close();
  on = null;
});
afterAll(async () => {
  await testbed?.reset();
  await testbed?.close();
});

const heartbeatPeriodMs = 8_000;
const ended = 'recovery-ended';

/** Starts ns4 and monitor and waits until they have seen the cloud and heard whoever answers. */
async function atWork(ini = {}, options: { aof?: boolean } = {}) {
  on = await stage(testbed, ini, options);
  const { household } = on;
  const ns4 = household.start('ns4', '-vv');
  const monitor = household.start('monitor', '-vv');
  await testbed.watched(on);
  return { household, ns4, monitor, redis: on.redis };
}

/**
 * What Nova itself needs: force down, enable the spare, post all at once, wait until all are ACTIVE there. Not before
 * Nova calls hv01 down: Neutron tells Nova of plugged ports at once when it was quiet, and then every two seconds
 * (`send_events_interval`), and a loop that starts among the events of the boot gets the rest of its own a second
 * sooner than any recovery can.
 */
async function bareLoop(ids: readonly string[]): Promise<number> {
  await cloudTool('kill', 'hv01');
  await testbed.until(
    'Nova to call hv01 down',
    async () => (await testbed.service('hv01')).state === 'down',
    60_000,
  );
  const { id } = await testbed.service('hv01');
  const spare = await testbed.service('hv04');
  await testbed.cloud.changeComputeService(
    id,
    { forcedDown: true, status: 'disabled', disabledReason: 'bare loop' },
    never,
  );
  await testbed.cloud.changeComputeService(spare.id, { status: 'enabled' }, never);
  const startedAtMs = Date.now();
  await Promise.all(ids.map((server) => testbed.cloud.evacuate(server, 'hv04', never)));
  await allActiveOnSpare(ids);
  return Date.now() - startedAtMs;
}

/** The bare loop over three fresh instances, with everything as it was afterwards. */
async function bareRun(): Promise<number> {
  const tookMs = await bareLoop(await testbed.boot('vm', 'hv01', { count: 3 }));
  await testbed.reset();
  return tookMs;
}

async function allActiveOnSpare(ids: readonly string[]): Promise<void> {
  await testbed.until(
    'all instances to be ACTIVE on hv04',
    async () => {
      const servers = await testbed.cloud.listServers(never, 'hv04');
      return ids.every((id) =>
        servers.some((s) => s.id === id && s.status === 'ACTIVE' && s.taskState === null),
      );
    },
    60_000,
    250,
  );
}

async function expectBackOnSpare(names: readonly string[]): Promise<void> {
  const servers = await testbed.servers();
  for (const name of names) {
    const server = servers.get(name);
    expect(server, name).toMatchObject({ status: 'ACTIVE', host: 'hv04', taskState: null });
    for (const port of await testbed.cloud.listPorts({ instanceId: server?.id ?? '' }, never))
      expect(port).toMatchObject({ host: 'hv04', vifType: 'ovs', status: 'ACTIVE' });
  }
  expect(await testbed.service('hv01')).toMatchObject({
    forcedDown: true,
    status: 'disabled',
    state: 'down',
    disabledReason: expect.stringMatching(/sonny/),
  });
  expect(await testbed.service('hv04')).toMatchObject({ status: 'enabled', state: 'up' });
}

/** How many recoveries are compared with Nova's own time; of a single one (`ROUNDS=1`) nothing is said about it. */
const rounds = Number(process.env.ROUNDS ?? 3);
const compared = rounds > 1;

/**
 * Two seconds of it for the mark in Nova, which is read back. Newer releases answer more slowly on the same machine, and
 * where nothing is compared no time is promised.
 */
const firstLimitMs = compared ? heartbeatPeriodMs + 14_000 : Number.POSITIVE_INFINITY;

const three = ['vm-1', 'vm-2', 'vm-3'];

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Sonny recovers three fresh instances and touches nothing else; everything as it was afterwards. */
async function recovery(): Promise<{ firstMs: number; allBackMs: number }> {
  const ids = await testbed.boot('vm', 'hv01', { count: 3 });
  await testbed.boot('other', 'hv02');
  const { household } = await atWork({ RECOVERY: { answer_timeout: 60 } });
  const before = (await testbed.servers()).get('other');
  const killedAtMs = Date.now();
  await cloudTool('kill', 'hv01');
  await household.waitForEvent((e) => e.text.includes('is enabled, evacuating'), 180_000);
  await allActiveOnSpare(ids);
  const backAtMs = Date.now();
  await cloudTool('settle');
  const end = await household.waitForEvent((e) => e.facts.kind === ended, 180_000);
  expect(end.text).toContain('all 3 affected instances are back');
  expect(end.text).not.toContain('answer');
  await expectBackOnSpare(three);
  expect((await testbed.servers()).get('other')).toEqual(before);
  const migrations = (await testbed.evacuations()).filter((m) => m.createdAtMs > killedAtMs);
  expect(migrations).toHaveLength(3);
  const firstAtMs = (await firstRequestAtMs(household.redis, testbed.env.cloud)) ?? Number.NaN;
  await on?.close();
  on = null;
  await testbed.reset();
  return { firstMs: firstAtMs - killedAtMs, allBackMs: backAtMs - firstAtMs };
}

describe('kill hv01', () => {
  test('api: all three back on hv04 in time, nothing else touched', { timeout: 900_000 }, async () => {
    // One recovery takes Nova four to six seconds, and a single one says as much about what else the machine did in
    // them as about Sonny: several of each, in turns, so that a slow minute meets both.
    const bareMs = compared ? [await bareRun()] : [];
    const movedMs: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const { firstMs, allBackMs } = await recovery();
      movedMs.push(allBackMs);
      if (compared) bareMs.push(await bareRun());
      process.stdout.write(`first request ${firstMs} ms after the kill; all back ${allBackMs} ms later\n`);
      expect(firstMs).toBeLessThanOrEqual(firstLimitMs);
    }
    if (!compared) return;
    const ratio = mean(movedMs) / mean(bareMs);
    process.stdout.write(`bare loops need ${bareMs.join(', ')} ms; ratio of the means ${ratio.toFixed(2)}\n`);
    // One instance goes first, and the others about a second later, once Nova is seen to work at it.
    expect(ratio).toBeLessThanOrEqual(1.5);
  });

  test('database: likewise, and Placement moved', async () => {
    const ids = await testbed.boot('vm', 'hv01', { count: 3 });
    const [stopped] = await testbed.boot('off', 'hv01', { stopped: true });
    await testbed.boot('other', 'hv02');
    const { mysql } = testbed.env;
    const { household } = await atWork({
      OPENSTACK: { evacuate: 'database' },
      MYSQL: {
        host: mysql.host,
        port: mysql.port,
        user: mysql.user,
        pass: mysql.password,
        database: mysql.database,
      },
    });
    await cloudTool('kill', 'hv01');
    const end = await household.waitForEvent((e) => e.facts.kind === ended, 180_000);
    expect(end.text).toContain('all 4 affected instances are back');
    // Nobody told the test bed that their addresses moved.
    expect(end.text).toContain('run, but do not answer as they did before');
    await expectBackOnSpare(three);
    for (const id of [...ids, stopped as string]) expect(await testbed.allocatedOn(id)).toEqual(['hv04']);
    const off = (await testbed.servers()).get('off');
    expect(off).toMatchObject({ status: 'SHUTOFF', host: 'hv04', hypervisorName: 'hv04' });
    for (const port of await testbed.cloud.listPorts({ instanceId: stopped as string }, never))
      expect(port.host).toBe('hv04');
    expect((await testbed.servers()).get('other')).toMatchObject({ host: 'hv02', status: 'ACTIVE' });
    expect(await testbed.evacuations()).toEqual([]);
  });

  test('every state: SHUTOFF stays so, ERROR and locked move, paused and ordered are named, all others go on', async () => {
    await testbed.boot('run', 'hv01');
    await testbed.boot('off', 'hv01', { stopped: true });
    const [broken] = await testbed.boot('broken', 'hv01');
    const [locked] = await testbed.boot('locked', 'hv01');
    const [paused] = await testbed.boot('paused', 'hv01');
    await testbed.makeError(broken as string);
    await cloudTool('os', 'server', 'lock', locked as string);
    await cloudTool('os', 'server', 'pause', paused as string);
    await testbed.until(
      'paused',
      async () => (await testbed.servers()).get('paused')?.status === 'PAUSED',
      20_000,
    );
    const [ordered] = await testbed.boot('ordered', 'hv01', { stopped: true });
    const { household } = await atWork();
    await cloudTool('kill', 'hv01');
    // Nova does not look whether its host lives: the order waits for it.
    await cloudTool('os', 'server', 'start', ordered as string);
    const end = await household.waitForEvent((e) => e.facts.kind === ended, 180_000);
    expect(end.text).toContain('4 of 6 instances are back');
    expect(end.text).toContain('"ordered" skipped (somebody ordered something (powering-on) that hv01 may');
    expect(end.text).toMatch(
      /"paused" skipped \(Nova refuses it: Cannot 'evacuate' instance .* while it is in vm_state paused\)/,
    );
    const servers = await testbed.servers();
    expect(servers.get('run')).toMatchObject({ status: 'ACTIVE', host: 'hv04' });
    expect(servers.get('off')).toMatchObject({ status: 'SHUTOFF', host: 'hv04' });
    expect(servers.get('broken')).toMatchObject({ status: 'ACTIVE', host: 'hv04' });
    expect(servers.get('locked')).toMatchObject({ status: 'ACTIVE', host: 'hv04', locked: true });
    expect(servers.get('paused')).toMatchObject({ status: 'PAUSED', host: 'hv01' });
    expect(servers.get('ordered')).toMatchObject({ taskState: 'powering-on', host: 'hv01' });
  });

  test('by hand, an order: dry mode holds it and is waived, a living host is refused, exit codes', async () => {
    await testbed.boot('vm', 'hv01', { count: 2 });
    const { household } = await atWork({ DEFAULT: { monitor_period: 3, dead_backoff: 0 } });
    const byHand = async (...words: string[]) => {
      const command = household.start('ns4', '-d', 'hv01', ...words);
      return { code: await command.exited, output: command.output };
    };
    expect(await byHand()).toEqual({ code: 1, output: expect.stringContaining('Dry mode') });
    expect(await byHand('--despite', 'dry-mode')).toEqual({
      code: 1,
      output: expect.stringContaining('hv01 shows signs of life'),
    });
    expect(await testbed.evacuations()).toEqual([]);
    await cloudTool('kill', 'hv01');
    await household.waitForEvent(
      ({ facts }) => facts.kind === 'refused' && facts.refusal.name === 'dry-mode',
      60_000,
    );
    expect(await byHand('--despite', 'dry-mode')).toEqual({
      code: 0,
      output: expect.stringContaining('all 2 affected instances are back'),
    });
    expect(await testbed.evacuations()).toHaveLength(2);
  });

  test('by hand, alone: without a monitor it is said, refused while the host answers, done when it is dead', async () => {
    await testbed.boot('vm', 'hv01', { count: 2 });
    on = await stage(testbed);
    const { household } = on;
    const ordered = household.start('ns4', '-d', 'hv01', '-s', 'hv04');
    expect(await ordered.exited, ordered.output).toBe(1);
    expect(ordered.output).toContain('no monitor of');
    const words = ['-d', 'hv01', '-s', 'hv04', '--alone'];
    const refused = household.start('ns4', ...words);
    expect(await refused.exited, refused.output).toBe(1);
    expect(refused.output).toContain('hv01 shows signs of life');
    expect(await testbed.evacuations()).toEqual([]);
    await cloudTool('kill', 'hv01');
    await delay(9_000);
    const done = household.start('ns4', ...words);
    expect(await done.exited, done.output).toBe(0);
    expect(done.output).toContain('all 2 affected instances are back');
    // Onto the same spare it is gone on with, and nothing is left to be moved.
    const again = household.start('ns4', ...words);
    expect(await again.exited, again.output).toBe(0);
    expect(await testbed.cloud.listServers(never, 'hv01')).toEqual([]);
  });
});

describe('something dies in mid-recovery: all on the spare, none evacuated twice, none in ERROR', () => {
  const names = Array.from({ length: 6 }, (_, i) => `vm-${i + 1}`);

  async function expectOnceEach(): Promise<void> {
    await expectBackOnSpare(names);
    const ids = (await testbed.evacuations())
      .filter((m) => m.status !== 'completed')
      .map((m) => m.instanceId);
    const now = new Set([...(await testbed.servers()).values()].map((s) => s.id));
    const ours = ids.filter((id) => now.has(id));
    expect(ours.length, 'one evacuation each').toBe(new Set(ours).size);
    expect(new Set(ours).size).toBe(names.length);
  }

  async function killHv01AndWaitForMoves() {
    await testbed.boot('vm', 'hv01', { count: names.length });
    // Three at once, so that the recovery is still under way when something is killed.
    const parts = await atWork({ OPENSTACK: { concurrency: 3 } }, { aof: true });
    await cloudTool('kill', 'hv01');
    await parts.household.waitForEvent(
      (e) => e.facts.kind === 'progress' && e.text.includes('is enabled'),
      60_000,
    );
    return parts;
  }

  test('kill -9 of ns4', async () => {
    const { household, ns4 } = await killHv01AndWaitForMoves();
    await delay(700);
    await ns4.signal('SIGKILL');
    household.start('ns4', '-vv');
    await household.waitForEvent((e) => e.facts.kind === ended, 150_000);
    await expectOnceEach();
  });

  test('kill -9 of the monitor', async () => {
    const { household, monitor } = await killHv01AndWaitForMoves();
    await monitor.signal('SIGKILL');
    household.start('monitor', '-vv');
    await household.waitForEvent((e) => e.facts.kind === ended, 150_000);
    await expectOnceEach();
    const requested = (await household.events()).filter((e) => e.facts.kind === 'recovery-requested');
    expect(requested).toHaveLength(1);
  });

  test('a restart of redis-server (AOF)', async () => {
    const { household, redis } = await killHv01AndWaitForMoves();
    await delay(500);
    await redis.kill9();
    await delay(2_000);
    await redis.start();
    await household.waitForEvent((e) => e.facts.kind === ended, 150_000);
    await expectOnceEach();
  });
});
