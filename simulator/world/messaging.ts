// RabbitMQ and the conductor: a message waits while either is away, and is carried out when they return, however long
// its sender has given up. Nova checks a request only when it comes in.
import { beat, computeWorks } from './heartbeats.ts';
import type { Host } from './model.ts';
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

/** Takes a service away. */
export function stopService(world: World, service: ServiceName): void {
  world.stopped.add(service);
}

/** Brings a service back; who depends on RabbitMQ or the conductor finds it again after a while. */
export function startService(world: World, service: ServiceName): void {
  if (service !== 'rabbitmq' && service !== 'conductor') {
    world.stopped.delete(service);
    return;
  }
  world.after(world.settings.durations.reconnectMs, () => {
    world.stopped.delete(service);
    beat(world);
    if (!world.stopped.has('rabbitmq') && !world.stopped.has('conductor')) {
      for (const work of world.undelivered.splice(0)) work();
    }
    for (const host of world.hosts.values()) deliverMail(world, host);
    world.emit('messaging');
  });
}

/** Resolves once RabbitMQ takes messages: a Nova API request that must send one gives no answer before. */
export async function untilMessaging(world: World): Promise<void> {
  while (world.stopped.has('rabbitmq')) await new Promise((resolve) => world.once('messaging', resolve));
}
