// What can befall a hypervisor, and its return.
import { cleanUpAfterEvacuations } from './evacuation.ts';
import { beat } from './heartbeats.ts';
import { deliverMail } from './messaging.ts';
import type { Host } from './model.ts';
import { noteWriters } from './physics.ts';
import type { World } from './world.ts';

/**
 * What of a host is taken away. power: all of it, guests die. compute, agent: the processes nova-compute and network
 * agent. address: the network of the host itself. guests: the network of its guests, which run on unseen.
 */
export type HostPart = 'power' | 'compute' | 'agent' | 'address' | 'guests';

/** Takes parts of a host away; what is gone stays gone until revive. */
export function kill(world: World, host: Host, parts: readonly HostPart[]): void {
  for (const part of parts) {
    if (part === 'compute') host.computeRuns = false;
    else if (part === 'agent') host.agentRuns = false;
    else if (part === 'address') host.addressUp = false;
    else if (part === 'guests') host.guestsUp = false;
    else cutPower(world, host);
  }
  world.presenceChanged();
}

function cutPower(world: World, host: Host): void {
  host.powered = false;
  host.frozen = false;
  host.computeRuns = false;
  for (const instance of world.instances.values()) instance.runningOn.delete(host.host);
}

/** Lets the whole machine stand still: silent in every way, and its guests will go on when it is woken. */
export function hang(world: World, host: Host): void {
  host.frozen = true;
  world.presenceChanged();
}

/**
 * Brings all of a host back. A nova-compute that was gone starts anew: it destroys guests that were evacuated away
 * and, after a power cut, resumes those that are still its own. One that only hung goes on as if nothing had
 * happened, with whatever guests it had.
 */
export function revive(world: World, host: Host): void {
  const restarted = !host.computeRuns;
  const hadPower = host.powered;
  Object.assign(host, {
    powered: true,
    frozen: false,
    computeRuns: true,
    agentRuns: true,
    addressUp: true,
    guestsUp: true,
  });
  for (const instance of world.instances.values()) noteWriters(world, instance);
  if (restarted) cleanUpAfterEvacuations(world, host);
  if (!hadPower) resumeGuests(world, host);
  beat(world);
  deliverMail(world, host);
  world.presenceChanged();
}

function resumeGuests(world: World, host: Host): void {
  for (const instance of world.instancesOn(host.host)) {
    // One that is just being evacuated is left to its new host.
    if (instance.vmState !== 'active' || instance.taskState !== null) continue;
    instance.runningOn.add(host.host);
    noteWriters(world, instance);
  }
}
