// From which addresses hypervisors open disks: learned from instances that Nova has on the host right before their disks
// are asked, and still right afterwards. The inventory's word may be ten minutes old: an instance that was live-migrated
// since would teach another host's address, and whoever is cut off by that is the wrong one.
import type { Server } from '../../shared/documents/inventory.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import { errorText } from '../../shared/ground/errors.ts';
import type { Log } from '../../shared/ground/log.ts';
import { standingOf } from '../../shared/rules/guests.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { type AskedWord, askInstances } from '../disks/ask-instances.ts';
import type { OpenedStore } from '../disks/opened-store.ts';
import type { Storage } from '../storage/storage.ts';

/** A host that was learned from is asked again so much later… */
const againMs = 1_800_000;
/** …and one from which nothing could be learned. */
const retryMs = 60_000;
/** An instance that was launched later may still have a former owner. */
const settledMs = 120_000;
const mostHosts = 8;
/** All of a host, as a rule: one may have been opened from another address than the others. */
const mostInstances = 256;

interface AddressLearnerParts {
  readonly storage: Pick<Storage, 'ask'>;
  readonly pools: readonly string[];
  readonly store: Pick<OpenedStore, 'learn'>;
  readonly cloud: Pick<Cloud, 'listServers'>;
  /** Is all well with a host now, as far as it can be seen? */
  isWell(host: string, nowMs: number): boolean;
  readonly clock: Clock;
  readonly log: Log;
}

export class AddressLearner {
  readonly #parts: AddressLearnerParts;
  /** When hosts with disks on this Ceph are to be asked, in steady time. */
  readonly #dueAtMs = new Map<string, number>();

  constructor(parts: AddressLearnerParts) {
    this.#parts = parts;
  }

  /** Disks of this host answered. */
  offer(host: string): void {
    if (!this.#dueAtMs.has(host)) this.#dueAtMs.set(host, Number.NEGATIVE_INFINITY);
  }

  /** Only these hosts have instances. */
  keep(isWanted: (host: string) => boolean): void {
    for (const host of this.#dueAtMs.keys()) if (!isWanted(host)) this.#dueAtMs.delete(host);
  }

  /** Learns from some of those whose turn it is; false when it was nobody's. Rejects with the signal's reason only. */
  async turn(signal: AbortSignal): Promise<boolean> {
    const { clock, log, isWell } = this.#parts;
    const [steadyMs, nowMs] = [clock.steadyMs(), clock.nowMs()];
    // One of which nobody knows now whether all is well stays due: the next inventory tells, and it may be asked for as
    // regularly as this would be tried again.
    const due = [...this.#dueAtMs]
      .filter(([host, atMs]) => atMs <= steadyMs && isWell(host, nowMs))
      .slice(0, mostHosts);
    await Promise.all(
      due.map(async ([host]) => {
        const isLearned = await this.#learn(host, signal).catch((error) => {
          signal.throwIfAborted();
          log.info({ host, error: errorText(error) }, 'its storage address cannot be learned for now');
          return false;
        });
        this.#dueAtMs.set(host, clock.steadyMs() + (isLearned ? againMs : retryMs));
      }),
    );
    return due.length > 0;
  }

  async #learn(host: string, signal: AbortSignal): Promise<boolean> {
    const { storage, pools, store, cloud, clock, isWell } = this.#parts;
    const before = (await cloud.listServers(signal, host)).filter(
      (server) => isAt(server, host) && isSettled(server, clock.nowMs()),
    );
    const words = await askInstances(storage, pools, before.slice(0, mostInstances), signal);
    const after = new Set(
      (await cloud.listServers(signal, host)).filter((server) => isAt(server, host)).map(({ id }) => id),
    );
    const nowMs = clock.nowMs();
    if (!isWell(host, nowMs)) return false;
    const addresses = new Set([...words].flatMap(([id, word]) => (after.has(id) ? onlyAddressOf(word) : [])));
    await store.learn(
      [...addresses].map((address) => ({ host, address })),
      nowMs,
    );
    return addresses.size > 0;
  }
}

const isAt = (server: Server, host: string): boolean =>
  server.host === host && standingOf(server).tells === 'testifies';

const isSettled = ({ launchedAtMs }: Server, nowMs: number): boolean =>
  launchedAtMs !== null && nowMs - launchedAtMs >= settledMs;

/** With two openers it is in migration, whatever Nova says. */
function onlyAddressOf({ disks }: AskedWord): string[] {
  const openers = disks.flat();
  const [address, ...more] = new Set(openers.map((opener) => opener.address));
  const isClear = more.length === 0 && openers.every(({ answered }) => answered);
  return isClear && address !== undefined && address !== null ? [address] : [];
}
