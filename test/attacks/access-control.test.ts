// The users of docs/security.md on a real Redis, with a key: the three processes recover a host as ever, and what each must
// not write it cannot. Whoever has the run of Redis but no key gets nothing done.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { redisOptions } from '../../src/shared/redis/connect.ts';
import { dbOver } from '../../src/shared/redis/db.ts';
import { EventLog } from '../../src/shared/redis/event-log.ts';
import { PretendDevice } from '../support/pretend-device.ts';
import type { Ini } from '../support/processes.ts';
import { until } from '../support/raw-api.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { settingsOf } from '../support/redis-client.ts';
import { SmallCloud } from '../support/small-cloud.ts';

const users = ['ns4', 'monitor', 'sonny'] as const;
const documented = readFileSync(join(import.meta.dirname, '../../docs/security.md'), 'utf8');
/** As documented, for the cloud of the test; passwords are the users' names. */
const acl = (cloud: string): string =>
  [...documented.matchAll(/^user .*$/gm)]
    .map(([line]) =>
      line
        .replaceAll('CLOUD', cloud)
        .replaceAll(/>(\w+)-PASSWORD/g, (_, name) => `>${name.toLowerCase()}-pass`),
    )
    .join('\n');

let server: TestRedis;
let small: SmallCloud;
let admin: Redis;
const login = (username: string) => ({ username, password: `${username}-pass` });

beforeEach(async () => {
  server = await startRedis({ aof: true, config: acl('simulated') });
  small = await SmallCloud.open({}, undefined, { server, login: login('admin') });
  admin = small.household.redis;
});
afterEach(async () => {
  await small.close();
});

/** One configuration for each process, with its user. */
function configure(more: Ini = {}): Record<(typeof users)[number], string> {
  const of = (name: (typeof users)[number]) =>
    small.household.configure(`${name}.ini`, {
      ...more,
      REDIS: { ...more.REDIS, username: name, pass: `${name}-pass`, key_file: 'sonny.key' },
    });
  return { ns4: of('ns4'), monitor: of('monitor'), sonny: of('sonny') };
}

async function startAll(configs: ReturnType<typeof configure>) {
  const made = small.household.start('ns4', '--make-key', 'sonny.key');
  expect(await made.exited, made.output).toBe(0);
  const running = users.map((name) => small.household.start(name, '-c', configs[name]));
  await small.watched();
  return running;
}

