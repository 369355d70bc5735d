#!/usr/bin/env node
// Entry of ns4: wires settings, Redis, OpenStack, fencing and (with `evacuate = database`) MySQL to the worker, or to
// one of the one-shot commands: an evacuation by hand, fencing by hand, a reset of the cooldown, a check.

import { makeKeyFile } from '../shared/config/key-file.ts';
import { fencesElsewhereText, fencingText } from '../shared/documents/terms/fencing-mode.ts';
import { systemClock } from '../shared/ground/clock.ts';
import { ScanQueues } from '../shared/jobs/job-producer.ts';
import { JobWorker } from '../shared/jobs/queue.ts';
import { InventoryStore } from '../shared/picture/store.ts';
import { runChecks } from '../shared/process/check.ts';
import { type Frame, printLine, runProcess } from '../shared/process/frame.ts';
import { operator } from '../shared/process/operator.ts';
import { connectRedis } from '../shared/redis/connect.ts';
import { EventLog } from '../shared/redis/event-log.ts';
import { keysOf } from '../shared/redis/keys.ts';
import { readLeader } from '../shared/redis/leader.ts';
import { leaveOrder } from '../shared/redis/orders.ts';
import { keepHashes } from '../shared/redis/other-types.ts';
import { reachRedis } from '../shared/redis/probe.ts';
import { readStatus } from '../shared/redis/status.ts';
import { trustIn, trustWarning } from '../shared/redis/trust-in-redis.ts';
import { QuorumScan } from '../shared/vantage-points/ask-all.ts';
import { VantagePointRegistry } from '../shared/vantage-points/registry.ts';
import { BackgroundScan } from './baseline/background-scan.ts';
import { HeardStore } from './baseline/heard.ts';
import { heardByAny } from './baseline/heard-by-any.ts';
import { lookWithBaseline } from './baseline/look.ts';
import { cephByHand } from './commands/ceph-by-hand.ts';
import { checksOf } from './commands/checks.ts';
import { parseCommandLine } from './commands/command-line.ts';
import { giveCopiesGone } from './commands/copies-gone.ts';
import { confirmByHand, fenceByHand, trustByHand } from './commands/fence.ts';
import { proveLogin } from './commands/prove-login.ts';
import { recoverAlone } from './commands/recover-alone.ts';
import { recoverByOrder } from './commands/recover-by-order.ts';
import { recoveriesOf } from './commands/recoveries.ts';
import { showSenses } from './commands/senses.ts';
import { type StartedOnCloud, startOnCloud } from './commands/start-on-cloud.ts';
import { waivedFor } from './commands/waived.ts';
import { RedisBystanders } from './fencing/bystanders.ts';
import { OperatorConfirmations } from './fencing/operator-confirmations.ts';
import { plansOfAll } from './fencing/plans-of-all.ts';
import { cephOf } from './jobs/ceph.ts';
import { fencingOf } from './jobs/fencing.ts';
import { handlersOf } from './jobs/handlers.ts';
import type { WorkerParts } from './jobs/worker-parts.ts';
import { createNovaDatabase } from './nova-database/nova-database.ts';
import { createCloud } from './openstack/client.ts';
import { Journals } from './recovery/journal/journals.ts';
import { RedisJournalStorage } from './recovery/journal/redis-journal-storage.ts';
import { byDatabase } from './recovery/movers/database/by-database.ts';
import { byApi } from './recovery/movers/nova/by-api.ts';
import { KernelNeighbours } from './scan/neighbours.ts';
import { IcmpOffenders } from './scan/offenders.ts';

/** It says that it is there every 2 s; to Redis that is away, every 8 s in vain. */
const workMostMs = 60_000;

