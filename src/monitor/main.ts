#!/usr/bin/env node
// Entry of the monitor: wires settings, Redis, the queue and the driver. It decides and touches nothing itself.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Settings } from '../shared/config/settings.ts';
import { systemClock } from '../shared/ground/clock.ts';
import { counted } from '../shared/ground/counted.ts';
import { UsageError } from '../shared/ground/errors.ts';
import type { Log } from '../shared/ground/log.ts';
import { JobProducer } from '../shared/jobs/job-producer.ts';
import { InventoryStore } from '../shared/picture/store.ts';
import { type Check, connectionsCheck, runChecks } from '../shared/process/check.ts';
import { connectionsOf } from '../shared/process/connection-safety.ts';
import {
  type CommonOptions,
  command,
  type ExitCode,
  type Frame,
  printLine,
  runProcess,
} from '../shared/process/frame.ts';
import { operator } from '../shared/process/operator.ts';
import { requireOpenStack, start } from '../shared/process/start.ts';
import { connectRedis } from '../shared/redis/connect.ts';
import { keysOf } from '../shared/redis/keys.ts';
import { readLeader } from '../shared/redis/leader.ts';
import { leaveOrder } from '../shared/redis/orders.ts';
import { probeRedis, reachRedis } from '../shared/redis/probe.ts';
import { describeTrust, trustIn, trustWarning } from '../shared/redis/trust-in-redis.ts';
import { describeVantagePoints, VantagePointRegistry } from '../shared/vantage-points/registry.ts';
import type { Rules } from './core/state/rules.ts';
import { recoveriesOf } from './core/state/state.ts';
import { DeadMan, getStatus } from './dead-man.ts';
import { Driver } from './driver.ts';
import { Lease, readStandbys } from './lease.ts';
import { Memory, readState } from './memory.ts';

/** A turn asks Redis a few things, each within its limit, and pauses for 2 s at most. */
const roundMostMs = 60_000;

interface MonitorOptions extends CommonOptions {
  readonly acceptEmptyState?: boolean;
}

await runProcess('monitor', async (frame) => {
  const options = command('monitor', 'Decides when a hypervisor is dead and hands the work to ns4.')
    .option('--accept-empty-state', 'let the monitor recover again after Redis lost what it knew')
    .exitOverride()
    .parse()
    .opts<MonitorOptions>();
  if (options.check && options.acceptEmptyState)
    throw new UsageError(['--check and --accept-empty-state do not go together: expected one of them']);
  const { settings, log } = start('monitor', options, frame);
  if (options.check) return runChecks(checks(settings, log, frame), printLine);
  if (options.acceptEmptyState) return acceptEmptyState(settings, log, frame);
  const { lease, memory, inventory, jobs, cloud } = connect(settings, log, frame);
  const { deadManUrl: url } = settings.alarm;
  const deadMan = url === null ? null : new DeadMan({ url, get: getStatus, clock: systemClock, log });
  const beat = frame.service.loop('the round', roundMostMs);
  const driver = new Driver({
    cloud,
    rules: rulesOf(settings),
    lease,
    memory,
    inventory,
    jobs,
    clock: systemClock,
    log,
    newLife: () => `${systemClock.nowMs().toString(36)}${randomUUID().slice(0, 8)}`,
    onRound: () => {
      frame.service.ready(`watches cloud ${cloud}`);
      beat();
    },
    onSaved: (state) => deadMan?.saw(state.watches.hosts.kind),
  });
  log.info({ cloud, config: settings.file }, `watching cloud ${cloud}`);
  const warning = trustWarning(settings.redis);
  if (warning !== null) log.warn(warning);
  await driver.run(frame.stop);
  return 0;
});

