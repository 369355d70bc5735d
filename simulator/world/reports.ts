// Reports of nova-compute and heartbeats of the network agents: who gives them, and what Nova and Neutron make of their
// absence. No timer beats: from when on reports arrive is known, and the newest one is worked out when somebody asks.
import { controlRuns } from './control-runs.ts';
import type { Host, Reporter } from './model.ts';
import { answeredAtMs, isChassisAlive } from './ovn.ts';
import type { World } from './world.ts';

/** Whoever is watched is pinged so often, whatever the pauses between two rounds. */
export const askedWithinMs = 90_000;

/** The newest report that arrived: on the reporter's own beat, as long as reports arrive. */
export function lastReport(reporter: Reporter, nowMs: number): number {
  const { sinceMs, lastMs, intervalMs, offsetMs } = reporter;
  if (sinceMs === null) return lastMs;
  const beatMs = Math.floor((nowMs - offsetMs) / intervalMs) * intervalMs + offsetMs;
  return beatMs >= sinceMs ? beatMs : lastMs;
}

/** Can this nova-compute take work and report? It needs the host, itself, and RabbitMQ. */
export function computeWorks(world: World, host: Host): boolean {
  return !host.compute.broken && host.up.compute && controlRuns(world, host);
}

/** Nova's view: forced down, or no report for too long, is down. */
export function isServiceUp(world: World, host: Host): boolean {
  const { serviceDownMs } = world.settings.durations;
  return !host.forcedDown && world.nowMs - lastReport(host.compute, world.nowMs) <= serviceDownMs;
}

/** As `uptime` prints it on the host, whose nova-compute is asked; null: Nova cannot ask it now. */
export function uptimeOf(world: World, host: Host): string | null {
  if (!isServiceUp(world, host)) return null;
  const minutes = Math.floor((world.nowMs - host.poweredSinceMs) / 60_000);
  const [days, hours] = [Math.floor(minutes / 1_440), Math.floor(minutes / 60) % 24];
  const ofDay = hours === 0 ? `${minutes % 60} min` : `${hours}:${String(minutes % 60).padStart(2, '0')}`;
  const up = days === 0 ? ofDay : `${days} day${days === 1 ? '' : 's'}, ${ofDay}`;
  return ` 12:00:00 up ${up},  0 users,  load average: 0.00, 0.00, 0.00`;
}

/** Neutron's view of an agent. */
export function isAgentAlive(world: World, agent: Reporter): boolean {
  return world.nowMs - lastReport(agent, world.nowMs) <= world.settings.durations.agentDownMs;
}

/** Neutron's view of a host: can a port be bound there? */
export function canBind(world: World, host: Host): boolean {
  if (world.ovn !== null) return isChassisAlive(world, host);
  // A network without agents binds by itself.
  return host.agents.length === 0 || host.agents.some((agent) => isAgentAlive(world, agent));
}

/**
 * For how long nobody of the control plane has heard a host, in truth. nova-compute, which reports three times as often
 * as agents do, counts twice beside those that can tell; an ovn-controller that is asked hears at once.
 */
export function unheardMs(world: World, host: Host): number {
  if (isHeardByOvn(world, host)) return 0;
  // Whose row somebody deleted tells of nothing any more, until the agent reports anew.
  const agents = host.agents.filter(({ deleted }) => !deleted);
  // Whose row is gone Neutron calls dead, whatever else its stamps tell.
  const isGone = world.ovn?.chassis.get(host.name)?.gone === 'shown';
  const isTold = world.ovn === null ? agents.length > 0 : world.ovn.era === 'beat' || isGone;
  const novaMs = ageMs(world, host.compute) * (isTold ? 2 : 1);
  return world.ovn !== null ? novaMs : Math.min(novaMs, ...agents.map((agent) => ageMs(world, agent)));
}

/** The same where it may not be too long: an OVN of which nobody knows whom it asked tells of nobody. */
export const surelyUnheardMs = (world: World, host: Host): number =>
  world.ovn === null || isHeardByOvn(world, host) ? unheardMs(world, host) : ageMs(world, host.compute);

const ageMs = ({ nowMs }: World, reporter: Reporter): number => nowMs - lastReport(reporter, nowMs);

/** One that answered since it can, or had time enough to be asked. */
function isHeardByOvn(world: World, host: Host): boolean {
  const { reportsSinceMs } = host;
  if (world.ovn === null || reportsSinceMs === null) return false;
  return answeredAtMs(world, host) >= reportsSinceMs || world.nowMs - reportsSinceMs > askedWithinMs;
}

/**
 * nova-compute's periodic update, made up for when somebody asks: what is on the host, and may the scheduler use it?
 */
export function track(world: World, host: Host): void {
  const isDue = world.nowMs - host.tracked.atMs >= world.settings.durations.resourcesIntervalMs;
  if (isDue && computeWorks(world, host)) trackNow(world, host);
}

/** The same, at the moment. */
export function trackNow(world: World, host: Host): void {
  host.disabledTrait = host.disabled;
  const tracked = { atMs: world.nowMs, vms: 0, vcpus: 0, memoryMb: 0 };
  for (const { flavor } of world.instancesOn(host.name)) {
    tracked.vms += 1;
    tracked.vcpus += flavor.vcpus;
    tracked.memoryMb += flavor.memoryMb;
  }
  host.tracked = tracked;
}
