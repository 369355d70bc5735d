// RabbitMQ and the conductor: a message waits while either is away, and is carried out when they return, however long
// its sender has given up. Nova checks a request only when it comes in.
import type { Host } from './model.ts';
import { answerSoon, forgetDeleted } from './ovn.ts';
import { computeWorks, track } from './reports.ts';
import { settle } from './settle.ts';
import type { ServiceName, World } from './world.ts';

/** Has the conductor do something, now or when it can. */
export function tellConductor(world: World, work: () => void): void {
  if (world.stopped.has('rabbitmq') || world.stopped.has('conductor')) world.undelivered.push(work);
  else work();
}

/** Has a host's nova-compute do something, now or when it can: the message waits for a dead one. */
export function tellCompute(world: World, host: Host, work: () => void): void {
  if (computeWorks(world, host)) work();
  else host.mailbox.push(work);
}

/** Hands a nova-compute what waited for it. */
export function deliverMail(world: World, host: Host): void {
  while (computeWorks(world, host)) {
    const work = host.mailbox.shift();
    if (work === undefined) return;
    work();
  }
}

/** Takes a service away; false when it was so already. */
export function stopService(world: World, service: ServiceName): boolean {
  if (world.stopped.has(service)) return false;
  for (const host of world.hosts.values()) track(world, host);
  world.stopped.add(service);
  for (const host of world.hosts.values()) settle(world, host);
  return true;
}

/**
 * RabbitMQ works off what a host sent before it died: neutron-server and the conductor stamp each report with the time
 * at which they read it.
 */
export function workOffReports(world: World, host: Host): boolean {
  if (world.stopped.has('rabbitmq')) return false;
  for (const reporter of [...host.agents, host.compute])
    if (reporter.sinceMs === null) reporter.lastMs = world.nowMs;
  return true;
}

/** Brings a service back; who depends on RabbitMQ or the conductor finds it again after a while. */
export function startService(world: World, service: ServiceName): boolean {
  if (!world.stopped.has(service)) return false;
  const isBehind = service === 'rabbitmq' || service === 'conductor';
  const { reconnectMs } = world.settings.durations;
  if (isBehind && reconnectMs > 0) world.after(reconnectMs, () => returns(world, service));
  else returns(world, service);
  return true;
}

function returns(world: World, service: ServiceName): void {
  world.stopped.delete(service);
  if (service === 'neutron') forgetDeleted(world);
  if (service === 'northd' || service === 'southbound') answerSoon(world);
  for (const host of world.hosts.values()) settle(world, host);
  if (!world.stopped.has('rabbitmq') && !world.stopped.has('conductor'))
    for (const work of world.undelivered.splice(0)) work();
  for (const host of world.hosts.values()) deliverMail(world, host);
}
