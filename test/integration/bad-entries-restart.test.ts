// One bad entry under every key at once, and all three processes killed and started again: they get over it, and a host that
// dies then is recovered. What must not be gone on from is refused by name.
import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { vantagePointOf } from '../../src/shared/config/load.ts';
import type { RefusalName } from '../../src/shared/documents/refusals/refusals.ts';
import { until } from '../support/raw-api.ts';
import { SmallCloud } from '../support/small-cloud.ts';

let small: SmallCloud;
beforeEach(async () => {
  small = await SmallCloud.open();
});
afterEach(async () => {
  await small.close();
});

type Keys = SmallCloud['keys'];
const inAYear = () => Date.now() + 365 * 86_400_000;

const textKeys = (keys: Keys): string[] => [
  ...[keys.hosts, keys.instances, keys.oldServers, keys.status, keys.assignments],
  ...[keys.monitorLease, keys.monitorEpoch, keys.relayCursor, keys.terminalCursor],
  ...['hv01', 'hv04'].flatMap((host) => [
    ...[keys.lock(host), keys.openJournal(host), keys.targetClaim(host), keys.fenceConfirmation(host)],
    ...[keys.fenceShots(host), keys.fenceBystanders(host)],
  ]),
];
const hashKeys = (keys: Keys): string[] => [
  ...[keys.heard(vantagePointOf(hostname())), keys.opened, keys.storageAddresses, keys.cutOff],
];

/** Each key of its own type, with what makes no sense there. */
async function leaveNonsense(redis: Redis, keys: Keys): Promise<void> {
  for (const key of textKeys(keys)) await redis.set(key, '{');
  for (const key of hashKeys(keys)) await redis.hset(key, 'x', 'y', '192.0.2.1', '{');
  await redis.rpush(keys.orders, '{', 'null', '{"kind":"no-such"}');
  await redis.zadd(keys.vantagePoints, inAYear(), 'a:b x');
  await redis.zadd(keys.monitorStandby, inAYear(), '\u001b]0;x\u0007');
  await redis.xadd(keys.events, '*', 'event', '{');
}

/** Each key of another type than it should be. */
async function leaveOtherTypes(redis: Redis, keys: Keys): Promise<void> {
  const texts = [...hashKeys(keys), keys.orders, keys.vantagePoints, keys.monitorStandby, keys.events];
  for (const key of texts) await redis.set(key, 'x');
  for (const key of textKeys(keys)) await redis.multi().del(key).hset(key, 'a', 'b').exec();
}

const startAll = () => (['ns4', 'monitor', 'sonny'] as const).map((name) => small.household.start(name));

test.each([
  ['that make no sense', leaveNonsense],
  ['of another type', leaveOtherTypes],
])(
  'entries %s, and all three started again',
  async (_, leave) => {
    const { redis } = small.household;
    const first = startAll();
    await small.watched();
    for (const one of first) await one.signal('SIGKILL');
    await leave(redis, small.keys);
    const [ns4, monitor, sonny] = startAll();
    const heard = small.keys.heard(vantagePointOf(hostname()));
    await until(
      async () => [await redis.type(heard), await redis.getrange(small.keys.hosts, 0, 19).catch(() => '')],
      ([type, hosts]) => type === 'hash' && hosts?.includes('version') === true,
      40_000,
    );
    await small.watched();
    await small.simulator.kill('hv01');
    const ended = await small.ended(75_000);
    expect(ended.text).toContain('all 3 affected instances are back');
    small.expectRecoveredOnce();
    await until(
      () => sonny?.output ?? '',
      (output) => output.includes('all 3 affected instances are back'),
      20_000,
    );
    for (const one of [ns4, monitor, sonny]) expect(one?.alive, one?.output).toBe(true);
  },
  150_000,
);

test('a journal that makes no sense: refused at once, by name; without it the host is recovered', async () => {
  const { redis } = small.household;
  const { keys } = small;
  startAll();
  await small.watched();
  await redis.set(keys.journal('x1.1'), '{');
  await redis.set(keys.openJournal('hv01'), 'x1.1');
  await small.simulator.kill('hv01');
  const refusal: RefusalName = 'journal-not-believed';
  const { text } = await small.household.waitForEvent(
    ({ facts }) => facts.kind === 'refused' && facts.refusal.name === refusal,
    60_000,
  );
  expect(text).toContain('the journal of a recovery (x1.1) makes no sense');
  await redis.del(keys.openJournal('hv01'));
  await small.household.waitForEvent(
    ({ facts }) => facts.kind === 'recovery-ended' && facts.report.outcome === 'done',
    60_000,
  );
  small.expectRecoveredOnce();
}, 150_000);

test.each([
  ['makes no sense', (redis: Redis, key: string) => redis.set(key, '{')],
  ['is of another type', (redis: Redis, key: string) => redis.multi().del(key).hset(key, 'a', 'b').exec()],
])(
  "the monitor's state %s: it ends, and says why",
  async (_, leave) => {
    await leave(small.household.redis, small.keys.monitorState);
    const monitor = small.household.start('monitor');
    expect(await monitor.exited).toBe(1);
    expect(monitor.output).toContain(`${small.keys.monitorState} in Redis is not a state of this version`);
  },
  60_000,
);