test('a host is recovered; each process was let do all it did, and no more', async () => {
  const configs = configure();
  const running = await startAll(configs);
  await small.simulator.kill('hv01');
  await small.ended();
  small.expectRecoveredOnce();
  const reset = small.household.start('ns4', '-c', configs.ns4, '-r');
  expect(await reset.exited, reset.output).toBe(0);
  await small.household.waitForEvent(({ facts }) => facts.kind === 'cooldown-reset', 10_000);
  for (const name of users) {
    const check = small.household.start(name, '-c', configs[name], '--check');
    await check.exited;
    expect(check.output).not.toContain('NOPERM');
    if (name !== 'sonny')
      expect(check.output).toContain(
        'ok      signatures: 1 key, the first one signs; the monitor signs by the same',
      );
  }
  await until(
    () => running[2]?.output ?? '',
    (output) => output.includes('cooldown was reset'),
  );
  expect(await admin.acl('LOG')).toEqual([]);
  expect(await small.household.events()).not.toContainEqual(
    expect.objectContaining({ facts: expect.objectContaining({ kind: 'not-believed' }) }),
  );

  const { keys } = small;
  const as = (username: string) =>
    new Redis({ ...redisOptions({ ...settingsOf(server), ...login(username) }, small.cloud), protocol: 2 });
  const refused = async (username: string, attempts: readonly ((redis: Redis) => Promise<unknown>)[]) => {
    const redis = as(username);
    try {
      for (const attempt of attempts) await expect(attempt(redis), String(attempt)).rejects.toThrow('NOPERM');
    } finally {
      redis.disconnect();
    }
  };

  const [someEvent] = await small.household.events();
  if (someEvent === undefined) throw new Error('nothing was told');
  for (const one of running) await one.signal('SIGTERM');
  // Whoever tells something puts aside what stands in the stream's place; of the users that may.
  for (const username of ['ns4', 'monitor']) {
    await admin.del(`${keys.events}:broken`);
    const redis = as(username);
    try {
      await admin.set(keys.events, 'nonsense');
      await new EventLog(dbOver(redis, 'Redis'), keys).append([someEvent]);
    } finally {
      redis.disconnect();
    }
    expect(await admin.type(keys.events)).toBe('stream');
    expect(await admin.get(`${keys.events}:broken`)).toBe('nonsense');
  }
  expect(await admin.acl('LOG')).toEqual([]);

  await refused('sonny', [
    (redis) => redis.rpush(keys.orders, '{}'),
    (redis) => redis.set(keys.assignments, '{}'),
    (redis) => redis.set(keys.fenceConfirmation('hv02'), '{}'),
    (redis) => redis.set(keys.journal('x1.1'), '{}'),
    (redis) => redis.xadd(keys.events, '*', 'event', '{}'),
    (redis) => redis.publish(keys.channel, '{}'),
    (redis) => redis.zadd(keys.vantagePoints, 1, 'eye2 x'),
    (redis) => redis.set(keys.status, '{}'),
    (redis) => redis.eval('return 1', 1, keys.orders),
    (redis) => redis.lpush(`${keys.prefix}:recover:wait`, 'x'),
    (redis) => redis.set('sonny:{other}:monitor:orders', 'x'),
    (redis) => redis.flushall(),
  ]);
  await refused('ns4', [
    (redis) => redis.set(keys.assignments, '{}'),
    (redis) => redis.set(keys.monitorState, '{}'),
    (redis) => redis.del(keys.monitorLease),
    (redis) => redis.set(keys.relayCursor, '0-0'),
    (redis) => redis.config('SET', 'appendonly', 'no'),
  ]);
  await refused('monitor', [
    (redis) => redis.set(keys.journal('x1.1'), '{}'),
    (redis) => redis.set(keys.fenceConfirmation('hv02'), '{}'),
    (redis) => redis.set(keys.hosts, '{}'),
  ]);
}, 180_000);

test('an off through another vantage point is within what ns4 may, and out of what the others may', async () => {
  const FENCING = { mode: 'required', timeout: 5 };
  const { household, keys } = small;
  const REDIS = { username: 'ns4', pass: 'ns4-pass', key_file: 'sonny.key' };
  const far = household.configure('far.ini', { FENCING, REDIS, SCAN: { name: 'far', fences: 'no' } });
  const bmc = new PretendDevice(join(household.dir, 'bmc'));
  const level = `{agent: ${bmc.program}, options: {plug: "{host}"}}`;
  writeFileSync(join(household.dir, 'fencing.yaml'), `hosts: {hv01: {levels: [${level}]}}`, { mode: 0o600 });
  const near = household.configure('near.ini', {
    ...{ REDIS, SCAN: { name: 'near' }, FENCING: { ...FENCING, hosts: 'fencing.yaml' } },
  });
  const { monitor: config } = configure({ FENCING, SCAN: { fences: 'no' } });
  await household.start('ns4', '--make-key', 'sonny.key').exited;
  household.start('ns4', '-c', near);
  const monitor = household.start('monitor', '-c', config);
  await small.watched();
  // One recovery by hand, as either of the two would take the monitor's job.
  await monitor.signal('SIGTERM');
  await small.simulator.kill('hv01');
  await delay(4_000);
  const recovered = household.start('ns4', '-d', 'hv01', '-s', 'hv04', '--alone', '-v', '-c', far);
  expect(await recovered.exited, recovered.output).toBe(0);
  small.expectRecoveredOnce();
  expect(bmc.offs).toBe(1);
  expect(await admin.acl('LOG')).toEqual([]);

  for (const username of ['monitor', 'sonny']) {
    const redis = new Redis({
      ...redisOptions({ ...settingsOf(server), ...login(username) }, small.cloud),
      protocol: 2,
    });
    await expect(redis.set(keys.fenceOrder('x'), 'open')).rejects.toThrow('NOPERM');
    await expect(redis.lpush(`${keys.prefix}:fence:wait`, 'x')).rejects.toThrow('NOPERM');
    redis.disconnect();
  }
}, 180_000);

