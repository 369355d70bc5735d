// The judge of disks, judged: what counts as a proof that a host is off, and for how long.
import { expect, test } from 'vitest';
import { PretendCeph } from '../../../simulator/ceph/ceph.ts';
import { freeze, thaw } from '../../../simulator/world/host-power.ts';
import { rules } from '../../support/monitor-story.ts';
import { isOnWith } from '../not-yet.ts';
import { Random } from '../random.ts';
import { Timeline } from '../timeline.ts';
import { World } from '../world/world.ts';
import { Deeds } from './deeds.ts';
import { Disks } from './disks.ts';

/** One host that hung a minute ago, with one instance, and nobody cut it off. */
async function hung() {
  const timeline = new Timeline(Date.parse('2026-11-21T12:00:00Z'));
  const world = new World(timeline, new Random(7));
  const part = { name: 'hv1', address: '10.0.0.1', zone: 'az1', aggregates: [], vcpus: 16 };
  const host = world.addPlainHost(part, [], 10_000, false);
  world.addInstance({ name: 'vm1', host: 'hv1', mute: false, vmState: 'active', addresses: [] });
  const disks = new Disks(world, new PretendCeph(world));
  const deeds = new Deeds(world, { ...rules, fencing: 'required' }, isOnWith([]));
  deeds.disks = disks;
  const pass = () => timeline.runUntil(timeline.nowMs + 60_000);
  await pass();
  freeze(world, host);
  await pass();
  return { world, host, disks, deeds, pass, ask: () => disks.asked(world.instance('vm1'), host) };
}
const unproven = 'before its host is cut off or proven off';

test('a shot of which nobody knows what came is no proof; a word of its device, or of somebody, is', async () => {
  const { host, disks, deeds, ask } = await hung();
  expect(ask).toThrow(unproven);
  deeds.shot(host, null);
  expect(ask).toThrow(unproven);
  disks.proved('hv1');
  ask();
});

test('no proof outlives a return of the host, once something new begins', async () => {
  const { world, host, disks, pass, ask } = await hung();
  disks.proved('hv1');
  disks.begins('hv1', 'scan.1');
  ask();
  thaw(world, host);
  await pass();
  freeze(world, host);
  await pass();
  ask();
  disks.begins('hv1', 'scan.2');
  expect(ask).toThrow(unproven);
});
