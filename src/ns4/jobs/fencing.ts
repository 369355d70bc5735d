// What follows from [FENCING] and [SCAN] fences, wired: what proves hosts off, by devices that are asked from here or
// through a vantage point that fences, and what this ns4 does for those that do not.
import type { Settings } from '../../shared/config/settings.ts';
import { systemClock } from '../../shared/ground/clock.ts';
import type { Log } from '../../shared/ground/log.ts';
import { Channel, fenceQueue } from '../../shared/jobs/queue.ts';
import type { Db } from '../../shared/redis/db.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import type { Trust } from '../../shared/trust/trust.ts';
import type { VantagePointRegistry } from '../../shared/vantage-points/registry.ts';
import type { Bystanders } from '../fencing/bystanders.ts';
import type { CephFence } from '../fencing/ceph-level.ts';
import { type Devices, devicesOf } from '../fencing/devices.ts';
import type { OwnDevices } from '../fencing/far/carry-out.ts';
import { farDevices } from '../fencing/far/far-devices.ts';
import { RedisFenceOrders } from '../fencing/far/orders.ts';
import { createFencing, type Fencing } from '../fencing/fencing.ts';
import type { OperatorConfirmations } from '../fencing/operator-confirmations.ts';
import type { FencingPlan } from '../fencing/plan.ts';
import { planHash } from '../fencing/plan-hash.ts';
import { RedisShots } from '../fencing/shots.ts';

interface FencingMeans {
  readonly cloud: string;
  readonly redis: Db;
  readonly keys: Keys;
  /** Seals what is asked of others, and judges what they ask and answer. */
  readonly trust: Trust;
  readonly registry: Pick<VantagePointRegistry, 'list'>;
  readonly confirmations: OperatorConfirmations;
  readonly bystanders: Bystanders;
  /** Null: no [CEPH]. Of this ns4, also where it has no way to the devices. */
  readonly ceph: CephFence | null;
  readonly log: Log;
}

export interface FencingOfNs4 {
  /** Null: no proof is demanded. */
  readonly fencing: Fencing | null;
  readonly devices: Devices | null;
  /** What fencing.yaml says, where this ns4 fences by it. */
  readonly fencingPlan: FencingPlan | null;
  /** What it does for others; null: it does not fence. */
  readonly ownDevices: OwnDevices | null;
  close(): Promise<void>;
}

/** `plan` null: this ns4 does not fence. Required and neither must never become "no fencing". */
export function fencingOf(settings: Settings, plan: FencingPlan | null, means: FencingMeans): FencingOfNs4 {
  const { mode, timeoutMs } = settings.fencing;
  const { cloud, redis, keys, trust, registry, confirmations, bystanders, ceph, log } = means;
  const clock = systemClock;
  if (mode === 'none')
    return { fencing: null, devices: null, fencingPlan: null, ownDevices: null, close: async () => {} };
  const orders = new RedisFenceOrders(redis, keys, trust);
  const shots = new RedisShots(redis, keys);
  const over = (devices: Devices) =>
    createFencing({ devices, confirmations, shots, bystanders, ceph, timeoutMs, clock, log });
  if (settings.scan.fences) {
    if (plan === null) throw new Error('settings were read without fencing.yaml for "mode = required"');
    const devices = devicesOf(plan, clock);
    const { name } = settings.scan;
    const ownDevices = { name, plan: planHash(plan), devices, orders, clock };
    return { fencing: over(devices), devices, fencingPlan: plan, ownDevices, close: async () => {} };
  }
  const queue = new Channel(fenceQueue, settings.redis, cloud, trust, log, null);
  const devices = farDevices({ queue, orders, registry, clock });
  const close = () => queue.close();
  return { fencing: over(devices), devices, fencingPlan: null, ownDevices: null, close };
}
