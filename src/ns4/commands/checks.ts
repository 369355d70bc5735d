// What `ns4 --check` reaches: configuration, Redis, OpenStack with its lists, Ceph and fence devices, MySQL when the
// database method needs it; then it goes through a round.

import { readFileSync } from 'node:fs';
import { isMarkedSpare, notSpares } from '../../shared/documents/inventory.ts';
import { leftOutText } from '../../shared/documents/terms/left-out.ts';
import { shortened } from '../../shared/documents/terms/shortened.ts';
import { systemClock } from '../../shared/ground/clock.ts';
import { counted } from '../../shared/ground/counted.ts';
import { type Check, connectionsCheck, type MoreChecks } from '../../shared/process/check.ts';
import { type Connection, connectionsOf } from '../../shared/process/connection-safety.ts';
import type { Frame } from '../../shared/process/frame.ts';
import { probeRedis } from '../../shared/redis/probe.ts';
import { describeTrust } from '../../shared/redis/trust-in-redis.ts';
import { describeVantagePoints, VantagePointRegistry } from '../../shared/vantage-points/registry.ts';
import { describeBaseline } from '../baseline/describe.ts';
import { HeardStore } from '../baseline/heard.ts';
import { cephFenceOf } from '../fencing/ceph-fence.ts';
import type { FencingPlan } from '../fencing/plan.ts';
import { planHash } from '../fencing/plan-hash.ts';
import { describeNetworks } from '../jobs/external-networks.ts';
import type { RefreshedInventory } from '../jobs/refresh-inventory.ts';
import { createNovaDatabase } from '../nova-database/nova-database.ts';
import { describeOffenders } from '../scan/offenders.ts';
import { describeCeph } from './ceph-checks.ts';
import { type CheckMeans, checkMeans } from './check-means.ts';
import { catalogueRemarks, cloudConnections, loginConnection } from './cloud-connections.ts';
import { checkElsewhere } from './fence-elsewhere.ts';
import { type CephAsked, describePlans, fencingChecks } from './fencing-checks.ts';
import { heartbeatsText } from './heartbeat-checks.ts';
import type { LevelWord } from './proof-today.ts';
import { describeCloud } from './prove-login.ts';
import { readinessChecks } from './readiness-checks.ts';
import type { StartedOnCloud } from './start-on-cloud.ts';

const cephCheckMs = 10_000;
/** Whoever fences for this ns4 does not answer. */
const unreachable: readonly LevelWord[] = [{ kind: 'device', well: false, isOff: false }];
/** Named in a line. */
const mostSpares = 10;

