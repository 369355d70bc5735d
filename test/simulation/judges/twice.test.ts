// The judges of a copy that a returned host has, judged: whose fault it is, and who must be told of it.
import { expect, test } from 'vitest';
import { recordMigration } from '../../../simulator/world/migrations.ts';
import { startGuest } from '../../../simulator/world/physics.ts';
import { rules } from '../../support/monitor-story.ts';
import { isOnWith } from '../not-yet.ts';
import { Random } from '../random.ts';
import { Timeline } from '../timeline.ts';
import { World } from '../world/world.ts';
import { Deeds } from './deeds.ts';
import { Twice } from './twice.ts';

/** One instance that was moved from hv1 to spare1 some minutes ago, and both hosts run. */
async function moved(status: 'done' | 'completed') {
  const timeline = new Timeline(Date.parse('2026-11-21T12:00:00Z'));
  const world = new World(timeline, new Random(7));
  for (const name of ['hv1', 'spare1'])
    world.addPlainHost({ name, address: null, zone: 'az1', aggregates: [], vcpus: 16 }, [], 10_000, false);
  const vm = world.addInstance({ name: 'vm1', host: 'hv1', mute: false, vmState: 'active', addresses: [] });
  const deeds = new Deeds(world, { ...rules, fencing: 'required' }, isOnWith([]));
  world.listener = deeds;
  vm.runningOn.clear();
  world.host('hv1').forcedDown = true;
  deeds.forcedDown.add('hv1');
  const what = { type: 'evacuation', source: 'hv1', sourceNode: 'hv1', target: 'spare1' } as const;
  recordMigration(world, vm, what).status = status;
  vm.host = 'spare1';
  startGuest(world, vm, 'spare1');
  const pass = (ms: number) => timeline.runUntil(timeline.nowMs + ms);
  await pass(300_000);
  startGuest(world, vm, 'hv1');
  return { deeds, twice: new Twice(world), pass };
}
const judged = (twice: Twice) => () => twice.judge(900_000, new Set(['hv1']));

test('what a returned host starts by itself is told of, and no deed of Sonny', async () => {
  const { deeds, twice, pass } = await moved('done');
  await pass(1_000);
  expect(deeds.counts.secondWriters).toBe(1);
  expect(judged(twice)).toThrow('told of');
});

test('a copy that no record of Nova shows can be told of by nobody', async () => {
  const { twice } = await moved('completed');
  judged(twice)();
});