test('whoever has the run of Redis and no key: no order, job or journal of his is obeyed, and each is told', async () => {
  const configs = configure({ DEFAULT: { dead_backoff: 0 } });
  const running = await startAll(configs);
  const { keys } = small;
  const nowMs = Date.now();
  const common = { by: 'mallory', atMs: nowMs };
  const distrust = (what: string) =>
    small.household.waitForEvent(
      ({ facts }) => facts.kind === 'not-believed' && facts.document.what === what,
      15_000,
    );

  await admin.rpush(
    keys.orders,
    JSON.stringify({
      kind: 'recover',
      id: 'o1',
      host: 'hv02',
      target: 'hv04',
      despite: ['dry-mode'],
      ...common,
    }),
  );
  await distrust('order');

  // All that a recovery would ask for; the assignments again and again, as the monitor saves its own over them.
  const [epoch, recovery] = [nowMs + 1e9, 'x1.1'];
  const id = `recover-${recovery}-1`;
  const journal = {
    ...{ version: 2, id: recovery, incident: 'x1', sonny: '', dead: 'hv02', mover: 'api', evidence: [] },
    ...{ openedAtMs: nowMs, judgedAtMs: nowMs, acted: true, progress: [], instances: {}, ended: null },
    plan: { moves: [] },
    proof: { by: 'operator', who: 'alice', atMs: nowMs + 1e11, failed: [] },
  };
  await admin.set(keys.journal(recovery), JSON.stringify(journal));
  await admin.set(keys.openJournal('hv02'), recovery);
  const forged = JSON.stringify({ epoch, revision: 1, jobs: { [recovery]: id } });
  await admin.set(keys.assignments, forged);
  const connection = {
    ...redisOptions({ ...settingsOf(server), ...login('admin') }, small.cloud),
    maxRetriesPerRequest: null,
  };
  const recover = new Queue('recover', { connection, prefix: keys.prefix });
  await recover.add('recover', { recovery, dead: 'hv02', epoch }, { jobId: id });
  await distrust('job');
  const again = setInterval(() => void admin.set(keys.assignments, forged), 20);
  await distrust('assignments').finally(() => clearInterval(again));
  await recover.close();

  // A state that the monitor would go on from; killed, as whoever is told to stop saves its own.
  await running[1]?.signal('SIGKILL');
  await admin.set(
    keys.monitorState,
    (await admin.get(keys.monitorState))?.replace(/"epoch":\d+/, `"epoch":${epoch}`) ?? '',
  );
  const next = small.household.start('monitor', '-c', configs.monitor);
  expect(await next.exited).toBe(1);
  expect(next.output).toContain("the monitor's state is not signed by our key");

  expect(small.simulator.snapshot().servers.other).toMatchObject({ host: 'hv02', evacuationsStarted: 0 });
}, 180_000);

test('a journal of nobody keeps its host from being recovered, and says so', async () => {
  await startAll(configure());
  const { keys } = small;
  await admin.set(keys.journal('x1.1'), JSON.stringify({ id: 'x1.1', dead: 'hv01' }));
  await admin.set(keys.openJournal('hv01'), 'x1.1');
  await small.simulator.kill('hv01');
  await small.household.waitForEvent(
    ({ facts }) => facts.kind === 'refused' && facts.refusal.name === 'journal-not-believed',
    30_000,
  );
  await admin.del(keys.openJournal('hv01'));
  await small.household.waitForEvent(
    ({ facts }) => facts.kind === 'recovery-ended' && facts.report.outcome === 'done',
    40_000,
  );
  small.expectRecoveredOnce();
}, 180_000);
