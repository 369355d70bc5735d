// A hypervisor's own states: power, a standing kernel, networks that do not carry, processes that end; and the return
// from each. None tells of itself: whoever makes it happen says it in his words.
import { cleanUpAfterEvacuations, unstick } from './evacuation.ts';
import { deliverMail } from './messaging.ts';
import type { Feed, Host } from './model.ts';
import { noteWriters, startGuest } from './physics.ts';
import { track, trackNow } from './reports.ts';
import { settle } from './settle.ts';
import type { World } from './world.ts';

/** Changes something about a host and lets what hangs on it follow. */
export function change(world: World, host: Host, make: () => void): void {
  track(world, host);
  make();
  settle(world, host);
  deliverMail(world, host);
  world.onPresence();
}

/** Its memory is gone and nothing of it will ever write again. False when it had no power anyway. */
export function powerOff(world: World, host: Host): boolean {
  if (!host.powered) return false;
  change(world, host, () => {
    host.powered = false;
    host.frozen = false;
    host.controlHung = false;
    host.computeLife += 1;
    host.formerGuests.clear();
    for (const instance of world.instances)
      if (instance.runningOn.delete(host.name)) host.formerGuests.add(instance);
  });
  if (world.isTended) unstick(world);
  return true;
}

/** One of its two outlets ends; it runs on while the other one gives power. False when it had none anyway. */
export function cutFeed(world: World, host: Host, number: 0 | 1): boolean {
  host.feeds[number].on = false;
  return host.feeds.every(({ on }) => !on) && powerOff(world, host);
}

/** One of its two outlets is switched on, on which it boots. */
export function giveFeed(world: World, host: Host, number: 0 | 1): boolean {
  switchOn(world, host.feeds[number]);
  return boots(world, host);
}

function switchOn({ nowMs }: World, feed: Feed): void {
  if (!feed.on) Object.assign(feed, { on: true, sinceMs: nowMs });
}

/** Somebody gives it power, by all of its outlets. False when it had some anyway. */
export function powerOn(world: World, host: Host): boolean {
  for (const feed of host.feeds) switchOn(world, feed);
  return boots(world, host);
}

/** The machine boots: it answers, its processes report, and nova-compute has its first look around, each in its time. */
function boots(world: World, host: Host): boolean {
  if (host.powered) return false;
  const boot = world.boots();
  const up = { kernel: boot.kernelMs === 0, agents: boot.agentsMs === 0, compute: boot.computeMs === 0 };
  change(world, host, () => {
    host.powered = true;
    host.poweredSinceMs = world.nowMs;
    Object.assign(host.up, up);
  });
  const life = host.computeLife;
  const then = (afterMs: number, work: () => void) =>
    world.after(afterMs, () => {
      // Switched off and on again meanwhile, it is in the middle of another boot.
      if (host.powered && host.computeLife === life) work();
    });
  for (const part of ['kernel', 'agents'] as const)
    if (!up[part])
      then(boot[`${part}Ms`], () => change(world, host, () => Object.assign(host.up, { [part]: true })));
  if (boot.formerGuestsMs !== null) then(boot.formerGuestsMs, () => startFormerGuests(world, host));
  if (!up.compute) then(boot.computeMs, () => reportsAtLast(world, host));
  then(boot.guestsMs, () => {
    if (!host.frozen) startCompute(world, host);
  });
  return true;
}

/** Its first look around comes before it takes what waits for it, where both are due. */
function reportsAtLast(world: World, host: Host): void {
  world.after(0, () => change(world, host, () => Object.assign(host.up, { compute: true })));
}

/** By its operating system, wherever Nova has them by now: nova-compute ends the copies at its own start. */
function startFormerGuests(world: World, host: Host): void {
  if (host.frozen) return;
  for (const instance of host.formerGuests)
    if (!instance.deleted && !instance.runningOn.has(host.name)) startGuest(world, instance, host.name);
  world.onPresence();
}

/** nova-compute ends. */
export function endCompute(world: World, host: Host): void {
  change(world, host, () => {
    host.compute.broken = true;
    host.computeLife += 1;
  });
}

/** Lets the whole machine stand still: silent in every way, and its guests will go on when it is woken. */
export function freeze(world: World, host: Host): void {
  change(world, host, () => {
    host.frozen = true;
  });
}

/** Goes on as if nothing had happened, with whatever guests it had. False when it was lost meanwhile. */
export function thaw(world: World, host: Host): boolean {
  if (!host.powered) return false;
  change(world, host, () => {
    host.frozen = false;
  });
  for (const instance of world.instances) noteWriters(world, instance);
  return true;
}

/**
 * Brings all of a host back at once. A nova-compute that was gone starts anew; one that only hung goes on with whatever
 * guests it had.
 */
export function revive(world: World, host: Host): void {
  const restarts = !host.powered || host.compute.broken;
  for (const feed of host.feeds) switchOn(world, feed);
  change(world, host, () => {
    if (!host.powered) host.poweredSinceMs = world.nowMs;
    Object.assign(host, { powered: true, frozen: false, controlHung: false });
    Object.assign(host.up, { kernel: true, agents: true, compute: true });
    Object.assign(host.cut, { reports: false, management: false, guests: false, storage: false });
    for (const reporter of [...host.agents, host.compute]) reporter.broken = false;
    for (const instance of world.instances) noteWriters(world, instance);
    if (restarts) startCompute(world, host);
  });
}

/**
 * What a nova-compute does when it starts: it ends what was taken away from it, and starts again what was running
 * (resume_guests_state_on_host_boot). An instance that is just being evacuated is left to its new host.
 */
export function startCompute(world: World, host: Host): void {
  cleanUpAfterEvacuations(world, host);
  for (const instance of world.instancesOn(host.name)) {
    const isIdle = instance.vmState === 'active' && instance.taskState === null;
    if (isIdle && !instance.runningOn.has(host.name)) startGuest(world, instance, host.name);
  }
  trackNow(world, host);
  world.onPresence();
}
