#!/usr/bin/env node
// Entry of ns4: wires settings, Redis, OpenStack and (with `evacuate = database`) MySQL to the worker, or to one of the
// one-shot commands: an evacuation by hand, a reset of the cooldown, a check.
import { InvalidArgumentError } from 'commander';
import { runChecks } from '../shared/check.ts';
import { systemClock } from '../shared/clock.ts';
import { UsageError } from '../shared/errors.ts';
import { EventLog } from '../shared/event-log.ts';
import { InventoryStore } from '../shared/inventory-store.ts';
import { keysOf } from '../shared/keys.ts';
import { type CommonOptions, command, type Frame, runProcess } from '../shared/process-frame.ts';
import { JobWorker } from '../shared/queue.ts';
import { connectRedis } from '../shared/redis.ts';
import { type StartedOnCloud, startOnCloud } from '../shared/start.ts';
import { evacuateByHand, operator } from './by-hand.ts';
import { checksOf } from './checks.ts';
import { byApi } from './evacuation/by-api.ts';
import { byDatabase } from './evacuation/by-database.ts';
import { Journals } from './evacuation/journal.ts';
import { RedisJournalStorage } from './evacuation/redis-journal-storage.ts';
import { handlersOf, type WorkerParts } from './handlers.ts';
import { createNovaDatabase } from './nova-database.ts';
import { createCloud } from './openstack/client.ts';
import { proveLogin } from './prove-login.ts';

interface Ns4Options extends CommonOptions {
  readonly deadHypervisor?: string;
  readonly spareHypervisor?: string;
  readonly resetCooldown?: boolean;
}

/** Jobs at once: refreshes and scans are short, evacuations wait for Nova most of the time. */
const concurrency = { work: 4, evacuate: 8 } as const;
/** Orders an operator may leave while no monitor runs. */
const mostOrders = 100;

await runProcess('ns4', async (frame) => {
  const options = parse();
  const started = startOnCloud('ns4', options);
  const print = (line: string) => process.stdout.write(`${line}\n`);
  if (options.check) return runChecks(checksOf(started, frame), print);
  const { settings, openstack, log } = started;
  const keys = keysOf(openstack.cloud);
  const redis = connectRedis(settings.redis, openstack.cloud, log);
  frame.onClose('Redis', () => redis.disconnect());
  if (options.resetCooldown) {
    const order = { kind: 'reset-cooldown', by: operator(), atMs: systemClock.nowMs() };
    await redis.multi().rpush(keys.orders, JSON.stringify(order)).ltrim(keys.orders, -mostOrders, -1).exec();
    print(`the monitor of ${openstack.cloud} forgets the last recovery at its next look (or when it starts)`);
    return 0;
  }
  const cloud = createCloud(started.credentials, {
    clock: systemClock,
    random: Math.random,
    log: (text) => log.info(text),
  });
  frame.onClose('OpenStack', () => cloud.close());
  const parts: WorkerParts = {
    settings,
    openstack,
    log,
    cloud,
    method: methodOf(started, frame),
    inventory: new InventoryStore(redis, keys),
    journals: new Journals(new RedisJournalStorage(redis, keys), systemClock),
    events: new EventLog(redis, keys),
    clock: systemClock,
  };
  const { deadHypervisor: dead, spareHypervisor: spare } = options;
  if (dead !== undefined && spare !== undefined) {
    await proveLogin(cloud, started.credentials, log, frame.stop);
    return evacuateByHand(parts, { dead, spare }, frame.stop, process.stdout);
  }
  const worker = new JobWorker(settings.redis, openstack.cloud, handlersOf(parts), { concurrency }, log);
  frame.onClose('worker', () => worker.close());
  log.info(
    { cloud: openstack.cloud, config: settings.file, method: openstack.method },
    `working for cloud ${openstack.cloud}`,
  );
  const stopped = new Promise<void>((resolve) =>
    frame.stop.addEventListener('abort', () => resolve(), { once: true }),
  );
  // Beside the work: a cloud that is away must not keep ns4 from starting, one that refuses the login must end it.
  await Promise.race([stopped, proveLogin(cloud, started.credentials, log, frame.stop).then(() => stopped)]);
  return 0;
});

function parse(): Ns4Options {
  const host = (value: string) => {
    if (value.trim() === '') throw new InvalidArgumentError('expected the name of a hypervisor');
    return value.trim();
  };
  const program = command(
    'ns4',
    'Works for the monitor: inventory, scans, evacuations; or evacuates by hand.',
  )
    .option('-d, --dead-hypervisor <host>', 'evacuate this hypervisor by hand (with -s)', host)
    .option('-s, --spare-hypervisor <host>', 'the spare that takes over (with -d)', host)
    .option('-r, --reset-cooldown', 'let the monitor forget the last recovery')
    .exitOverride();
  const options = program.parse().opts<Ns4Options>();
  const both = [options.deadHypervisor, options.spareHypervisor].filter((name) => name !== undefined).length;
  const mistakes = [
    ...(both === 1 ? ['-d and -s go together: the dead hypervisor and the spare'] : []),
    ...(both === 2 && options.deadHypervisor === options.spareHypervisor
      ? [`-d and -s both name ${options.deadHypervisor}: expected two hypervisors`]
      : []),
    ...(both > 0 && options.resetCooldown ? ['-r goes alone: it only resets the cooldown'] : []),
  ];
  if (mistakes.length > 0) throw new UsageError(mistakes);
  return options;
}

function methodOf({ settings, openstack }: StartedOnCloud, frame: Frame) {
  if (openstack.method === 'api') return byApi;
  if (settings.mysql === null)
    throw new Error('settings were read without [MYSQL] for "evacuate = database"');
  const database = createNovaDatabase(settings.mysql);
  frame.onClose('MySQL', () => database.close());
  return byDatabase(database);
}
