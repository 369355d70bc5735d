// A Redis that lost everything, or its last second, with the compiled processes: what is begun ends, nothing new begins
// unless an operator allows it.
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SonnyEvent } from '../../src/shared/documents/events/events.ts';
import { until } from '../support/raw-api.ts';
import { SmallCloud } from '../support/small-cloud.ts';

let small: SmallCloud;
beforeEach(async () => {
  // Nobody is back before what is known is lost, on a busy machine either.
  small = await SmallCloud.open({}, undefined, undefined, 4_000);
});
afterEach(async () => {
  await small.close();
});

const refused = (name: string, hosts: number) => (e: SonnyEvent) =>
  e.facts.kind === 'refused' &&
  e.facts.refusal.name === name &&
  (!('hosts' in e.facts.refusal) || e.facts.refusal.hosts.length === hosts);

test('FLUSHALL in mid-recovery: it ends, nothing new is begun; accepted, the cooldown still counts', async () => {
  small.household.start('ns4');
  small.household.start('monitor');
  await small.watched();
  await small.simulator.kill('hv01');
  await small.household.waitForEvent((e) => e.text.includes('is enabled, evacuating'), 20_000);
  // The canary is asked for first. Of those that were not asked for before the loss nobody knows it, and they wait.
  await until(
    async () => Object.values(small.simulator.snapshot().servers).filter((s) => s.evacuationsStarted === 1),
    (asked) => asked.length === 3,
    10_000,
  );
  await small.household.redis.flushall();
  await small.household.waitForEvent(refused('state-lost', 0), 15_000);
  expect((await small.ended(60_000)).text).toContain('all 3 affected instances are back');
  small.expectRecoveredOnce();
  // Who answered before was lost as well: nobody's silence counts until he was heard again.
  await small.watched();
  await small.simulator.kill('hv02');
  const told = await small.household.waitForEvent(refused('state-lost', 1), 30_000);
  expect(told.text).toMatch(/^hv02 is dead, but what I knew was lost \(Redis lost all that it held\)/);
  const accept = small.household.start('monitor', '--accept-empty-state');
  expect(await accept.exited, accept.output).toBe(0);
  expect(accept.output).toMatch(/is in safe mode since .*: Redis lost all that it held\n/);
  await small.household.waitForEvent((e) => e.facts.kind === 'safe-mode-left', 10_000);
  await small.household.waitForEvent(refused('cooldown', 1), 15_000);
  expect(small.simulator.snapshot().servers.other).toMatchObject({ evacuationsStarted: 0 });
}, 90_000);

test('FLUSHALL while nobody watches: the mark of the recovery in Nova tells that this is no first start', async () => {
  const ns4 = small.household.start('ns4');
  const first = small.household.start('monitor');
  await small.watched();
  await small.simulator.kill('hv01');
  await small.ended();
  expect((await small.household.events()).filter(refused('state-lost', 0))).toEqual([]);
  await first.signal('SIGTERM');
  await small.household.redis.flushall();
  const second = small.household.start('monitor');
  const told = await small.household.waitForEvent(refused('state-lost', 0), 15_000);
  expect(told.text).toMatch(
    /^Redis is empty, yet hv01 was recovered before \("sonny resurrection on hv04 \(\S+ \S+…"\)\./,
  );
  const check = small.household.start('monitor', '--check');
  expect(await check.exited, check.output).toBe(0);
  expect(check.output).toContain('in safe mode (Redis is empty, yet hv01');
  await Promise.all([ns4.signal('SIGTERM'), second.signal('SIGTERM')]);
}, 60_000);

test.each([
  ['as they are', []],
  ['while the leader is killed', ['monitor']],
  ['while the worker is killed', ['ns4']],
] as const)(
  'Redis loses its last second in mid-recovery, processes %s: same end',
  async (_, killed) => {
    const processes = { ns4: small.household.start('ns4'), monitor: small.household.start('monitor') };
    await small.watched();
    small.household.start('ns4');
    small.household.start('monitor');
    await small.simulator.kill('hv01');
    await small.household.waitForEvent((e) => e.text.includes('forced down'), 20_000);
    const back = small.redis.moment();
    await delay(1_000);
    await Promise.all(killed.map((name) => processes[name].signal('SIGKILL')));
    await back();
    await small.ended(60_000);
    small.expectRecoveredOnce();
  },
  90_000,
);
