// Several vantage points in a real Redis: who is alive, whom a scan waits for, and what those who answer see together.
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { plansOfAll } from '../../src/ns4/fencing/plans-of-all.ts';
import type { Handlers, JobData, JobOutcome } from '../../src/shared/documents/jobs/contracts.ts';
import type { ScanFinding, ScanResult } from '../../src/shared/documents/jobs/scan.ts';
import { fencingPlansOf } from '../../src/shared/documents/terms/fencing-plans.ts';
import { systemClock } from '../../src/shared/ground/clock.ts';
import { JobProducer, ScanQueues } from '../../src/shared/jobs/job-producer.ts';
import { JobWorker } from '../../src/shared/jobs/queue.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { isWorthWaiting, QuorumScan } from '../../src/shared/vantage-points/ask-all.ts';
import { describeVantagePoints, VantagePointRegistry } from '../../src/shared/vantage-points/registry.ts';
import { never } from '../support/evacuation-bench.ts';
import { until } from '../support/raw-api.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { redisClient, settingsOf } from '../support/redis-client.ts';
import { noKey } from '../support/trust.ts';

const log = pino({ level: 'silent' });
const keys = keysOf('many-eyes');
let server: TestRedis;
let redis: Redis;
let registry: VantagePointRegistry;
const opened: { close(): unknown }[] = [];

const settings = () => settingsOf(server);