await runProcess('ns4', async (frame) => {
  const options = parseCommandLine();
  if (options.makeKey !== undefined) {
    makeKeyFile(options.makeKey);
    process.stdout.write(`${options.makeKey}: a new key; [REDIS] key_file names it (docs/security.md)\n`);
    return 0;
  }
  const started = startOnCloud(options, frame);
  const { settings, openstack, log, plan } = started;
  const { mask } = frame.secrets;
  const print = printLine;
  if (options.check) return runChecks(checksOf(started, plan, frame), print);
  const keys = keysOf(openstack.cloud);
  const { fence, resetCooldown, confirmFenced, trustDevices, copiesGone } = options;
  const { deadHypervisor: dead, spareHypervisor: spare } = options;
  // The worker waits for Redis, a command ends without it. Fencing by hand must work when everything else is down.
  const mayWait =
    fence !== undefined ||
    !(resetCooldown || (confirmFenced ?? trustDevices ?? copiesGone ?? dead ?? options.senses) !== undefined);
  const redis = mayWait
    ? connectRedis(settings.redis, openstack.cloud, log)
    : await reachRedis(settings.redis, openstack.cloud, 'ns4', log);
  frame.onClose('Redis', () => redis.disconnect());
  const trust = trustIn(redis, openstack.cloud, settings.redis, `ns4 ${settings.scan.name}`, log);
  if (resetCooldown) {
    await leaveOrder(redis, keys, trust, {
      kind: 'reset-cooldown',
      by: operator(),
      atMs: systemClock.nowMs(),
    });
    print(`the monitor of ${openstack.cloud} forgets the last recovery at its next look (or when it starts)`);
    return 0;
  }
  if (copiesGone !== undefined) {
    const word = { yes: options.yes ?? false, atMs: systemClock.nowMs(), stop: frame.stop };
    await giveCopiesGone(copiesGone, { redis, keys, trust, ...word });
    print(`the monitor of ${openstack.cloud} ends its alarm about ${copiesGone} at its next look`);
    return 0;
  }
  const confirmations = new OperatorConfirmations(redis, keys, trust);
  const shared = {
    settings,
    openstack,
    inventory: new InventoryStore(redis, keys),
    events: new EventLog(redis, keys, mask),
    clock: systemClock,
  };
  // It connects with its first question.
  const cloud = createCloud(started.credentials, {
    clock: systemClock,
    random: Math.random,
    log: (text) => log.info(text),
    secrets: frame.secrets,
  });
  frame.onClose('OpenStack', () => cloud.close());
  const ceph = cephOf(settings, { redis, keys, inventory: shared.inventory, confirmations, log, mask });
  if (ceph !== null) frame.onClose('Ceph', () => ceph.close());
  const means = { ...shared, ...{ redis, keys, stop: frame.stop } };
  const recoveries = recoveriesOf({ redis, keys, trust, clock: systemClock, signal: frame.stop });
  const byHand = {
    ...{ ...means, trust, confirmations, plan, print },
    ceph: ceph === null ? null : cephByHand(ceph, { ...means, recoveries }, cloud),
  };
  if (confirmFenced !== undefined) return confirmByHand(confirmFenced, options, byHand);
  const bystanders = new RedisBystanders(redis, keys);
  if (trustDevices !== undefined) return trustByHand(trustDevices, options, { ...byHand, bystanders });
  const registry = new VantagePointRegistry(redis, keys);
  const fencing = fencingOf(settings, plan, {
    ...{ redis, keys, trust, registry, confirmations, bystanders, log },
    ...{ cloud: openstack.cloud, ceph: ceph?.fence ?? null },
  });
  frame.onClose('fencing', () => fencing.close());
  if (fence !== undefined)
    return fenceByHand(fence, options, { ...byHand, ...fencing, registry, bystanders, recoveries });
  const { alone } = options;
  const despite = await waivedFor(dead, options, frame.stop);
  if (dead !== undefined && !alone)
    return recoverByOrder(
      { host: dead, target: spare ?? null, despite },
      {
        cloud: openstack.cloud,
        events: shared.events,
        leader: () => readLeader(redis, keys),
        leave: (order) => leaveOrder(redis, keys, trust, order),
        status: () => readStatus(redis, keys),
        by: operator(),
        clock: systemClock,
        stop: frame.stop,
        out: process.stdout,
      },
    );
  const { name } = settings.scan;
  const fencesBy = fencing.ownDevices?.plan ?? null;
  const ownPlan = fencesBy === null ? null : { name, plan: fencesBy };
  const queues = new ScanQueues(settings.redis, openstack.cloud, trust, log);
  frame.onClose('scan queues', () => queues.close());
  const quorumScan = new QuorumScan({
    ...{ redis, keys, trust, registry, queues },
    rules: settings.scan,
    clock: systemClock,
  });
  const ears = { offenders: new IcmpOffenders(log), neighbours: new KernelNeighbours(systemClock) };
  const heard = new HeardStore(redis, keys, settings.scan.name);
  const background = new BackgroundScan({
    ...{ inventory: shared.inventory, heard, ears, scanning: settings.scan, clock: systemClock, log },
    rules: settings.monitor,
  });
  const { opened, storageAddresses, cutOff } = keys;
  const hashes = [keys.heard(name), opened, storageAddresses, cutOff];
  const parts: WorkerParts = {
    ...shared,
    ...{ log, cloud },
    heardByAny: heardByAny(redis, keys, registry),
    strangersAmong: (addresses) => background.strangersAmong(addresses),
    look: lookWithBaseline({
      disks: ceph?.disks ?? null,
      settings: settings.scan,
      heard,
      ears,
      clock: systemClock,
      log,
    }),
    lookTogether: (data, own, signal) => quorumScan.ask(data, own, signal),
    storage: ceph?.storage ?? null,
    opened: ceph?.store ?? null,
    blockedHosts: ceph?.blockedHosts ?? (async () => []),
    mover: moverOf(started, frame),
    ...fencing,
    fencingPlans: plansOfAll(registry, ownPlan),
    keepHashes: () => keepHashes(redis, hashes, log),
    journals: new Journals(new RedisJournalStorage(redis, keys, trust), systemClock, trust),
  };
  if (options.senses !== undefined) {
    const host = options.senses === true ? null : options.senses;
    return showSenses(parts, { host, json: options.json === true }, frame.stop, print);
  }
  if (dead !== undefined && spare !== undefined) {
    await proveLogin(cloud, started.credentials, log, frame.stop);
    const status = await readStatus(redis, keys);
    return recoverAlone(parts, { dead, spare, despite, status }, frame.stop, process.stdout);
  }
  const handlers = handlersOf(parts);
  const worker = new JobWorker(
    settings.redis,
    openstack.cloud,
    trust,
    handlers,
    settings.scan.name,
    log,
    mask,
  );
  frame.onClose('worker', () => worker.close());
  await parts.keepHashes();
  background.start();
  frame.onClose('background scan', () => background.close());
  const asking = ceph?.asking(cloud);
  asking?.start();
  if (asking !== undefined) frame.onClose('background round over disks', () => asking.close());
  const beat = frame.service.loop('the work', workMostMs);
  const vantagePoint = registry.join(name, log, fencesBy, (isHeard) => {
    if (!worker.isWorking) return;
    if (isHeard) frame.service.ready(`works for cloud ${openstack.cloud}`);
    beat();
  });
  frame.onClose('vantage point', () => vantagePoint.leave());
  log.info(
    { cloud: openstack.cloud, config: settings.file, method: openstack.method },
    `working for cloud ${openstack.cloud}`,
  );
  const warning = trustWarning(settings.redis);
  if (warning !== null) log.warn(warning);
  const { mode } = settings.fencing;
  log[mode === 'none' ? 'warn' : 'info'](fencingText(mode));
  if (mode !== 'none' && !settings.scan.fences) log.info(fencesElsewhereText);
  const stopped = new Promise<void>((resolve) =>
    frame.stop.addEventListener('abort', () => resolve(), { once: true }),
  );
  // Beside the work: a cloud that is away must not keep ns4 from starting, one that refuses the login must end it.
  await Promise.race([stopped, proveLogin(cloud, started.credentials, log, frame.stop).then(() => stopped)]);
  return 0;
});

function moverOf({ settings, openstack }: StartedOnCloud, frame: Frame) {
  if (openstack.method === 'api') return byApi;
  if (settings.mysql === null)
    throw new Error('settings were read without [MYSQL] for "evacuate = database"');
  const database = createNovaDatabase(settings.mysql);
  frame.onClose('MySQL', () => database.close());
  return byDatabase(database);
}
