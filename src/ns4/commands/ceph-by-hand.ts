// The level `ceph` by hand: asked, cut off, lifted. It needs Redis, which knows from where a host opens its disks.
import type { OpenStackSettings, Settings } from '../../shared/config/settings.ts';
import { answerWithin, type Clock } from '../../shared/ground/clock.ts';
import { errorText, UsageError } from '../../shared/ground/errors.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import { noServers } from '../../shared/picture/reading.ts';
import type { InventoryStore } from '../../shared/picture/store.ts';
import type { Cloud } from '../cloud/cloud.ts';
import type { CutOffStore } from '../disks/cut-off-store.ts';
import { rebooted } from '../disks/rebooted.ts';
import { type CephFence, cutText } from '../fencing/ceph-level.ts';
import { look } from '../fencing/level.ts';
import type { CephParts } from '../jobs/ceph.ts';
import { openThere } from '../recovery/guests-still-there.ts';
import { copiesLeft } from './copies-left.ts';
import { bootOf, type LiftParts, lift } from './lift.ts';
import type { Recoveries } from './recoveries.ts';
import type { Tried } from './try-out.ts';

export interface CephByHandParts extends Omit<LiftParts, 'cuts' | 'levels' | 'doubt' | 'ask'> {
  readonly fence: CephFence;
  readonly cuts: Pick<CutOffStore, 'all' | 'forget' | 'noteSeenOff'>;
  readonly clock: Clock;
  /** With the instances of this host; null: there is no inventory. */
  inventory(host: string): Promise<Picture | null>;
}

/** Wired. `uptime`: as the cloud tells it. */
export function cephByHand(
  { ceph, fence, store, cuts }: CephParts,
  {
    settings,
    openstack: { method },
    recoveries,
    inventory,
    clock,
    stop: signal,
  }: {
    readonly settings: Settings;
    readonly openstack: Pick<OpenStackSettings, 'method'>;
    readonly recoveries: Recoveries;
    readonly inventory: InventoryStore;
    readonly clock: Clock;
    readonly stop: AbortSignal;
  },
  cloud: Pick<Cloud, 'readUptime' | 'listEvacuations' | 'listServers' | 'readServer'>,
): CephByHand {
  return new CephByHand({
    ...{ storage: ceph, fence, store, cuts, look, clock, signal, ...recoveries },
    timeoutMs: settings.fencing.timeoutMs,
    inventory: (host) => inventory.read(() => ({ ...noServers, hosts: [host] })),
    uptime: (host) =>
      answerWithin(clock, cloudMs, cloud.readUptime(host, signal)).catch(() => {
        signal.throwIfAborted();
        return null;
      }),
    copiesLeft: (host) => copiesLeft(host, { method, cloud, clock, signal }),
  });
}

/** Its nova-compute is asked through Nova. */
const cloudMs = 20_000;
/** Redis is not waited for longer: somebody is at the terminal. */
const redisMs = 5_000;

export class CephByHand {
  readonly #parts: CephByHandParts;

  constructor(parts: CephByHandParts) {
    this.#parts = parts;
  }

  /** Is it cut off? Well: that could be told. */
  async status(host: string): Promise<Tried> {
    const { fence, timeoutMs, signal, clock } = this.#parts;
    return this.#told(async () => {
      const asked = fence.stillCut(host, null, timeoutMs, signal);
      const { says, said } = await answerWithin(clock, timeoutMs + redisMs, asked);
      if (says === 'unknown') return { well: false, text: said };
      return says === 'off'
        ? { well: true, text: `cut off from Ceph (${said})`, isOff: true }
        : { well: true, text: `not cut off from Ceph (${said})` };
    });
  }

  /** Well: it is proven that the host writes to none of its disks. */
  async off(host: string): Promise<Tried> {
    const { fence, timeoutMs, signal, clock, inventory } = this.#parts;
    return this.#told(async () => {
      const picture = await answerWithin(clock, redisMs, inventory(host));
      if (picture === null) return { well: false, text: 'there is no inventory, so nobody knows its disks' };
      const instances = openThere(host, picture, null);
      const result = await fence.cutOff({
        ...{ host, instances, timeoutMs, signal },
        beforeBlocking: async () => {},
      });
      return result.done
        ? { well: true, text: `cut off from Ceph (${cutText(result.addresses)})` }
        : { well: false, text: `not proven to be cut off from Ceph: ${result.why}` };
    });
  }

  /** Lifts its entries. Rejects as `ask` does. */
  on(host: string, by: Pick<LiftParts, 'levels' | 'doubt' | 'ask'>): Promise<Tried> {
    return this.#told(() => lift(host, { ...this.#parts, ...by }));
  }

  /** Why it is certain that it runs since before it was cut off, by its uptime; null: it is not. Never rejects. */
  async runsSince(host: string): Promise<string | null> {
    const { cuts, clock } = this.#parts;
    const all = await answerWithin(clock, redisMs, cuts.all()).catch(() => null);
    const cut = all?.get(host);
    if (cut === undefined) return null;
    const found = rebooted({ ...cut, seenOff: null }, [], await bootOf(host, this.#parts));
    return found.kind === 'no' ? found.why : null;
  }

  /** A device shows that the host is off: when its entries are to be lifted, that counts. Never rejects. */
  async sawOff(host: string, by: string): Promise<void> {
    const { cuts, clock } = this.#parts;
    const noted = cuts.noteSeenOff(host, { atMs: clock.nowMs(), by });
    await answerWithin(clock, redisMs, noted).catch(() => undefined);
  }

  /** Without Redis, or the inventory in it, nothing can be told: no reason to end before the other levels are tried. */
  async #told(asked: () => Promise<Tried>): Promise<Tried> {
    try {
      return await asked();
    } catch (error) {
      this.#parts.signal.throwIfAborted();
      if (error instanceof UsageError) throw error;
      return { well: false, text: errorText(error) };
    }
  }
}
