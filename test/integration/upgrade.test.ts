// The processes are replaced by newer ones in the middle of a recovery: what the older ones left in Redis is
// understood, and every instance is moved once.
import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { raiseHalfWay, readFixture } from '../support/half-way-cloud.ts';
import { Household } from '../support/processes.ts';
import { until } from '../support/raw-api.ts';
import { startRedis } from '../support/redis.ts';
import { dumpRedis, restoreRedis } from '../support/redis-fixture.ts';

/** Longer than it takes the new processes to find out that the old ones are gone: they find a request under way. */
const rebuildMs = 12_000;
const toClose: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

test.each(['redis-with-a-recovery-under-way'])(
  '%s: the recovery ends well, and each instance is evacuated once',
  async (name) => {
    const fixture = readFixture(name);
    const { cloud } = fixture;
    const moved = cloud.instances.filter(({ host }) => host === cloud.dead).map((instance) => instance.name);
    const asked = cloud.instances.filter(({ evacuation }) => evacuation !== null).length;
    const redis = await startRedis();
    toClose.push(() => redis.stop());
    const { simulator, rename } = await raiseHalfWay(fixture, rebuildMs);
    toClose.push(() => simulator.close());
    const household = new Household({
      cloud: cloud.name,
      redisPort: redis.port,
      cloudsYaml: simulator.cloudsYaml(),
      ini: { ...cloud.ini, OPENSTACK: { ...cloud.ini.OPENSTACK, concurrency: 4 } },
    });
    toClose.push(() => household.close());
    expect(simulator.snapshot().migrations).toHaveLength(asked);
    await restoreRedis(household.redis, fixture, { shiftMs: Date.now() - fixture.recordedAtMs, rename });
    // Those of an older version are read as sonny reads them: by their texts.
    const before = (await household.redis.xrange(keysOf(cloud.name).events, '-', '+')).map(
      ([, fields]) => z.object({ text: z.string() }).parse(JSON.parse(fields[1] ?? '')).text,
    );
    expect(before.length).toBeGreaterThan(0);

    household.start('ns4');
    household.start('monitor');
    const sonny = household.start('sonny');
    const end = await household.waitForEvent((e) => e.facts.kind === 'recovery-ended', 80_000);
    expect(end.text).toContain(`all ${moved.length} affected instances are back`);
    const { servers, hosts, migrations } = simulator.snapshot();
    for (const instance of moved)
      expect(servers[instance], instance).toMatchObject({
        host: cloud.spare,
        status: 'ACTIVE',
        evacuationsStarted: 1,
        evacuationsCompleted: 1,
        everTwoWriters: false,
      });
    expect(migrations).toHaveLength(moved.length);
    expect(servers.other).toMatchObject({ host: 'hv02', evacuationsStarted: 0 });
    expect(hosts[cloud.dead]).toMatchObject({ forcedDown: true, disabledReason: cloud.disabledReason });

    // Nothing was judged or asked for anew, and nothing is told twice.
    const kinds = (await household.events()).map((e) => e.facts.kind);
    expect(kinds.filter((kind) => /^(host-dead|recovery-(requested|ended))$/.test(kind))).toEqual([
      'recovery-ended',
    ]);
    await until(
      () => sonny.output,
      (output) => output.includes(end.text),
    );
    for (const text of before) expect(sonny.output).not.toContain(text);
  },
  120_000,
);

test('what is restored is what was recorded', async () => {
  const fixture = readFixture('redis-with-a-recovery-under-way');
  const redis = await startRedis();
  toClose.push(() => redis.stop());
  const client = new Redis({ port: redis.port, host: redis.host, protocol: 2 });
  toClose.push(async () => client.disconnect());
  await restoreRedis(client, fixture, { shiftMs: 0 });
  const { keys } = await dumpRedis(client);
  expect(Object.keys(keys)).toEqual(Object.keys(fixture.keys));
  for (const [name, { ttlMs, ...entry }] of Object.entries(fixture.keys)) {
    expect(keys[name], name).toMatchObject(entry);
    expect(keys[name]?.ttlMs === null, name).toBe(ttlMs === null);
  }
});
