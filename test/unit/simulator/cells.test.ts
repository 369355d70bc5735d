// A cell that does not answer Nova: what is in it can be neither read by name nor changed, the others go on.
import { expect, test } from 'vitest';
import { InProcessCloud } from '../../../simulator/openstack-in-process/cloud.ts';
import { Link } from '../../../simulator/openstack-in-process/link.ts';
import { evacuate, unstick } from '../../../simulator/world/evacuation.ts';
import { powerOff } from '../../../simulator/world/host-power.ts';
import { Random } from '../../simulation/random.ts';
import { Timeline } from '../../simulation/timeline.ts';
import { World } from '../../simulation/world/world.ts';

const never = new AbortController().signal;

function twoCells() {
  const timeline = new Timeline(Date.parse('2026-11-21T12:00:00Z'));
  const world = new World(timeline, new Random(1));
  for (const [i, cell] of ['cell1', 'cell2', 'cell1'].entries()) {
    const part = { name: `hv${i + 1}`, address: null, zone: 'az1', aggregates: [], vcpus: 16, cell };
    world.addPlainHost(part, ['neutron-openvswitch-agent'], 10_000, false);
  }
  for (const host of ['hv1', 'hv2'])
    world.addInstance({ name: `${host}-vm`, host, mute: false, addresses: [], vmState: 'active' });
  const pause = (ms: number) => new Promise<void>((resolve) => void timeline.after(ms, resolve));
  const cloud = new InProcessCloud(world, new Link(world, { nowMs: () => timeline.nowMs, pause }));
  return { timeline, world, cloud };
}

test('its servers cannot be read by name, and are no deleted ones', async () => {
  const { timeline, world, cloud } = twoCells();
  world.downCells.add('cell2');
  const refused = expect(cloud.readServer(world.instance('hv2-vm').id, never)).rejects.toThrow();
  await timeline.runUntil(timeline.nowMs + 10_000);
  await refused;
  expect(await cloud.readServer(world.instance('hv1-vm').id, never)).toMatchObject({ name: 'hv1-vm' });
});

test('its evacuations are not listed, and those of another cell are', async () => {
  const { world, cloud } = twoCells();
  for (const host of ['hv1', 'hv2']) {
    powerOff(world, world.host(host));
    world.host(host).forcedDown = true;
    try {
      evacuate(world, world.instance(`${host}-vm`), 'hv3');
    } catch {
      // Of another cell: refused when its record was written.
    }
  }
  expect(await cloud.listEvacuations('hv2', never)).toHaveLength(1);
  world.downCells.add('cell2');
  expect(await cloud.listEvacuations('hv2', never)).toHaveLength(0);
  expect(await cloud.listEvacuations('hv1', never)).toHaveLength(1);
});

test('nobody undoes what was sent to another cell', () => {
  const { world } = twoCells();
  powerOff(world, world.host('hv2'));
  world.host('hv2').forcedDown = true;
  expect(() => evacuate(world, world.instance('hv2-vm'), 'hv3')).toThrow('ComputeHostNotFound');
  unstick(world);
  expect(world.instance('hv2-vm')).toMatchObject({ host: 'hv2', taskState: 'rebuilding' });
});

test('its services cannot be changed', async () => {
  const { timeline, world, cloud } = twoCells();
  world.downCells.add('cell2');
  const change = (host: string) =>
    cloud.changeComputeService(world.host(host).compute.id, { forcedDown: true }, never);
  const changed = Promise.allSettled([change('hv2'), change('hv1')]);
  await timeline.runUntil(timeline.nowMs + 40_000);
  expect((await changed).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(world.host('hv2').forcedDown).toBe(false);
});
