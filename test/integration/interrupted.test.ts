// Processes and Redis that are killed, stopped and started again in mid-recovery: the end is the same.
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SmallCloud } from '../support/small-cloud.ts';

let small: SmallCloud;
beforeEach(async () => {
  small = await SmallCloud.open();
});
afterEach(async () => {
  await small.close();
});

test('kill -9 of monitor and ns4 again and again: each instance is evacuated once', async () => {
  let [ns4, monitor] = [small.household.start('ns4'), small.household.start('monitor')];
  await small.watched();
  await small.simulator.kill('hv01');
  await small.household.waitForEvent((e) => e.facts.kind === 'suspects-found', 15_000);
  for (let round = 0; round < 4; round += 1) {
    await delay(400 + 350 * round);
    await Promise.all([ns4.signal('SIGKILL'), monitor.signal('SIGKILL')]);
    [ns4, monitor] = [small.household.start('ns4'), small.household.start('monitor')];
  }
  await small.ended(80_000);
  small.expectRecoveredOnce();
  const requested = (await small.household.events()).filter((e) => e.facts.kind === 'recovery-requested');
  expect(requested).toHaveLength(1);
}, 100_000);

test('SIGTERM in mid-recovery: ns4 hands back at once and the next one finishes', async () => {
  const ns4 = small.household.start('ns4');
  small.household.start('monitor');
  await small.watched();
  await small.simulator.kill('hv01');
  await small.household.waitForEvent(
    (e) => e.facts.kind === 'progress' && e.text.includes('enabled'),
    20_000,
  );
  const stoppedMs = Date.now();
  await ns4.signal('SIGTERM');
  expect(Date.now() - stoppedMs).toBeLessThan(8_000);
  expect(await ns4.exited).toBe(0);
  small.household.start('ns4');
  await small.ended();
  small.expectRecoveredOnce();
});

test('redis-server is killed and comes back in mid-recovery', async () => {
  small.household.start('ns4');
  small.household.start('monitor');
  await small.watched();
  await small.simulator.kill('hv01');
  await small.household.waitForEvent((e) => e.facts.kind === 'recovery-requested', 20_000);
  await delay(300);
  await small.redis.kill9();
  await delay(1_500);
  await small.redis.start();
  await small.ended(60_000);
  small.expectRecoveredOnce();
}, 80_000);

test('defect 14: starting the monitor leaves a queued evacuation where it is', async () => {
  const ns4 = small.household.start('ns4');
  const monitor = small.household.start('monitor');
  await small.watched();
  await small.simulator.kill('hv01');
  await small.household.waitForEvent((e) => e.facts.kind === 'host-dead', 20_000);
  await Promise.all([ns4.signal('SIGKILL'), monitor.signal('SIGKILL')]);
  small.household.start('monitor');
  await small.household.waitForEvent((e) => e.facts.kind === 'monitor-started' && e.facts.resumed, 10_000);
  small.household.start('ns4');
  await small.ended(60_000);
  small.expectRecoveredOnce();
}, 80_000);
