// What really runs where, whatever the databases say: who has an instance's disk open, and whose address answers.
import type { Host, Instance } from './model.ts';
import type { World } from './world.ts';

/** Starts an instance's process on a host and notes the catastrophe if another one can still write. */
export function startGuest(world: World, instance: Instance, host: string): void {
  instance.runningOn.add(host);
  noteWriters(world, instance);
  world.presenceChanged();
}

/** Ends an instance's process on one host, or on all. */
export function endGuest(world: World, instance: Instance, host?: string): void {
  if (host === undefined) instance.runningOn.clear();
  else instance.runningOn.delete(host);
  world.presenceChanged();
}

/** Sets the mark when more than one process may write right now; it is never taken back. */
export function noteWriters(world: World, instance: Instance): void {
  const writers = [...instance.runningOn].filter((host) => canWrite(world.host(host)));
  if (writers.length > 1) instance.everTwoWriters = true;
}

function canWrite(host: Host): boolean {
  return host.powered && !host.frozen;
}

/** Does the host's own address have a living machine and a network behind it? */
export function hostAnswers(host: Host): boolean {
  return host.powered && !host.frozen && host.addressUp;
}

/** Does the instance run somewhere with a network, its port bound just there? */
export function guestAnswers(world: World, instance: Instance): boolean {
  if (instance.silenced || instance.vmState === 'paused' || instance.vmState === 'suspended') return false;
  const { port } = instance;
  if (port.vifType !== 'ovs' || port.status === 'BUILD') return false;
  for (const name of instance.runningOn) {
    const host = world.host(name);
    if (host.host === port.host && host.powered && !host.frozen && host.guestsUp) return true;
  }
  return false;
}
