// What really runs where, whatever the databases say: who has an instance's disk open, and whose address answers.
import type { Host, Instance } from './model.ts';
import type { World } from './world.ts';

/** Starts an instance's process on a host. Whatever still exists of it elsewhere makes two writers. */
export function startGuest(world: World, instance: Instance, host: string): void {
  const others = world.isKeptOut(instance, host)
    ? []
    : writersOf(world, instance).filter((other) => other !== host);
  if (others.length > 0) {
    world.tell(`TWO WRITERS: ${instance.name} starts on ${host} and still exists on ${others.join(', ')}`);
    world.listener.secondWriter(instance, host, others);
  }
  instance.runningOn.add(host);
  instance.startedMs.set(host, world.nowMs);
  noteWriters(world, instance);
  world.tell(`${instance.name} runs on ${host}`);
  world.onPresence();
}

/** Ends an instance's process on a host. */
export function endGuest(world: World, instance: Instance, host: string): void {
  instance.runningOn.delete(host);
  world.onPresence();
}

/** Hosts on which a copy of it exists, so that it writes now or would when the host goes on. */
export function copiesOf(world: World, instance: Instance): string[] {
  return [...instance.runningOn].filter((name) => world.host(name).powered);
}

/** Of these, those that the storage does not keep from writing. */
export const writersOf = (world: World, instance: Instance): string[] =>
  copiesOf(world, instance).filter((name) => !world.isKeptOut(instance, name));

/** Sets the mark when more than one process may write right now; it is never taken back. */
export function noteWriters(world: World, instance: Instance): void {
  if (instance.runningOn.size < 2) return;
  const writers = writersOf(world, instance).filter((name) => !world.host(name).frozen);
  if (writers.length > 1) instance.everTwoWriters = true;
}

/** Does the host's own address have a living machine and a network behind it? */
export function hostAnswers(host: Host): boolean {
  return hostSends(host) && host.firewall === 'open';
}

/** Can anything that the machine sends on its own network be received? */
export function hostSends(host: Host): boolean {
  return host.powered && host.up.kernel && !host.frozen && !host.cut.management;
}

/** Is it there, with no firewall before it? */
export const guestAnswers = (world: World, instance: Instance): boolean =>
  !instance.mute && guestIsThere(world, instance);

/** Does the instance run somewhere with a network, its port bound just there, so that at least its ARP is answered? */
export function guestIsThere(world: World, instance: Instance): boolean {
  if (instance.vmState === 'paused' || instance.vmState === 'suspended') return false;
  const { port } = instance;
  if (port.host === null || port.vifType !== 'ovs' || port.status === 'BUILD') return false;
  if (!instance.runningOn.has(port.host)) return false;
  return carriesGuests(world.host(port.host));
}

/** Does the network of its guests have a living machine behind it? */
function carriesGuests(host: Host): boolean {
  return host.powered && host.up.kernel && !host.frozen && !host.cut.guests;
}
