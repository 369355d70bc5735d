// The moment in which a monitor takes the lead, on a real Redis that fails just then: it tries again instead of ending.
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Driver } from '../../src/monitor/driver.ts';
import { Lease } from '../../src/monitor/lease.ts';
import { Memory, readState } from '../../src/monitor/memory.ts';
import type { RedisSettings } from '../../src/shared/config/settings.ts';
import { systemClock } from '../../src/shared/ground/clock.ts';
import { errorText } from '../../src/shared/ground/errors.ts';
import { createLog } from '../../src/shared/ground/log.ts';
import { JobProducer } from '../../src/shared/jobs/job-producer.ts';
import { InventoryStore } from '../../src/shared/picture/store.ts';
import { redisOptions } from '../../src/shared/redis/connect.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { readEvents } from '../support/events.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { noKey } from '../support/trust.ts';

const cloud = 'taken';
const keys = keysOf(cloud);
const log = createLog({ name: 'test', verbosity: 0 });
const rules = {
  ...{
    monitorPeriodMs: 60_000,
    heartbeatPeriodMs: 60_000,
    cooldownMs: 0,
    suspiciousBackoff: 3,
    deadBackoff: 1,
  },
  ...{ hypervisorPorts: [22], instancePorts: [22], fencing: 'none' as const },
  asksDisks: false,
  disabledHosts: 'leave' as const,
};
let server: TestRedis;
let redis: Redis;
let admin: Redis;
let jobs: JobProducer;
beforeEach(async () => {
  server = await startRedis();
  const settings: RedisSettings = {
    ...{ host: '127.0.0.1', port: server.port, username: null, password: null },
    ...{ tls: null, sentinels: null, db: 1, signing: null },
  };
  redis = new Redis({ ...redisOptions(settings, cloud), commandTimeout: 200, protocol: 2 });
  admin = new Redis(server.port, '127.0.0.1');
  jobs = new JobProducer(settings, cloud, noKey(), log, { quorum: 1, timeoutMs: 1_000 });
});
afterEach(async () => {
  await jobs.close();
  redis.disconnect();
  admin.disconnect();
  await server.stop();
});

/** Runs a monitor to which `onTaken` happens when it has the lease, and `onSaved` when its first save is done. */
function run(parts: { onTaken?: () => Promise<unknown>; onSaved?: () => void }) {
  const stop = new AbortController();
  const lease = new Lease(redis, keys, 'host/1');
  const memory = new Memory(redis, keys, lease.text, noKey());
  let saves = 0;
  const driver = new Driver({
    ...{ cloud, rules, jobs, clock: systemClock, log, inventory: new InventoryStore(redis, keys) },
    newLife: () => 'life',
    lease: {
      who: lease.who,
      take: async (floor) => {
        const epoch = await lease.take(floor);
        if (epoch !== null) await parts.onTaken?.();
        return epoch;
      },
      renew: () => lease.renew(),
      release: () => lease.release(),
    },
    memory,
    onSaved: () => {
      saves += 1;
      if (saves === 1) parts.onSaved?.();
    },
  });
  const ended = driver.run(stop.signal).then(
    () => 'stopped',
    (error: unknown) => errorText(error),
  );
  return { stop, ended };
}

/** Waits until the monitor watches (it asked for its first refresh), then stops it; how it ended and what it told. */
async function watchesAndStops({ stop, ended }: ReturnType<typeof run>) {
  let early: string | null = null;
  void ended.then((end) => {
    early = end;
  });
  for (let i = 0; early === null && i < 500; i += 1) {
    const state = await readState(admin, keys).catch(() => null);
    if (state?.watches.hosts.kind === 'refreshing') break;
    await delay(10);
  }
  stop.abort();
  const end = await ended;
  const events = await readEvents(admin, keys);
  return { end, told: events.map((event) => event.facts.kind) };
}
const onceEach = { end: 'stopped', told: ['monitor-started', 'monitor-stopped'] };

beforeEach(() => admin.select(1));

test('Redis answers nothing just then: it leads when there are answers again', async () => {
  const onTaken = () => admin.call('CLIENT', 'PAUSE', '700', 'ALL');
  expect(await watchesAndStops(run({ onTaken }))).toEqual(onceEach);
});

test('Redis takes no writes just then, as an old master without replicas', async () => {
  let tries = 0;
  const onTaken = async () => {
    tries += 1;
    await admin.config('SET', 'min-replicas-to-write', '1');
    setTimeout(() => void admin.config('SET', 'min-replicas-to-write', '0'), 700);
  };
  expect(await watchesAndStops(run({ onTaken }))).toEqual(onceEach);
  expect(tries).toBe(1);
});

test('the answer to its first save is lost: its start is told once', async () => {
  const onSaved = () => {
    throw new Error('Command timed out');
  };
  expect(await watchesAndStops(run({ onSaved }))).toEqual(onceEach);
});

test('a state that is not understood ends it, in one line', async () => {
  await admin.set(keys.monitorState, '{"version": 99}');
  const { ended } = run({});
  expect(await ended).toMatch(/is not a state of this version: [\s\S]*redis-cli del/);
});