beforeAll(async () => {
  server = await startRedis();
  redis = redisClient(settings(), 'many-eyes');
  registry = new VantagePointRegistry(redis, keys);
});
afterEach(async () => {
  for (const part of opened.splice(0).reverse()) await part.close();
  await redis.flushdb();
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const finding = (state: ScanFinding['state']): ScanFinding => ({ state, detail: state });
const seen = (state: ScanFinding['state']): ScanResult => ({
  ...{ ok: true, outcome: 'seen', tookMs: 5 },
  ...{ targets: { hv01: finding(state) }, controls: { gateway: finding('answers') } },
});
const data: JobData<'scan'> = {
  targets: [{ name: 'hv01', endpoints: [{ address: '127.0.0.1', port: 1 }] }],
  controls: [],
  requestedAtMs: 0,
};

const alive = async () => (await registry.list()).names;

/** An ns4 that only scans, and finds this. */
async function vantagePoint(name: string, found: () => Promise<ScanResult>): Promise<void> {
  const handlers = { scan: found } as unknown as Handlers;
  opened.push(new JobWorker(settings(), 'many-eyes', noKey(), handlers, name, log));
  const joined = registry.join(name, log);
  opened.push({ close: () => joined.leave() });
  await until(alive, (names) => names.includes(name));
}

function producer(quorum: number): JobProducer {
  const made = new JobProducer(settings(), 'many-eyes', noKey(), log, { quorum, timeoutMs: 300 });
  opened.push(made);
  return made;
}

async function ended(jobs: JobProducer, id: string): Promise<JobOutcome<'scan'>> {
  for (;;) {
    const outcome = await jobs.outcome('scan', id);
    if (outcome.state !== 'waiting' && outcome.state !== 'running') return outcome;
    await delay(20);
  }
}

test('two of one name are one vantage point, until both have left', async () => {
  const [first, second] = [registry.join('ctl1', log), registry.join('ctl1', log)];
  const other = registry.join('ctl2', log);
  await until(alive, (names) => names.length === 2);
  expect(await describeVantagePoints(registry, 3)).toBe(
    'ctl1, ctl2; 3 must agree: too few, nobody is judged dead',
  );
  await first.leave();
  expect(await alive()).toEqual(['ctl1', 'ctl2']);
  await Promise.all([second.leave(), other.leave()]);
  expect(await alive()).toEqual([]);
});

test('each tells the hash of its plan of fencing; one of another version, or without a plan, tells none', async () => {
  const plans = async () => fencingPlansOf((await registry.list()).plans);
  const joined = [
    registry.join('ctl1', log, 'aaaa'),
    registry.join('ctl2', log, 'aaaa'),
    registry.join('ctl3', log),
  ];
  await until(alive, (names) => names.length === 3);
  expect(await plans()).toEqual([{ plan: 'aaaa', of: ['ctl1', 'ctl2'] }]);
  const other = registry.join('ctl2', log, 'bbbb');
  await until(plans, (found) => found.length === 2);
  expect(await plans()).toEqual([
    { plan: 'aaaa', of: ['ctl1', 'ctl2'] },
    { plan: 'bbbb', of: ['ctl2'] },
  ]);
  expect(await plansOfAll(registry, { name: 'ctl1', plan: 'cccc' })()).toHaveLength(3);
  await other.leave();
  expect(await plansOfAll(registry, { name: 'ctl1', plan: 'aaaa' })()).toHaveLength(1);
  await Promise.all(joined.map((one) => one.leave()));
  expect(await plansOfAll(registry, null)()).toEqual([]);
});

test('two find it silent, one hears it: it answers; asked twice under one id it is one scan', async () => {
  let scans = 0;
  const scan = async () => {
    scans += 1;
    return seen('silent');
  };
  await vantagePoint('ctl1', scan);
  await vantagePoint('ctl2', scan);
  const jobs = producer(2);
  await jobs.request('scan', 'one', data);
  await jobs.request('scan', 'one', data);
  const agreed = await ended(jobs, 'one');
  expect(agreed).toMatchObject({ state: 'done', result: { outcome: 'seen', quorum: 2 } });
  expect(agreed).toMatchObject({
    result: { targets: { hv01: { state: 'silent', detail: 'silent, to 2 vantage points (ctl1, ctl2)' } } },
  });
  expect(scans).toBe(2);
  await vantagePoint('ctl3', async () => seen('answers'));
  await jobs.request('scan', 'two', data);
  expect(await ended(jobs, 'two')).toMatchObject({
    result: { targets: { hv01: { state: 'answers', detail: 'answers, heard by ctl3' } } },
  });
});

test('one that died, with its registration still there, is waited for until that runs out: too few', async () => {
  await vantagePoint('ctl1', async () => seen('silent'));
  // Dead: nobody works on its queue, nobody renews it; half a second of its life is left.
  await redis.zadd(keys.vantagePoints, Date.now() + 500, 'ctl2 dead');
  const jobs = producer(2);
  await jobs.request('scan', 'one', data);
  await delay(250);
  expect(await jobs.outcome('scan', 'one')).toEqual({ state: 'running' });
  // One that registers meanwhile is asked too: here it never does.
  const outcome = await ended(jobs, 'one');
  expect(outcome).toMatchObject({ state: 'done', result: { outcome: 'too-few-vantage-points' } });
}, 15_000);

test('one that registers while there are too few is asked too', async () => {
  await vantagePoint('ctl1', async () => seen('silent'));
  const jobs = producer(2);
  await jobs.request('scan', 'one', data);
  await delay(200);
  expect(await jobs.outcome('scan', 'one')).toEqual({ state: 'running' });
  await vantagePoint('ctl2', async () => seen('silent'));
  expect(await ended(jobs, 'one')).toMatchObject({ result: { outcome: 'seen' } });
});

test("ns4's own scan goes to the others too, and one of them vetoes", async () => {
  await vantagePoint('ctl2', async () => seen('answers'));
  const queues = new ScanQueues(settings(), 'many-eyes', noKey(), log);
  opened.push(queues);
  const rules = { quorum: 1, timeoutMs: 300 };
  const quorumScan = new QuorumScan({
    redis,
    keys,
    trust: noKey(),
    registry,
    queues,
    rules,
    clock: systemClock,
  });
  const own = { name: 'ctl1', scan: async () => seen('silent') };
  expect(await quorumScan.ask(data, own, never)).toMatchObject({
    targets: { hv01: { state: 'answers', detail: 'answers, heard by ctl2' } },
  });
  const stop = AbortSignal.abort(new Error('stopped'));
  await expect(quorumScan.ask(data, own, stop)).rejects.toThrow('stopped');
});

test('a scan that Redis lost is missing, not silent', async () => {
  const jobs = producer(1);
  expect(await jobs.outcome('scan', 'unheard-of')).toEqual({ state: 'missing' });
});

const vote = (result: ScanResult | null, pending = false) => ({ vantagePoint: 'ctl', result, pending });
test.each([
  ['enough agree, nobody is out', [vote(seen('silent'))], 0, 1, false],
  ['enough agree, another one may veto', [vote(seen('silent')), vote(null, true)], 5_500, 1, true],
  ['enough agree, another one is slow', [vote(seen('silent')), vote(null, true)], 5_600, 1, false],
  ['too few agree, another one is slow', [vote(seen('silent')), vote(null, true)], 50_000, 2, true],
  ['too few agree, and time is up', [vote(seen('silent')), vote(null, true)], 55_000, 2, false],
  ['too few are there: one may register', [vote(seen('silent'))], 5_500, 2, true],
  ['too few are there, and none registers', [vote(seen('silent'))], 5_600, 2, false],
])('is it worth waiting? %s', (_, votes, waitedMs, quorum, expected) => {
  expect(isWorthWaiting(votes, waitedMs, { quorum, timeoutMs: 300 })).toBe(expected);
});
