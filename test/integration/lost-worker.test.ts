// A worker that is lost in the middle of a job: whoever asked learns within seconds that it was the worker, not the
// work.
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Handlers } from '../../src/shared/documents/jobs/contracts.ts';
import { JobProducer } from '../../src/shared/jobs/job-producer.ts';
import { JobWorker } from '../../src/shared/jobs/queue.ts';
import { until } from '../support/raw-api.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { redisClient, settingsOf } from '../support/redis-client.ts';
import { noKey } from '../support/trust.ts';

const log = pino({ level: 'silent' });
const cloud = 'lost-worker';
let server: TestRedis;
let redis: Redis;
let jobs: JobProducer;
let worker: JobWorker;
/** How the handler's work ends. */
let work: (signal: AbortSignal) => Promise<unknown>;

beforeAll(async () => {
  server = await startRedis();
  const settings = settingsOf(server);
  redis = redisClient(settings, cloud);
  jobs = new JobProducer(settings, cloud, noKey(), log, { quorum: 1, timeoutMs: 300 });
  const handlers = { 'refresh-inventory': (_: unknown, signal: AbortSignal) => work(signal) };
  worker = new JobWorker(settings, cloud, noKey(), handlers as unknown as Handlers, 'vantage-point', log);
});
afterAll(async () => {
  await Promise.all([worker.close(), jobs.close()]);
  redis.disconnect();
  await server.stop();
});

const asked = async (id: string) => {
  await jobs.request('refresh-inventory', id, { servers: false, requestedAtMs: 0 });
  return () => jobs.outcome('refresh-inventory', id);
};
const hasFailed = ({ state }: { state: string }) => state === 'failed';

test('the lock runs out: its ns4 died or stood still; the work is told to stop', async () => {
  let stopped = false;
  work = (signal) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        stopped = true;
        reject(signal.reason);
      });
    });
  const outcome = await asked('lost');
  await until(outcome, ({ state }) => state === 'running');
  const [lock = ''] = await redis.keys('*lost:lock');
  // As if it had run out: this worker renews it every 2.5 s.
  await redis.del(lock);
  const end = await until(outcome, hasFailed, 12_000);
  expect(end).toEqual({ state: 'failed', detail: 'its ns4 died or stood still', workerLost: true });
  await until(
    async () => stopped,
    (is) => is,
    6_000,
  );
}, 20_000);

test('the work fails: in its own words, and the worker is not lost', async () => {
  work = async () => {
    throw new Error('job stalled by a colleague, says the handler');
  };
  const outcome = await asked('failing');
  expect(await until(outcome, hasFailed, 5_000)).toEqual({
    state: 'failed',
    detail: 'job stalled by a colleague, says the handler',
  });
});

test('whose loops ended works on nothing, and says so', async () => {
  const other = new JobWorker(settingsOf(server), cloud, noKey(), {} as Handlers, 'other', log);
  expect(other.isWorking).toBe(true);
  await other.close();
  expect([other.isWorking, worker.isWorking]).toEqual([false, true]);
});
