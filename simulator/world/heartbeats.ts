// Reports of nova-compute and heartbeats of the network agents: who gives them, and what Nova and Neutron make of
// their absence.
import type { Host } from './model.ts';
import type { World } from './world.ts';

/** Can this nova-compute take work and report? It needs the host, itself, and RabbitMQ. */
export function computeWorks(world: World, host: Host): boolean {
  return host.powered && !host.frozen && host.computeRuns && !world.stopped.has('rabbitmq');
}

function agentWorks(world: World, host: Host): boolean {
  // An agent reports to neutron-server through RabbitMQ.
  const reachable = !world.stopped.has('rabbitmq') && !world.stopped.has('neutron');
  return host.powered && !host.frozen && host.agentRuns && reachable;
}

/** Nova's view: forced down, or no report for too long, is down. */
export function isServiceUp(world: World, host: Host): boolean {
  return !host.forcedDown && world.now() - host.reportedAtMs <= world.settings.durations.serviceDownMs;
}

/** Neutron's view of a host's agent. */
export function isAgentAlive(world: World, host: Host): boolean {
  return world.now() - host.heartbeatAtMs <= world.settings.durations.agentDownMs;
}

/** nova-compute's periodic update: what is on the host, and whether the scheduler may use it. */
export function trackResources(world: World, host: Host): void {
  host.disabledTrait = host.disabled;
  const instances = world.instancesOn(host.host);
  host.tracked = {
    vms: instances.length,
    vcpus: instances.reduce((sum, instance) => sum + instance.flavor.vcpus, 0),
    memoryMb: instances.reduce((sum, instance) => sum + instance.flavor.memoryMb, 0),
  };
}

/** Lets everyone who can report do so, once. */
export function beat(world: World): void {
  for (const host of world.hosts.values()) {
    // nova-compute's report is written by the conductor; one that is forced down is not counted.
    const counted = computeWorks(world, host) && !world.stopped.has('conductor') && !host.forcedDown;
    if (counted) host.reportedAtMs = world.now();
    const wasAlive = host.agentWasAlive;
    if (agentWorks(world, host)) host.heartbeatAtMs = world.now();
    host.agentWasAlive = isAgentAlive(world, host);
    if (!wasAlive && host.agentWasAlive) repairBindings(world, host);
  }
}

/** Neutron binds failed ports anew by itself once the agent is back. */
function repairBindings(world: World, host: Host): void {
  world.after(world.settings.durations.rebindMs, () => {
    if (!isAgentAlive(world, host)) return;
    for (const { port } of world.instances.values()) {
      if (port.host !== host.host || port.vifType !== 'binding_failed') continue;
      port.vifType = 'ovs';
      port.status = 'ACTIVE';
    }
    world.presenceChanged();
  });
}

/** Begins the two rhythms of the cloud: reports, and the resource trackers' recounts. */
export function startBeating(world: World): void {
  const { reportIntervalMs, resourcesIntervalMs } = world.settings.durations;
  const report = (): void => {
    beat(world);
    world.after(reportIntervalMs, report);
  };
  const recount = (): void => {
    for (const host of world.hosts.values()) if (computeWorks(world, host)) trackResources(world, host);
    world.after(resourcesIntervalMs, recount);
  };
  report();
  world.after(resourcesIntervalMs, recount);
}
