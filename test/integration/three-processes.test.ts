// The compiled processes together, as an operator sees them: what is said, what is asked of them by hand.
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readState } from '../../src/monitor/memory.ts';
import { scopeText } from '../../src/shared/documents/terms/scope.ts';
import { SmallCloud } from '../support/small-cloud.ts';

let small: SmallCloud;
beforeEach(async () => {
  small = await SmallCloud.open();
});
afterEach(async () => {
  await small.close();
});

test('a hypervisor dies: its instances are back on the spare, told step by step', async () => {
  small.household.start('ns4');
  small.household.start('monitor');
  await small.watched();
  await small.simulator.kill('hv01');
  expect((await small.ended()).text).toContain('all 3 affected instances are back ("vm-1", "vm-2", "vm-3")');
  small.expectRecoveredOnce();
  expect((await small.household.events()).map((e) => e.facts.kind)).toEqual([
    'monitor-started',
    'suspects-found',
    'hosts-silent',
    'host-dead',
    'recovery-requested',
    'progress',
    'progress',
    'instance-ended',
    'instance-ended',
    'instance-ended',
    'recovery-ended',
  ]);
  // The recovered host is quiet from then on: nothing more is said or done about it.
  await delay(3_500);
  expect((await small.household.events()).at(-1)?.facts.kind).toBe('recovery-ended');
});

test('a host that hangs and wakes up while its instances are evacuated keeps no second writer that Sonny asked for', async () => {
  small.household.start('ns4');
  small.household.start('monitor');
  await small.watched();
  await small.simulator.kill('hv01', ['compute', 'agent', 'address']);
  await small.household.waitForEvent(
    (e) => e.facts.kind === 'refused' && e.facts.refusal.name === 'guests-answer',
    20_000,
  );
  await small.simulator.revive('hv01');
  await small.household.waitForEvent(
    (e) => e.facts.kind === 'cleared' && scopeText(e.facts.scope) === 'hv01',
    20_000,
  );
  expect(small.simulator.snapshot().migrations).toEqual([]);
});

test('ns4 -r: the running monitor forgets the last recovery', async () => {
  small.household.start('ns4');
  small.household.start('monitor');
  await small.watched();
  await small.simulator.kill('hv01');
  await small.ended();
  expect((await readState(small.household.redis, small.keys))?.cooldown).not.toBeNull();
  const reset = small.household.start('ns4', '-r');
  expect(await reset.exited, reset.output).toBe(0);
  await small.household.waitForEvent((e) => e.facts.kind === 'cooldown-reset', 10_000);
  expect((await readState(small.household.redis, small.keys))?.cooldown).toBeNull();
});

test('--check tells what was found, and fails when something is away', async () => {
  const good = small.household.start('ns4', '--check');
  expect(await good.exited, good.output).toBe(0);
  expect(good.output).toMatch(/ok {6}inventory: 4 hypervisors, 4 agents, 4 instances, spares: hv04/);
  const monitor = small.household.start('monitor', '--check');
  expect(await monitor.exited, monitor.output).toBe(0);
  await small.simulator.stop('neutron');
  await small.redis.kill9();
  const bad = small.household.start('ns4', '--check');
  expect(await bad.exited).toBe(1);
  expect(bad.output).toMatch(/FAILED {2}Redis: Redis at 127.0.0.1:\d+, database \d+: .*ECONNREFUSED/);
  expect(bad.output).toMatch(/FAILED {2}inventory: .*Neutron|FAILED {2}inventory: .*network/i);
}, 90_000);
