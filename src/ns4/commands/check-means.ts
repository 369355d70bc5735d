// What the checks of `ns4 --check` share: one reading of the cloud, one connection to Redis, one helper for Ceph. Each is
// begun when it is asked for first, and closed with the process.
import type { Settings } from '../../shared/config/settings.ts';
import { systemClock } from '../../shared/ground/clock.ts';
import { Picture } from '../../shared/picture/picture.ts';
import type { Frame } from '../../shared/process/frame.ts';
import { connectRedis } from '../../shared/redis/connect.ts';
import type { Db } from '../../shared/redis/db.ts';
import { type Keys, keysOf } from '../../shared/redis/keys.ts';
import { trustIn } from '../../shared/redis/trust-in-redis.ts';
import type { Trust } from '../../shared/trust/trust.ts';
import { Ceph } from '../ceph/ceph.ts';
import { CutOffStore } from '../disks/cut-off-store.ts';
import { OpenedStore } from '../disks/opened-store.ts';
import { type RefreshedInventory, refreshInventory } from '../jobs/refresh-inventory.ts';
import { createCloud } from '../openstack/client.ts';
import type { StartedOnCloud } from './start-on-cloud.ts';
import { type DisksSurvey, surveyDisks } from './survey-disks.ts';

export interface CheckMeans {
  readonly cloud: ReturnType<typeof createCloud>;
  readonly keys: Keys;
  /** Everything, servers included: a large cloud is not read once for each check. Rejects as refreshInventory. */
  reading(): Promise<RefreshedInventory>;
  /** The same, to be asked; as of the moment at which the reading began. */
  picture(): Promise<Picture>;
  /** Waits for a server that is away: only for checks that need the one of Redis. */
  redis(): Db;
  trust(): Trust;
  /** Null without [CEPH]. */
  readonly ceph: (() => CephMeans) | null;
  /** Of all disks, once for all checks. Rejects as refreshInventory, or without [CEPH]. */
  disks(): Promise<DisksSurvey>;
}

interface CephMeans {
  readonly storage: Ceph;
  readonly store: OpenedStore;
  readonly cuts: CutOffStore;
  readonly pools: readonly string[];
}

export function checkMeans(
  { settings, openstack, credentials, log }: StartedOnCloud,
  frame: Frame,
): CheckMeans {
  const cloud = createCloud(credentials, { clock: systemClock, random: Math.random, secrets: frame.secrets });
  frame.onClose('OpenStack', () => cloud.close());
  const keys = keysOf(openstack.cloud);
  const options = {
    servers: true,
    externalNetworks: openstack.externalNetworks,
    earlier: { agents: [], hypervisors: [] },
  };
  const reading = once(() => refreshInventory(cloud, openstack.cloud, options, systemClock, frame.stop));
  const redis = once(() => {
    const connected = connectRedis(settings.redis, openstack.cloud, log);
    frame.onClose('Redis', () => connected.disconnect());
    return connected;
  });
  const ceph = (access: NonNullable<Settings['ceph']>) => {
    const storage = new Ceph(access, { clock: systemClock, log, mask: frame.secrets.mask });
    frame.onClose('Ceph', () => storage.close());
    const { pools } = access;
    return { storage, pools, store: new OpenedStore(redis(), keys), cuts: new CutOffStore(redis(), keys) };
  };
  const { ceph: access } = settings;
  const cephMeans = access === null ? null : once(() => ceph(access));
  const picture = once(async () => {
    const { hosts, servers } = await reading();
    return Picture.of(hosts, servers);
  });
  return {
    ...{ cloud, keys, reading, redis, picture, ceph: cephMeans },
    disks: once(async () => {
      if (cephMeans === null) throw new Error('there is no [CEPH]');
      const { storage, pools } = cephMeans();
      return surveyDisks(await picture(), { storage, pools, signal: frame.stop });
    }),
    trust: once(() => trustIn(redis(), openstack.cloud, settings.redis, `ns4 ${settings.scan.name}`, log)),
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
