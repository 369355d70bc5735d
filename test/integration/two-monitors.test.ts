// Several monitors of one cloud, as processes: one leads, the others stand by and take over; who lost the lead stands
// by.
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { leaseMs } from '../../src/monitor/lease.ts';
import { readState } from '../../src/monitor/memory.ts';
import { readLeader } from '../../src/shared/redis/leader.ts';
import { Cable } from '../support/cable.ts';
import type { Running } from '../support/processes.ts';
import { SmallCloud } from '../support/small-cloud.ts';

let small: SmallCloud;
beforeEach(async () => {
  small = await SmallCloud.open();
});
afterEach(async () => {
  await small.close();
});

const pidOf = ({ child }: Running) => `/${child.pid}`;
const leader = async () => (await readLeader(small.household.redis, small.keys)) ?? '';

/** Waits until this one leads; how long that took. */
async function leads(monitor: Running, limitMs: number): Promise<number> {
  const sinceMs = Date.now();
  while (!(await leader()).endsWith(pidOf(monitor))) {
    if (Date.now() - sinceMs > limitMs)
      throw new Error(`leads: ${await leader()}, not ${pidOf(monitor)}\n${await small.household.story()}`);
    await delay(20);
  }
  return Date.now() - sinceMs;
}

async function standsBy(monitor: Running): Promise<void> {
  for (let i = 0; ; i += 1) {
    const names = await small.household.redis.zrange(small.keys.monitorStandby, '0', '-1');
    if (names.some((name) => name.endsWith(pidOf(monitor)))) return;
    if (i > 200) throw new Error(`stands by: ${names}\n${await small.household.story()}`);
    await delay(50);
  }
}

const starts = async () =>
  (await small.household.events()).flatMap((e) => (e.facts.kind === 'monitor-started' ? [e.facts] : []));

test('stopped: the next one leads at once; killed: within twice the lease; --check names them', async () => {
  const first = small.household.start('monitor');
  await leads(first, 10_000);
  const second = small.household.start('monitor');
  await standsBy(second);
  const check = small.household.start('monitor', '--check');
  expect(await check.exited, check.output).toBe(0);
  expect(check.output).toMatch(
    new RegExp(`ok +leader: \\S+${pidOf(first)}; standing by: \\S+${pidOf(second)}\\n`),
  );
  await first.signal('SIGTERM');
  expect(await leads(second, 10_000)).toBeLessThan(2_000);
  const third = small.household.start('monitor');
  await standsBy(third);
  await second.signal('SIGKILL');
  expect(await leads(third, 20_000)).toBeLessThan(2 * leaseMs);
  await small.household.waitForEvent((e) => e.text.includes(`${pidOf(third)} leads now`), 5_000);
  const told = await starts();
  expect(told.map((s) => s.resumed)).toEqual([false, true, true]);
  expect(told.map((s) => s.epoch)).toEqual([...new Set(told.map((s) => s.epoch))].sort((a, b) => a - b));
  expect(told[0]?.epoch).toBeGreaterThan(Date.now() - 600_000);
});

test('frozen in mid-recovery: another one finishes it; thawed, it causes nothing and stands by', async () => {
  small.household.start('ns4');
  const first = small.household.start('monitor');
  await small.watched();
  const second = small.household.start('monitor');
  await standsBy(second);
  await small.simulator.kill('hv01');
  await small.household.waitForEvent((e) => e.facts.kind === 'recovery-requested', 20_000);
  await first.signal('SIGSTOP');
  expect(await leads(second, 20_000)).toBeLessThan(2 * leaseMs);
  await small.ended();
  await first.signal('SIGCONT');
  await standsBy(first);
  await delay(1_000);
  expect(await leader()).toContain(pidOf(second));
  small.expectRecoveredOnce();
  const kinds = (await small.household.events()).map((e) => e.facts.kind);
  expect(kinds.filter((kind) => /^(recovery-(requested|ended)|monitor-started)$/.test(kind))).toEqual([
    'monitor-started',
    'recovery-requested',
    'monitor-started',
    'recovery-ended',
  ]);
  await second.signal('SIGTERM');
  await leads(first, 5_000);
  // It read the state anew: what happened while it was frozen is known to it.
  const state = await readState(small.household.redis, small.keys);
  expect(state).toMatchObject({
    incidents: [{ stage: 'away', recovery: null }],
    cooldown: { recoveries: [expect.any(String)] },
  });
});

test('cut off from Redis: another one leads; back on the network, it stands by', async () => {
  const cable = await Cable.to(small.redis.port);
  try {
    small.household.start('ns4');
    const config = small.household.configure('far.ini', { REDIS: { port: cable.port } });
    const first = small.household.start('monitor', '-c', config);
    await small.watched();
    const second = small.household.start('monitor');
    await standsBy(second);
    cable.cut();
    expect(await leads(second, 20_000)).toBeLessThan(2 * leaseMs);
    await small.simulator.kill('hv01');
    await small.household.waitForEvent((e) => e.facts.kind === 'recovery-requested', 20_000);
    cable.mend();
    await standsBy(first);
    await small.ended();
    small.expectRecoveredOnce();
    expect((await starts()).length).toBe(2);
  } finally {
    cable.close();
  }
});
