// The judge of deeds, judged: what a proof of several devices is worth while one of them still gives power, and a message
// of a crash kernel while its host answers.
import { expect, test } from 'vitest';
import { cutFeed, giveFeed } from '../../../simulator/world/host-power.ts';
import { rules } from '../../support/monitor-story.ts';
import { isOnWith } from '../not-yet.ts';
import { Random } from '../random.ts';
import { Timeline } from '../timeline.ts';
import { World } from '../world/world.ts';
import { Deeds } from './deeds.ts';

/** One host with two outlets, which were told off a moment ago. */
async function shot() {
  const timeline = new Timeline(Date.parse('2026-11-21T12:00:00Z'));
  const world = new World(timeline, new Random(7));
  const part = { name: 'hv1', address: '10.0.0.1', zone: 'az1', aggregates: [], vcpus: 16 };
  const host = world.addPlainHost(part, [], 10_000, false);
  Object.assign(host, { outlet: 'works', secondOutlet: 'works' });
  const deeds = new Deeds(world, { ...rules, fencing: 'required' }, isOnWith([]));
  deeds.shot(host, null);
  await timeline.runUntil(timeline.nowMs + 5_000);
  return { world, host, deeds, prove: () => deeds.provedOff(host) };
}

test('a proof is none while one of two feeds never went off', async () => {
  const { world, host, prove } = await shot();
  expect(prove).toThrow('while one of its feeds is on');
  cutFeed(world, host, 0);
  expect(prove).toThrow('while one of its feeds is on');
  cutFeed(world, host, 1);
  prove();
});

test('a feed that came back since its outlet was told is another story', async () => {
  const { world, host, prove } = await shot();
  cutFeed(world, host, 0);
  cutFeed(world, host, 1);
  giveFeed(world, host, 0);
  prove();
});

test('a message in the name of a host that answers all the time is no proof', async () => {
  const { world, host, deeds } = await shot();
  let failure: unknown = null;
  world.timeline.fail = (why) => {
    failure ??= why;
  };
  deeds.reportedCrash(host);
  deeds.forcesDown(host);
  expect(String(failure)).toContain('silence that was asked after it');
});
