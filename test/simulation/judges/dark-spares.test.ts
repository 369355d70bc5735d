// The judge of spares without a network, judged: one whose row is gone while others beat, and a cloud where nobody does.
import { expect, test } from 'vitest';
import { stopController, useOvn } from '../../../simulator/world/ovn.ts';
import { Random } from '../random.ts';
import { Timeline } from '../timeline.ts';
import { World } from '../world/world.ts';
import { DarkSpares } from './dark-spares.ts';

async function cloud(gone: readonly string[]): Promise<DarkSpares> {
  const timeline = new Timeline(Date.parse('2026-11-21T12:00:00Z'));
  const world = new World(timeline, new Random(7));
  for (const name of ['hv1', 'spare1']) {
    const part = { name, address: null, zone: 'az1', aggregates: [], vcpus: 16 };
    world.addPlainHost(part, ['ovn-controller'], 10_000, false);
  }
  useOvn(world, 'beat');
  const judge = new DarkSpares(world);
  for (const name of gone) stopController(world, world.host(name));
  judge.sample();
  await timeline.runUntil(timeline.nowMs + 91_000);
  judge.sample();
  return judge;
}

test('nobody is sent to a spare whose ovn-controller is gone while others live', async () => {
  const judge = await cloud(['spare1']);
  expect(() => judge.chosen('spare1')).toThrow('the spare has a network');
  judge.chosen('hv1');
});

test('where nobody lives nothing can be known', async () => {
  (await cloud(['hv1', 'spare1'])).chosen('spare1');
});
