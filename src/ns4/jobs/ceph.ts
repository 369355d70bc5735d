// What follows from [CEPH], wired: the disks as a sense, what a recovery asks of the storage, and the background round.
import type { Settings } from '../../shared/config/settings.ts';
import { systemClock } from '../../shared/ground/clock.ts';
import type { Log } from '../../shared/ground/log.ts';
import type { Mask } from '../../shared/masks/secrets.ts';
import type { InventoryStore } from '../../shared/picture/store.ts';
import type { Db } from '../../shared/redis/db.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import { BackgroundAsking } from '../baseline/background-asking.ts';
import { Ceph } from '../ceph/ceph.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { type BlockedHost, blockedHosts } from '../disks/blocked-hosts.ts';
import { cutOff } from '../disks/cut-off.ts';
import { CutOffStore } from '../disks/cut-off-store.ts';
import { Disks } from '../disks/disks.ts';
import { OpenedStore } from '../disks/opened-store.ts';
import { cephFenceOf } from '../fencing/ceph-fence.ts';
import type { CephFence } from '../fencing/ceph-level.ts';
import type { OperatorConfirmations } from '../fencing/operator-confirmations.ts';
import { usableConfirmation } from '../fencing/usable-confirmation.ts';
import type { RecoveryStorage } from '../recovery/recovery.ts';
import type { Storage } from '../storage/storage.ts';

interface CephMeans {
  readonly redis: Db;
  readonly keys: Keys;
  readonly inventory: InventoryStore;
  readonly confirmations: OperatorConfirmations;
  readonly log: Log;
  readonly mask: Mask;
}

/** All that asks Ceph, over one helper. Nothing is started before something is asked. */
export interface CephParts {
  readonly ceph: Storage;
  readonly disks: Disks;
  readonly storage: RecoveryStorage;
  readonly store: OpenedStore;
  /** Whom Sonny cut off. */
  readonly cuts: CutOffStore;
  /** For the fence level of that name. */
  readonly fence: CephFence;
  readonly blockedHosts: (signal: AbortSignal) => Promise<BlockedHost[]>;
  asking(cloud: Pick<Cloud, 'listServers'>): BackgroundAsking;
  close(): Promise<void>;
}

/** Null without [CEPH]. */
export function cephOf(
  { ceph: access, fencing: { timeoutMs }, monitor: rules }: Settings,
  { redis, keys, inventory, confirmations, log, mask }: CephMeans,
): CephParts | null {
  if (access === null) return null;
  const clock = systemClock;
  const ceph = new Ceph(access, { clock, log, mask });
  const { pools } = access;
  const store = new OpenedStore(redis, keys);
  const cuts = new CutOffStore(redis, keys);
  const parts = { storage: ceph, pools, store, cuts, inventory, clock };
  const disks = new Disks(parts);
  return {
    ...{ ceph, disks, store, cuts },
    fence: cephFenceOf(parts),
    blockedHosts: (signal) => blockedHosts(parts, signal),
    storage: {
      mayMove: (instance, host, signal) => disks.mayMove(instance, host, signal),
      whereOpen: (instance, signal) => disks.whereOpen(instance, signal),
      cutOff: (request) => cutOff({ ...parts, timeoutMs }, request),
      word: {
        of: (host, heardAtMs) => usableConfirmation(host, heardAtMs, { confirmations, clock, log }),
        useUp: (host) => confirmations.useUp(host),
      },
    },
    asking: (cloud) => new BackgroundAsking({ ...parts, cloud, rules, log }),
    close: () => ceph.close(),
  };
}