export function checksOf(
  started: StartedOnCloud,
  plan: FencingPlan | null,
  frame: Frame,
): (Check | MoreChecks)[] {
  const { settings, openstack, credentials, log } = started;
  const means = checkMeans(started, frame);
  const { cloud, keys } = means;
  const { mysql, fencing } = settings;
  let reached: readonly Connection[] | null = null;
  const registry = () => new VantagePointRegistry(means.redis(), keys);
  const hosts = async () => (await means.reading()).hosts;
  const ceph = means.ceph === null ? null : askCeph(means.ceph);
  const levels = new Map<string, readonly LevelWord[]>();
  const told = (host: string, words: readonly LevelWord[]) => void levels.set(host, words);
  const far = { settings, cloud: openstack.cloud, means, hypervisors: hosts, ceph, log, signal: frame.stop };
  const elsewhere = noting(checkElsewhere(far));
  const levelWords = (host: string) =>
    settings.scan.fences ? (levels.get(host) ?? []) : elsewhere.isWell() ? null : unreachable;
  return [
    {
      what: 'configuration',
      run: async () =>
        `${settings.file}, cloud ${openstack.cloud} of ${credentials.file}, evacuate = ${openstack.method}`,
    },
    { what: 'Redis', run: () => probeRedis(settings.redis, openstack.cloud, 'ns4') },
    {
      what: 'signatures',
      needs: 'Redis',
      run: () => describeTrust(means.redis(), keys, means.trust(), settings.redis),
    },
    {
      what: 'OpenStack',
      run: async () => {
        const found = await describeCloud(cloud, credentials, frame.stop);
        const placement = found.endpoints.placement ?? 'none';
        if (openstack.method === 'database' && found.endpoints.placement === null)
          throw new Error('the catalogue has no placement, which "evacuate = database" needs');
        const remarks = catalogueRemarks(credentials, found);
        reached = cloudConnections(credentials, found);
        const text = `${found.user} in project ${found.project ?? 'none'} (${found.roles.join(', ')}), Nova ${found.computeMicroversion} at ${found.endpoints.compute}, Neutron at ${found.endpoints.network}, Placement at ${placement}`;
        return { found: text, warnings: remarks };
      },
    },
    connectionsCheck(async () => [
      ...connectionsOf('ns4', settings),
      ...(reached ?? [loginConnection(credentials)]),
    ]),
    {
      what: 'inventory',
      run: async () => {
        const read = await means.reading();
        return { found: inventoryText(read), warnings: read.hosts.leftOut.map(leftOutText) };
      },
    },
    {
      what: 'external networks',
      run: async () => describeNetworks(await cloud.listNetworks(frame.stop), openstack.externalNetworks),
    },
    {
      what: 'heartbeats',
      needs: 'inventory',
      run: async () => {
        const { hosts: read, oddities } = await means.reading();
        return heartbeatsText(read, oddities, read.collectedAtMs, settings.monitor);
      },
    },
    ...(means.ceph === null ? [] : [cephCheck(means, means.ceph, plan, frame)]),
    ...(fencing.mode === 'none' || settings.scan.fences
      ? fencingChecks(fencing, plan, hosts, settings.monitor, frame.stop, ceph, told)
      : [elsewhere]),
    ...(fencing.mode === 'none' || plan === null
      ? []
      : [
          {
            what: 'fencing plans',
            needs: 'Redis',
            run: async () => describePlans(planHash(plan), (await registry().list()).plans),
          },
        ]),
    {
      what: 'vantage points',
      needs: 'Redis',
      run: async () => {
        const { name, quorum } = settings.scan;
        return `this ns4 is ${name}; registered: ${await describeVantagePoints(registry(), quorum)}`;
      },
    },
    {
      what: 'baseline',
      needs: ['Redis', 'inventory'],
      run: async () => {
        const heard = new HeardStore(means.redis(), keys, settings.scan.name);
        return describeBaseline(heard, (await hosts()).hypervisors, systemClock.nowMs());
      },
    },
    {
      what: 'scanner',
      run: async () =>
        `${openFileLimit()} files may be open, each probe needs one; ${await describeOffenders(frame.stop)}`,
    },
    ...(mysql === null ? [] : [mysqlCheck(mysql)]),
    ...readinessChecks(means, started, levelWords, frame),
  ];
}

/** A check, and whether it went well. */
function noting(check: Check): Check & { isWell(): boolean } {
  let well = false;
  const run = async () => {
    const found = await check.run();
    well = true;
    return found;
  };
  return { ...check, run, isWell: () => well };
}

function inventoryText({ hosts, servers }: RefreshedInventory): string {
  const spares = hosts.hypervisors.filter(isMarkedSpare).map((h) => h.host);
  const none = notSpares(hosts.hypervisors).map((sentence) => `; ${sentence}`);
  const counts = `${counted(hosts.hypervisors.length, 'hypervisor')}, ${counted(hosts.agents.length, 'agent')}, ${counted(servers?.servers.length ?? 0, 'instance')}`;
  const skew = `the cloud's clock differs by ${Math.round(hosts.clockSkewMs / 1000)} s`;
  return `${counts}, spares: ${shortened(spares, mostSpares) || 'none'}${none.slice(0, mostSpares).join('')}; ${skew}`;
}

function cephCheck(
  means: CheckMeans,
  ceph: NonNullable<CheckMeans['ceph']>,
  plan: FencingPlan | null,
  frame: Frame,
): Check {
  const run = async () => {
    const { storage, store, cuts } = ceph();
    const limits = { timeoutMs: cephCheckMs, signal: frame.stop };
    return describeCeph({
      facts: await storage.facts(limits),
      blocklist: await storage.blocklist(limits),
      disks: await means.disks(),
      addresses: await store.addresses(),
      cuts: await cuts.all(),
      hypervisors: (await means.picture()).hypervisors,
      plan,
      nowMs: systemClock.nowMs(),
    });
  };
  return { what: 'Ceph', needs: ['Redis', 'inventory'], run };
}

function mysqlCheck(mysql: NonNullable<StartedOnCloud['settings']['mysql']>): Check {
  const run = async () => {
    const database = createNovaDatabase(mysql);
    try {
      return await database.check();
    } finally {
      await database.close();
    }
  };
  return { what: 'MySQL', run };
}

/** Nothing is started before the first question, and one helper answers all. */
function askCeph(ceph: NonNullable<CheckMeans['ceph']>): CephAsked {
  return (host, timeoutMs, signal) =>
    cephFenceOf({ ...ceph(), clock: systemClock }).stillCut(host, null, timeoutMs, signal);
}

function openFileLimit(): string {
  try {
    return /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