/** An operator accepts that the cooldown and the journals are gone. */
async function acceptEmptyState(settings: Settings, log: Log, frame: Frame): Promise<ExitCode> {
  const { cloud } = requireOpenStack(settings);
  const keys = keysOf(cloud);
  const redis = await reachRedis(settings.redis, cloud, 'monitor', log);
  frame.onClose('Redis', () => redis.disconnect());
  const held = (await readState(redis, keys))?.safeMode ?? null;
  const [by, atMs] = [operator(), systemClock.nowMs()];
  const trust = trustIn(redis, cloud, settings.redis, 'monitor', log);
  await leaveOrder(redis, keys, trust, { kind: 'accept-empty-state', by, atMs });
  const found =
    held === null
      ? 'is not in safe mode'
      : `is in safe mode since ${new Date(held.sinceMs).toISOString()}: ${held.why}`;
  const leader = (await readLeader(redis, keys)) ?? 'none leads now';
  printLine(
    `the monitor of ${cloud} (${leader}) ${found}\nthe order was left: at its next look (or when it starts) it recovers again, with whatever cooldown it knows`,
  );
  return 0;
}

function connect(settings: Settings, log: Log, frame: Frame) {
  const { cloud } = requireOpenStack(settings);
  const keys = keysOf(cloud);
  const redis = connectRedis(settings.redis, cloud, log);
  const who = `${hostname()}/${process.pid}`;
  const trust = trustIn(redis, cloud, settings.redis, `monitor ${who}`, log);
  const jobs = new JobProducer(settings.redis, cloud, trust, log, settings.scan);
  frame.onClose('Redis', () => redis.disconnect());
  frame.onClose('job queue', () => jobs.close());
  const lease = new Lease(redis, keys, who);
  return {
    cloud,
    keys,
    redis,
    jobs,
    lease,
    trust,
    memory: new Memory(redis, keys, lease.text, trust, frame.secrets.mask),
    inventory: new InventoryStore(redis, keys),
  };
}

function rulesOf(settings: Settings): Rules {
  const { hypervisorPorts, instancePorts } = settings.scan;
  const fencing = settings.fencing.mode;
  const { disabledHosts } = settings.recovery;
  const asksDisks = settings.ceph !== null;
  return { ...settings.monitor, hypervisorPorts, instancePorts, fencing, asksDisks, disabledHosts };
}

function checks(settings: Settings, log: Log, frame: Frame): Check[] {
  const { cloud } = requireOpenStack(settings);
  const parts = () => {
    connected ??= connect(settings, log, frame);
    return connected;
  };
  let connected: ReturnType<typeof connect> | undefined;
  return [
    { what: 'configuration', run: async () => `${settings.file}, cloud ${cloud}` },
    { what: 'Redis', run: () => probeRedis(settings.redis, cloud, 'monitor') },
    connectionsCheck(async () => connectionsOf('monitor', settings)),
    {
      what: 'signatures',
      needs: 'Redis',
      run: () => describeTrust(parts().redis, parts().keys, parts().trust, settings.redis),
    },
    {
      what: 'ns4',
      needs: 'Redis',
      run: async () => {
        const workers = await parts().jobs.workers();
        return workers === 0 ? 'no worker listens now' : `${workers} listening`;
      },
    },
    {
      what: 'vantage points',
      needs: 'Redis',
      run: () =>
        describeVantagePoints(new VantagePointRegistry(parts().redis, parts().keys), settings.scan.quorum),
    },
    {
      what: 'inventory',
      needs: 'Redis',
      run: async () => {
        const picture = await parts().inventory.read();
        if (picture === null) return 'none yet';
        const age = Math.round((Date.now() - picture.collectedAtMs) / 1000);
        return `${counted(picture.hypervisors.length, 'hypervisor')}, ${age} s old`;
      },
    },
    {
      what: 'leader',
      needs: 'Redis',
      run: async () => {
        const { redis, keys } = parts();
        const leader = (await readLeader(redis, keys)) ?? 'no monitor leads now';
        const standbys = await readStandbys(redis, keys);
        return `${leader}; standing by: ${standbys.join(', ') || 'none'}`;
      },
    },
    {
      what: 'state',
      needs: 'Redis',
      run: async () => {
        const state = await readState(parts().redis, parts().keys);
        if (state === null) return 'none yet';
        const cooldown = state.cooldown
          ? `last recovery began ${new Date(state.cooldown.sinceMs).toISOString()}`
          : 'no recovery to cool down from';
        const held = state.safeMode === null ? '' : `, in safe mode (${state.safeMode.why})`;
        return `${state.watches.hosts.kind}, ${recoveriesOf(state).length} recoveries under way, ${cooldown}${held}`;
      },
    },
  ];
}
