// Redis fails over to its replica, by real sentinels: in mid-recovery the end is the same, and no connection stays
// behind.
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLog } from '../../src/shared/ground/log.ts';
import { connectRedis } from '../../src/shared/redis/connect.ts';
import { until } from '../support/raw-api.ts';
import { masterName } from '../support/redis.ts';
import { redisClient } from '../support/redis-client.ts';
import { RedisSet } from '../support/redis-set.ts';
import { SmallCloud } from '../support/small-cloud.ts';

let set: RedisSet;
beforeEach(async () => {
  set = await RedisSet.start();
});
afterEach(async () => {
  await set.stop();
});

test('the machine with the master and a sentinel is gone in mid-recovery', async () => {
  const small = await SmallCloud.open({}, set);
  try {
    const processes = (['ns4', 'monitor', 'sonny'] as const).map((name) => small.household.start(name));
    await small.watched();
    await small.simulator.kill('hv01');
    await small.household.waitForEvent(
      (e) => e.facts.kind === 'progress' && e.text.includes('enabled'),
      20_000,
    );
    // The first one of the list hangs: the master is being looked for when the others tell of the new one.
    set.sentinels[0]?.freeze();
    await set.master.kill9();
    await small.ended(30_000);
    small.expectRecoveredOnce();
    expect(processes.map((one) => one.alive)).toEqual([true, true, true]);

    // The machine is up again, its Redis is not.
    await set.sentinels[0]?.kill9();
    const check = small.household.start('monitor', '--check');
    expect(await check.exited).toBe(0);
    expect(check.output).toContain(
      `Redis: Redis master "${masterName}" at 127.0.0.1:${set.replica.port} (named by 2 of 3 sentinels; ` +
        `127.0.0.1:${set.sentinels[0]?.port}: connect ECONNREFUSED`,
    );
    expect(check.output).toContain('; no replica follows it: it cannot fail over');
  } finally {
    await small.close();
  }
}, 60_000);

test('connections to a master that hangs go over to the new one, and its last words do not count', async () => {
  const log = createLog({ name: 'test', verbosity: 0, destination: new PassThrough().resume() });
  const redis = connectRedis(set.settings, 'cloud1', log);
  const { host, port } = set.replica;
  const replica = redisClient({ ...set.settings, host, port, sentinels: null }, 'cloud1');
  try {
    await redis.set('word', 'before');
    await until(
      () => replica.get('word'),
      (word) => word === 'before',
    );
    set.master.freeze();
    // Into a connection that nobody reads.
    await redis.set('word', 'after');
    set.master.thaw();
    await delay(100);
    expect(await redis.get('word')).toBe('after');
    expect((await replica.role())[0]).toBe('master');
    expect(await replica.get('word')).toBe('after');
  } finally {
    replica.disconnect();
    redis.disconnect();
  }
}, 30_000);
