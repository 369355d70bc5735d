// A port's binding as a client asks Neutron for it (the database method needs this; a rebuild does it by itself).
import { isAgentAlive } from './heartbeats.ts';
import type { Port } from './model.ts';
import type { World } from './world.ts';

/** Binds a port to a host; it reads DOWN until the host's agent has wired it, or stays so without a living agent. */
export function bindPort(world: World, port: Port, hostName: string): void {
  if (port.host === hostName && port.vifType === 'ovs') return;
  const host = world.hosts.get(hostName);
  port.host = hostName === '' ? null : hostName;
  port.status = 'DOWN';
  const alive = host !== undefined && isAgentAlive(world, host);
  port.vifType = hostName === '' ? 'unbound' : alive ? 'ovs' : 'binding_failed';
  world.presenceChanged();
  if (!alive) return;
  world.after(world.settings.durations.portActiveMs, () => {
    if (port.host !== hostName || !isAgentAlive(world, host)) return;
    port.status = 'ACTIVE';
    world.presenceChanged();
  });
}
