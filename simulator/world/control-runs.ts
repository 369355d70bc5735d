// Whether the processes of the control plane on a host run at all: agents, nova-compute, ovn-controller.
import type { Host } from './model.ts';
import type { World } from './world.ts';

/** Do the processes of the control plane on it run, and reach RabbitMQ (or the network that it is on, at least)? */
export function controlRuns(
  world: World,
  host: Host,
  over: 'rabbitmq' | 'without-rabbitmq' = 'rabbitmq',
): boolean {
  const runs = host.powered && host.up.kernel && !host.frozen && !host.controlHung;
  return runs && !host.cut.reports && (over !== 'rabbitmq' || !world.stopped.has('rabbitmq'));
}
