// Where Neutron has a port: bound by a client's request (the database method), by a rebuild, or anew by itself.
import type { Host, Instance, Port } from './model.ts';
import { isSeen } from './ovn.ts';
import { ApiRefusal } from './refusal.ts';
import { canBind } from './reports.ts';
import type { World } from './world.ts';

/** A port as a request names it; Neutron's own 404 for an unknown one. */
export function requestedPort(world: World, id: string): Port {
  for (const { port } of world.instances) if (port.id === id) return port;
  throw new ApiRefusal(404, `Port ${id} could not be found.`);
}

/** Binds a port to a host; it reads DOWN until the host's agent has wired it, or stays so without a living agent. */
export function bindPort(world: World, port: Port, hostName: string): void {
  if (port.host === hostName && port.vifType === 'ovs') return;
  const host = world.hosts.get(hostName);
  port.host = hostName === '' ? null : hostName;
  port.status = 'DOWN';
  const binds = host !== undefined && canBind(world, host);
  port.vifType = hostName === '' ? 'unbound' : binds ? 'ovs' : 'binding_failed';
  world.onPresence();
  if (binds) wireLater(world, port, host);
}

/** Nova calls a rebuild a success even when Neutron could not bind the port for want of a living agent. */
export function bindWithRebuild(world: World, { port }: Instance, host: Host): void {
  port.host = host.name;
  port.vifType = canBind(world, host) ? 'ovs' : 'binding_failed';
  port.status = 'DOWN';
  if (port.vifType === 'ovs') wireLater(world, port, host);
}

/** Does somebody on the host wire what is bound to it? Neutron takes an agent that just ended for alive, and binds. */
const wires = (world: World, host: Host): boolean =>
  world.ovn === null
    ? host.agents.length === 0 || host.agents.some(({ sinceMs }) => sinceMs !== null)
    : isSeen(world, host) || (world.ovn.era === 'request' && canBind(world, host));

/** The host's agent wires what is bound to it. */
function wireLater(world: World, port: Port, host: Host): void {
  world.after(world.settings.durations.portActiveMs, () => {
    if (port.host !== host.name || !wires(world, host)) return;
    port.status = 'ACTIVE';
    world.version += 1;
    world.onPresence();
  });
}

/** Neutron binds failed ports anew by itself once the agent is back, which wires what is there. */
export function repairBindingsLater(world: World, host: Host): void {
  world.after(world.settings.durations.rebindMs, () => {
    if (!canBind(world, host)) return;
    for (const { port, runningOn } of world.instances) {
      const isDark = port.status === 'DOWN' && runningOn.has(host.name);
      if (port.host !== host.name || (port.vifType !== 'binding_failed' && !isDark)) continue;
      port.vifType = 'ovs';
      port.status = 'ACTIVE';
    }
    world.onPresence();
  });
}
