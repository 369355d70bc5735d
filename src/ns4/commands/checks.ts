// What `ns4 --check` reaches: configuration, Redis, OpenStack with its lists, MySQL when the database method needs it.

import { readFileSync } from 'node:fs';
import type { CephSettings } from '../../shared/config/settings.ts';
import { isMarkedSpare, notSpares } from '../../shared/documents/inventory.ts';
import { systemClock } from '../../shared/ground/clock.ts';
import { counted } from '../../shared/ground/counted.ts';
import { type Check, connectionsCheck, type MoreChecks } from '../../shared/process/check.ts';
import { type Connection, connectionsOf } from '../../shared/process/connection-safety.ts';
import type { Frame } from '../../shared/process/frame.ts';
import { connectRedis } from '../../shared/redis/connect.ts';
import { keysOf } from '../../shared/redis/keys.ts';
import { probeRedis } from '../../shared/redis/probe.ts';
import { describeTrust, trustIn } from '../../shared/redis/trust-in-redis.ts';
import { describeVantagePoints, VantagePointRegistry } from '../../shared/vantage-points/registry.ts';
import { describeBaseline } from '../baseline/describe.ts';
import { HeardStore } from '../baseline/heard.ts';
import { Ceph } from '../ceph/ceph.ts';
import { CutOffStore } from '../disks/cut-off-store.ts';
import { OpenedStore } from '../disks/opened-store.ts';
import { cephFenceOf } from '../fencing/ceph-fence.ts';
import type { CephFence } from '../fencing/ceph-level.ts';
import type { FencingPlan } from '../fencing/plan.ts';
import { planHash } from '../fencing/plan-hash.ts';
import { describeNetworks } from '../jobs/external-networks.ts';
import { refreshInventory } from '../jobs/refresh-inventory.ts';
import { createNovaDatabase } from '../nova-database/nova-database.ts';
import { createCloud } from '../openstack/client.ts';
import { describeOffenders } from '../scan/offenders.ts';
import { describeCeph } from './ceph-checks.ts';
import { catalogueRemarks, cloudConnections, loginConnection } from './cloud-connections.ts';
import { checkElsewhere } from './fence-elsewhere.ts';
import { type CephAsked, describePlans, fencingChecks } from './fencing-checks.ts';
import { heartbeatsText } from './heartbeat-checks.ts';
import { describeCloud } from './prove-login.ts';
import type { StartedOnCloud } from './start-on-cloud.ts';

const cephCheckMs = 10_000;

