// How the pretend world brings a host back from which everything was taken: what waited in its queue, what its operating
// system starts, and what its nova-compute destroys.
import { expect, test } from 'vitest';
import { evacuate } from '../../../simulator/world/evacuation.ts';
import { powerOff, powerOn } from '../../../simulator/world/host-power.ts';
import { changePower, reboot } from '../../../simulator/world/instance-power.ts';
import { Random } from '../../simulation/random.ts';
import { Timeline } from '../../simulation/timeline.ts';
import { World } from '../../simulation/world/world.ts';

const bootMs = 60_000;

/** hv1 with one instance, and hv2. `formerGuestsMs`: as of a boot. */
function twoHosts(vmState: 'active' | 'stopped', formerGuestsMs: number | null = null) {
  const timeline = new Timeline(Date.parse('2026-11-21T12:00:00Z'));
  const world = new World(timeline, new Random(1));
  world.boots = () => ({
    ...{ kernelMs: 0, agentsMs: 0, computeMs: bootMs, guestsMs: bootMs },
    formerGuestsMs,
  });
  for (const name of ['hv1', 'hv2'])
    world.addPlainHost({ name, address: null, zone: 'az1', aggregates: [], vcpus: 16 }, [], 10_000, false);
  const vm = world.addInstance({ name: 'vm', host: 'hv1', mute: false, addresses: [], vmState });
  const second: string[] = [];
  world.listener = {
    evacuationTaken: () => {},
    secondWriter: (_, host, others) => second.push(`${host} beside ${others.join()}`),
  };
  const hv1 = world.host('hv1');
  const pass = (ms: number) => timeline.runUntil(timeline.nowMs + ms);
  const moved = async () => {
    hv1.forcedDown = true;
    evacuate(world, vm, 'hv2');
    await pass(10_000);
    expect(vm.host).toBe('hv2');
  };
  return { world, vm, hv1, pass, second, moved };
}

test('a start that waited in its queue is carried out before Nova sees that the instance was moved', async () => {
  const { world, vm, hv1, pass, second, moved } = twoHosts('stopped');
  powerOff(world, hv1);
  changePower(world, vm, 'os-start');
  await moved();
  changePower(world, vm, 'os-start');
  await pass(1_000);
  expect([...vm.runningOn]).toEqual(['hv2']);
  powerOn(world, hv1);
  await pass(bootMs + 5_000);
  expect([...vm.runningOn].sort()).toEqual(['hv1', 'hv2']);
  expect(second).toEqual(['hv1 beside hv2']);
  // What Nova says of it, nobody can tell that from.
  expect(vm).toMatchObject({ host: 'hv2', vmState: 'active', taskState: null });
  expect(world.migrations[0]?.status).toBe('completed');
});

test('a reboot that waited is dropped by the task state', async () => {
  const { world, vm, hv1, pass, second, moved } = twoHosts('active');
  powerOff(world, hv1);
  reboot(world, vm, 'HARD');
  await moved();
  powerOn(world, hv1);
  await pass(bootMs + 5_000);
  expect([...vm.runningOn]).toEqual(['hv2']);
  expect(second).toEqual([]);
});

test('its operating system starts what ran there, and its nova-compute destroys what was moved', async () => {
  const { world, vm, hv1, pass, second, moved } = twoHosts('active', 5_000);
  powerOff(world, hv1);
  await moved();
  powerOn(world, hv1);
  await pass(10_000);
  expect([...vm.runningOn].sort()).toEqual(['hv1', 'hv2']);
  expect(second).toEqual(['hv1 beside hv2']);
  await pass(bootMs);
  expect([...vm.runningOn]).toEqual(['hv2']);
});

test('what its nova-compute destroyed is not there any more at its next boot', async () => {
  const { world, vm, hv1, pass, second, moved } = twoHosts('active', bootMs + 5_000);
  powerOff(world, hv1);
  await moved();
  powerOn(world, hv1);
  await pass(bootMs + 10_000);
  expect([...vm.runningOn]).toEqual(['hv2']);
  expect(second).toEqual([]);
});

test('what was stopped is started at its new place like any other, and stopped again', async () => {
  const { world, vm, hv1, pass, second } = twoHosts('stopped');
  const seen: string[] = [];
  world.onPresence = () => {
    const at = `${vm.vmState} ${vm.taskState} on ${vm.host}, runs on ${[...vm.runningOn].join() || 'none'}`;
    if (seen.at(-1) !== at) seen.push(at);
  };
  powerOff(world, hv1);
  hv1.forcedDown = true;
  evacuate(world, vm, 'hv2');
  await pass(10_000);
  expect(seen).toContain('active powering-off on hv1, runs on hv2');
  expect(vm).toMatchObject({ host: 'hv2', vmState: 'stopped', powerState: 4, taskState: null });
  expect([...vm.runningOn]).toEqual([]);
  expect(second).toEqual([]);
});

test('a copy of what was stopped makes two writers for that moment', async () => {
  const { world, vm, hv1, pass, second } = twoHosts('stopped');
  hv1.forcedDown = true;
  vm.runningOn.add('hv1');
  evacuate(world, vm, 'hv2');
  await pass(10_000);
  expect(second).toEqual(['hv2 beside hv1']);
});
