// The port Storage over the pretend Ceph, for one process that asks it.
import {
  type AskedImage,
  type Barrier,
  type Blocklist,
  type ByImage,
  type CannotTell,
  type Changed,
  cannotTell,
  type ImageClients,
  type Limits,
  openersMs,
  type Storage,
  type StorageFacts,
} from '../../src/ns4/storage/storage.ts';
import type { Instance } from '../world/model.ts';
import { type PretendCeph, pool } from './ceph.ts';
import type { Watch } from './watches.ts';

/** The process that asks: an answer is worked out when it is due, and never comes to one that was killed. */
export interface Asker {
  answer<T>(afterMs: number, make: () => T): Promise<T>;
}

/** Is told of every change of the blocklist as it is sent. */
export interface BlocklistWatcher {
  blocks(addresses: readonly string[]): void;
  unblocks(addresses: readonly string[]): void;
}

const nobody: BlocklistWatcher = { blocks: () => {}, unblocks: () => {} };
const silence = cannotTell('Ceph did not answer in time');
/** Between two tries of a barrier on an OSD that does not answer. */
const tryAgainMs = 500;

export class PretendStorage implements Storage {
  readonly #ceph: PretendCeph;
  readonly #asker: Asker;
  readonly #watcher: BlocklistWatcher;

  constructor(ceph: PretendCeph, asker: Asker, watcher: BlocklistWatcher = nobody) {
    this.#ceph = ceph;
    this.#asker = asker;
    this.#watcher = watcher;
  }

  ask(images: readonly string[], limits: Limits): Promise<ByImage<AskedImage>> {
    const { watches, world } = this.#ceph;
    const isAnswering = (instance: Instance, watch: Watch) =>
      watches.answering(instance).includes(watch) && !this.#ceph.isMissed(watch);
    const isWaitedFor = (image: string) => {
      const instance = this.#ceph.instanceOf(image);
      return (
        instance !== undefined && watches.listed(instance).some((watch) => !isAnswering(instance, watch))
      );
    };
    const tookMs = images.some(isWaitedFor) ? openersMs : world.chance.between(1, 20);
    return this.#byImage(images, tookMs, limits, (instance) => ({
      kind: 'asked',
      openers: watches.listed(instance).map((watch) => ({
        ...clientOf(watch),
        answered: isAnswering(instance, watch),
      })),
    }));
  }

  watchers(images: readonly string[], limits: Limits): Promise<ByImage<ImageClients>> {
    return this.#byImage(images, 20, limits, (instance) => ({
      kind: 'known',
      clients: this.#ceph.watches.listed(instance).map(clientOf),
    }));
  }

  locks(images: readonly string[], limits: Limits): Promise<ByImage<ImageClients>> {
    return this.#byImage(images, 20, limits, (instance) => {
      const owner = this.#ceph.watches.owner(instance);
      return { kind: 'known', clients: owner === null ? [] : [clientOf(owner)] };
    });
  }

  block(addresses: readonly string[], seconds: number, limits: Limits): Promise<Changed> {
    this.#watcher.blocks(addresses);
    return this.#change(limits, () => {
      for (const address of addresses) this.#ceph.block(address, seconds * 1_000);
      this.#ceph.world.tell(`Ceph blocks ${addresses.join(', ')}`);
    });
  }

  unblock(addresses: readonly string[], limits: Limits): Promise<Changed> {
    this.#watcher.unblocks(addresses);
    return this.#change(limits, () => {
      for (const address of addresses) this.#ceph.blocklist.remove(address);
      this.#ceph.world.tell(`Ceph blocks ${addresses.join(', ')} no longer`);
    });
  }

  blocklist(limits: Limits): Promise<Blocklist> {
    if (!this.#isAgreed) return this.#within(limits.timeoutMs, limits, () => silence);
    const { blocklist } = this.#ceph;
    return this.#within(30, limits, () => ({
      kind: 'listed',
      epoch: blocklist.epoch,
      entries: blocklist.entries.map(({ address, expiresAtMs }) => ({
        ...{ entry: `${address}:0/0`, range: false, expiresAtMs },
      })),
    }));
  }

  async barrier(limits: Limits): Promise<Barrier> {
    const ceph = this.#ceph;
    const { blocklist, world } = ceph;
    for (let tookMs = world.chance.between(15, 250); tookMs <= limits.timeoutMs; tookMs += tryAgainMs) {
      await this.#within(Math.min(tookMs, tryAgainMs), limits, () => undefined);
      if (!ceph.isWell) continue;
      blocklist.passBarrier();
      return { kind: 'passed', epoch: blocklist.epoch, placementGroups: 32, tookMs };
    }
    return silence;
  }

  facts(limits: Limits): Promise<StorageFacts | CannotTell> {
    return this.#within(20, limits, () => ({
      ...{ kind: 'known', version: 'pretend', fsid: 'pretend', epoch: this.#ceph.blocklist.epoch },
      ...{ pools: [{ name: pool, placementGroups: 32 }], problems: [] },
    }));
  }

  async close(): Promise<void> {}

  get #isAgreed(): boolean {
    return !this.#ceph.isAway && !this.#ceph.monitorsHang;
  }

  /** Agreed on within a second; what hangs may be done after all when the monitors go on. */
  #change(limits: Limits, make: () => void): Promise<Changed> {
    const { world } = this.#ceph;
    const done: Changed = { kind: 'done' };
    if (this.#isAgreed) {
      const tookMs = world.chance.between(100, 1_000);
      world.after(tookMs - 50, make);
      return this.#within(tookMs, limits, () => done);
    }
    if (!this.#ceph.isAway && world.chance.between(0, 1) === 0) this.#whenAgreed(make);
    return this.#within(limits.timeoutMs, limits, () => silence);
  }

  #whenAgreed(make: () => void): void {
    this.#ceph.world.after(2_000, () => (this.#isAgreed ? make() : this.#whenAgreed(make)));
  }

  /** An image on an OSD that does not answer makes the call as long as it may be; the others have their answers. */
  #byImage<T extends AskedImage | ImageClients>(
    images: readonly string[],
    tookMs: number,
    limits: Limits,
    answer: (instance: Instance) => T,
  ): Promise<ByImage<T | CannotTell | { readonly kind: 'absent' }>> {
    const ceph = this.#ceph;
    const unserved = new Set(
      images.filter((image) => {
        const instance = ceph.instanceOf(image);
        return ceph.isAway || (instance !== undefined && !ceph.isServed(instance));
      }),
    );
    return this.#within(unserved.size > 0 ? limits.timeoutMs : tookMs, limits, () => {
      const found = images.map((image) => {
        const instance = ceph.instanceOf(image);
        if (unserved.has(image)) return [image, silence] as const;
        if (instance === undefined) return [image, { kind: 'absent' }] as const;
        return [image, ceph.isServed(instance) ? answer(instance) : silence] as const;
      });
      return new Map<string, T | CannotTell | { readonly kind: 'absent' }>(found);
    });
  }

  #within<T>(afterMs: number, { signal }: Limits, make: () => T): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#asker.answer(afterMs, make).then(
        (made) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(made);
        },
        (error) => {
          signal?.removeEventListener('abort', onAbort);
          reject(error);
        },
      );
    });
  }
}

const clientOf = ({ client, address }: Pick<Watch, 'client' | 'address'>) => ({
  ...{ client, cookie: '1', address },
});