export function checksOf(
  { settings, openstack, credentials, log }: StartedOnCloud,
  plan: FencingPlan | null,
  frame: Frame,
): (Check | MoreChecks)[] {
  const cloud = createCloud(credentials, { clock: systemClock, random: Math.random, secrets: frame.secrets });
  frame.onClose('OpenStack', () => cloud.close());
  const { mysql } = settings;
  let reached: readonly Connection[] | null = null;
  const readInventory = (servers: boolean) =>
    refreshInventory(
      cloud,
      openstack.cloud,
      { servers, externalNetworks: openstack.externalNetworks, earlier: { agents: [], hypervisors: [] } },
      systemClock,
      frame.stop,
    );
  const hypervisors = async () => (await readInventory(false)).hosts;
  const ceph = settings.ceph === null ? null : askCeph(settings.ceph, { settings, openstack, log }, frame);
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
      run: async () => {
        const redis = connectRedis(settings.redis, openstack.cloud, log);
        try {
          const by = `ns4 ${settings.scan.name}`;
          const trust = trustIn(redis, openstack.cloud, settings.redis, by, log);
          return await describeTrust(redis, keysOf(openstack.cloud), trust, settings.redis);
        } finally {
          redis.disconnect();
        }
      },
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
        const { hosts, servers } = await readInventory(true);
        const spares = hosts.hypervisors.filter(isMarkedSpare).map((h) => h.host);
        const none = notSpares(hosts.hypervisors).map((sentence) => `; ${sentence}`);
        return `${counted(hosts.hypervisors.length, 'hypervisor')}, ${counted(hosts.agents.length, 'agent')}, ${counted(servers?.servers.length ?? 0, 'instance')}, spares: ${spares.join(', ') || 'none'}${none.join('')}; the cloud's clock differs by ${Math.round(hosts.clockSkewMs / 1000)} s`;
      },
    },
    {
      what: 'external networks',
      run: async () => describeNetworks(await cloud.listNetworks(frame.stop), openstack.externalNetworks),
    },
    {
      what: 'heartbeats',
      run: async () => {
        const { hosts, oddities } = await readInventory(false);
        return heartbeatsText(hosts, oddities, systemClock.nowMs(), settings.monitor);
      },
    },
    ...(settings.ceph === null
      ? []
      : [
          {
            what: 'Ceph',
            needs: 'Redis',
            run: async () => {
              const redis = connectRedis(settings.redis, openstack.cloud, log);
              const ceph = new Ceph(settings.ceph as CephSettings, {
                clock: systemClock,
                log,
                mask: frame.secrets.mask,
              });
              try {
                const limits = { timeoutMs: cephCheckMs, signal: frame.stop };
                const keys = keysOf(openstack.cloud);
                return describeCeph({
                  facts: await ceph.facts(limits),
                  blocklist: await ceph.blocklist(limits),
                  addresses: await new OpenedStore(redis, keys).addresses(),
                  cuts: await new CutOffStore(redis, keys).all(),
                  hypervisors: (await hypervisors()).hypervisors,
                  plan,
                  nowMs: systemClock.nowMs(),
                });
              } finally {
                redis.disconnect();
                await ceph.close();
              }
            },
          },
        ]),
    ...(settings.fencing.mode === 'none' || settings.scan.fences
      ? fencingChecks(
          settings.fencing,
          plan,
          hypervisors,
          { ...settings.monitor, clock: systemClock },
          frame.stop,
          ceph,
        )
      : [checkElsewhere({ settings, cloud: openstack.cloud, hypervisors, ceph, log, signal: frame.stop })]),
    ...(settings.fencing.mode === 'none' || plan === null
      ? []
      : [
          {
            what: 'fencing plans',
            needs: 'Redis',
            run: async () => {
              const redis = connectRedis(settings.redis, openstack.cloud, log);
              try {
                const registry = new VantagePointRegistry(redis, keysOf(openstack.cloud));
                return describePlans(planHash(plan), (await registry.list()).plans);
              } finally {
                redis.disconnect();
              }
            },
          },
        ]),
    {
      what: 'vantage points',
      needs: 'Redis',
      run: async () => {
        const redis = connectRedis(settings.redis, openstack.cloud, log);
        try {
          const { name, quorum } = settings.scan;
          const found = await describeVantagePoints(
            new VantagePointRegistry(redis, keysOf(openstack.cloud)),
            quorum,
          );
          return `this ns4 is ${name}; registered: ${found}`;
        } finally {
          redis.disconnect();
        }
      },
    },
    {
      what: 'baseline',
      needs: 'Redis',
      run: async () => {
        const redis = connectRedis(settings.redis, openstack.cloud, log);
        try {
          const { name } = settings.scan;
          return await describeBaseline(
            new HeardStore(redis, keysOf(openstack.cloud), name),
            (await hypervisors()).hypervisors,
            systemClock.nowMs(),
          );
        } finally {
          redis.disconnect();
        }
      },
    },
    {
      what: 'scanner',
      run: async () =>
        `${openFileLimit()} files may be open, each probe needs one; ${await describeOffenders(frame.stop)}`,
    },
    ...(mysql === null
      ? []
      : [
          {
            what: 'MySQL',
            run: async () => {
              const database = createNovaDatabase(mysql);
              try {
                return await database.check();
              } finally {
                await database.close();
              }
            },
          },
        ]),
  ];
}

/** Nothing is started before the first question, and one helper answers all. */
function askCeph(
  access: CephSettings,
  { settings, openstack, log }: Pick<StartedOnCloud, 'settings' | 'openstack' | 'log'>,
  frame: Frame,
): CephAsked {
  let fence: CephFence | null = null;
  const begin = () => {
    const redis = connectRedis(settings.redis, openstack.cloud, log);
    frame.onClose('Redis', () => redis.disconnect());
    const storage = new Ceph(access, { clock: systemClock, log, mask: frame.secrets.mask });
    frame.onClose('Ceph', () => storage.close());
    const keys = keysOf(openstack.cloud);
    const store = new OpenedStore(redis, keys);
    const cuts = new CutOffStore(redis, keys);
    return cephFenceOf({ storage, store, cuts, pools: access.pools, clock: systemClock });
  };
  return (host, timeoutMs, signal) => {
    fence ??= begin();
    return fence.stillCut(host, null, timeoutMs, signal);
  };
}

function openFileLimit(): string {
  try {
    return /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
