// What BullMQ keeps of a queue, spoilt by somebody: each of these once failed every job for as long as it stood. It is put
// right, said in the log, and the next job is done.
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Handlers } from '../../src/shared/documents/jobs/contracts.ts';
import { JobProducer } from '../../src/shared/jobs/job-producer.ts';
import { JobWorker } from '../../src/shared/jobs/queue.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { until } from '../support/raw-api.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { redisClient, settingsOf } from '../support/redis-client.ts';
import { noKey } from '../support/trust.ts';

const cloud = 'spoilt';
const queue = `${keysOf(cloud).prefix}:work`;
const inAYear = () => Date.now() + 365 * 86_400_000;
let server: TestRedis;
let redis: Redis;
let said: string[];
let closing: { close(): Promise<void> }[];
beforeEach(async () => {
  server = await startRedis();
  redis = redisClient(settingsOf(server), cloud);
  said = [];
  closing = [];
});
afterEach(async () => {
  await Promise.all(closing.map((one) => one.close()));
  redis.disconnect();
  await server.stop();
});

const as = (type: 'set' | 'list' | 'hash' | 'string') => async (key: string) => {
  await redis.del(key);
  if (type === 'set') await redis.sadd(key, 'x');
  else if (type === 'list') await redis.rpush(key, 'x');
  else if (type === 'hash') await redis.hset(key, 'x', 'y');
  else await redis.set(key, 'x');
};
const spoilings: Record<string, (jobKey: string) => Promise<unknown>> = {
  'waiting jobs of another type': () => as('set')(`${queue}:wait`),
  'active jobs of another type': () => as('hash')(`${queue}:active`),
  'done jobs of another type': () => as('string')(`${queue}:completed`),
  'failed jobs of another type': () => as('list')(`${queue}:failed`),
  'delayed jobs of another type': () => as('list')(`${queue}:delayed`),
  'a marker of another type': () => as('string')(`${queue}:marker`),
  'stalled jobs of another type': () => as('string')(`${queue}:stalled`),
  'what is known of the queue, of another type': () => as('set')(`${queue}:meta`),
  'a number of events that is none': () => redis.hset(`${queue}:meta`, 'opts.maxLenEvents', 'many'),
  'a count of jobs that is no number': () => redis.set(`${queue}:id`, 'x'.repeat(100)),
  'a count of jobs at its end': () => redis.set(`${queue}:id`, '9223372036854775807'),
  'events of another type': () => as('list')(`${queue}:events`),
  'events at their last id': () =>
    redis.xadd(`${queue}:events`, '18446744073709551615-18446744073709551615', 'event', 'x'),
  'events of the future': () => redis.xadd(`${queue}:events`, `${inAYear()}-0`, 'event', 'x'),
  'the next job of another type': (jobKey) => as('set')(jobKey),
};

test.each(Object.entries(spoilings))(
  '%s',
  async (_, spoil) => {
    const log = pino({ level: 'error' }, { write: (line: string) => void said.push(line) });
    const handlers = { 'refresh-inventory': async () => ({ ok: false, detail: 'no cloud' }) };
    const settings = settingsOf(server);
    const jobs = new JobProducer(settings, cloud, noKey(), log, { quorum: 1, timeoutMs: 300 });
    closing.push(
      jobs,
      new JobWorker(settings, cloud, noKey(), handlers as unknown as Handlers, 'vantage-point', log),
    );
    // As the monitor does: asked for again while it is missing, and another one when it failed.
    const done = async (name: string) => {
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        const id = `${name}-${attempt}`;
        const asked = async () => {
          await jobs.request('refresh-inventory', id, { servers: false, requestedAtMs: 0 }).catch(() => {});
          return jobs.outcome('refresh-inventory', id).catch(() => ({ state: 'unreadable' }));
        };
        const { state } = await until(asked, (found) => ['done', 'failed'].includes(found.state), 15_000);
        if (state === 'done') return;
      }
      throw new Error(`${name} was never done: ${said.join('')}`);
    };
    await done('before');
    await spoil(`${queue}:after-1`);
    await done('after');
  },
  40_000,
);

test('a job that cannot be read is as good as none, and what was removed is said', async () => {
  const log = pino({ level: 'error' }, { write: (line: string) => void said.push(line) });
  const jobs = new JobProducer(settingsOf(server), cloud, noKey(), log, { quorum: 1, timeoutMs: 300 });
  closing.push(jobs);
  await jobs.request('refresh-inventory', 'odd', { servers: false, requestedAtMs: 0 });
  await redis.hset(`${queue}:odd`, 'data', '{');
  expect(await jobs.outcome('refresh-inventory', 'odd')).toEqual({ state: 'missing' });
  expect(said.join('')).toContain(`${queue}:odd: no job: its data cannot be read`);
});
