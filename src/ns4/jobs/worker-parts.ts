// What the handlers of this worker are made from; wired once, in main.ts.

import type { OpenStackSettings, Settings } from '../../shared/config/settings.ts';
import type { FencingPlans } from '../../shared/documents/terms/fencing-plans.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import type { Log } from '../../shared/ground/log.ts';
import type { InventoryStore } from '../../shared/picture/store.ts';
import type { EventLog } from '../../shared/redis/event-log.ts';
import type { QuorumScan } from '../../shared/vantage-points/ask-all.ts';
import type { HeardByAny } from '../baseline/heard-by-any.ts';
import type { Look } from '../baseline/look.ts';
import type { Cloud } from '../cloud/cloud.ts';
import type { BlockedHost } from '../disks/blocked-hosts.ts';
import type { OpenedStore } from '../disks/opened-store.ts';
import type { Devices } from '../fencing/devices.ts';
import type { OwnDevices } from '../fencing/far/carry-out.ts';
import type { Fencing } from '../fencing/fencing.ts';
import type { FencingPlan } from '../fencing/plan.ts';
import type { Journals } from '../recovery/journal/journals.ts';
import type { Mover } from '../recovery/movers/mover.ts';
import type { RecoveryStorage } from '../recovery/recovery.ts';

export interface WorkerParts {
  readonly settings: Settings;
  readonly openstack: OpenStackSettings;
  readonly cloud: Cloud;
  readonly mover: Mover;
  /** Null: no proof is demanded before a recovery. */
  readonly fencing: Fencing | null;
  /** Fence devices, asked from here or through a vantage point that fences; null: no proof is demanded. */
  readonly devices: Devices | null;
  /** What this ns4 asks and tells in the stead of those that do not fence; null: it does not either. */
  readonly ownDevices: OwnDevices | null;
  /** Null: Ceph is not asked. */
  readonly storage: RecoveryStorage | null;
  /** Whose disks answered while all was well; null: Ceph is not asked. */
  readonly opened: Pick<OpenedStore, 'of'> | null;
  /** Whom Sonny cut off from Ceph, and who still is; none without [CEPH]. Rejects without Redis. */
  readonly blockedHosts: (signal: AbortSignal) => Promise<readonly BlockedHost[]>;
  /** What fencing.yaml says, where this ns4 fences by it. */
  readonly fencingPlan: FencingPlan | null;
  /** By which plans the ns4 of this cloud fence now, this one included. */
  readonly fencingPlans: () => Promise<FencingPlans>;
  readonly inventory: InventoryStore;
  /** Takes away what stands in the place of our hashes and is none. */
  readonly keepHashes: () => Promise<void>;
  readonly journals: Journals;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly log: Log;
  readonly heardByAny: HeardByAny;
  /** Which of these addresses are nobody's in the inventory. */
  readonly strangersAmong: (addresses: readonly string[]) => Promise<ReadonlySet<string>>;
  /** A scan by this process alone. */
  readonly look: Look;
  /** A scan by this process and every other vantage point of the cloud. */
  readonly lookTogether: QuorumScan['ask'];
}
