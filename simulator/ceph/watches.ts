// Who has an image open: each process watches its image's header, and answers when it is asked. One that is frozen, cut
// off or dead stays listed for half a minute, in silence; one that goes on has its watch back some seconds later, and
// may write before. The lock outlives whoever owned it.
import type { Host, Instance } from '../world/model.ts';
import type { World } from '../world/world.ts';

/** Measured: from the last ping, of which there is one in five seconds. */
const listedMs = { least: 25_700, most: 28_800 };
const againMs = { least: 200, most: 6_000 };

/** One process with one image open. */
export interface Watch {
  readonly client: string;
  readonly host: string;
  readonly address: string;
  /** Since when it does not answer; null: it is reached. */
  silentSinceMs: number | null;
  /** Reached, it answers from then on. */
  answersFromMs: number;
  listedUntilMs: number;
  /** The process is gone, and only the list remembers it. */
  isDead: boolean;
}

type Owner = Pick<Watch, 'client' | 'address' | 'host'>;

export class Watches {
  readonly #world: World;
  readonly #addressOf: (host: Host, instance: Instance) => string;
  readonly #isRefused: (instance: Instance, address: string) => boolean;
  readonly #isLocked: (instance: Instance) => boolean;
  readonly #watches = new Map<Instance, Watch[]>();
  readonly #owners = new Map<Instance, Owner>();
  /** Where each was ever open. */
  readonly #opened = new Map<Instance, Set<string>>();
  #clients = 4_100;

  constructor(
    world: World,
    addressOf: (host: Host, instance: Instance) => string,
    isRefused: (instance: Instance, address: string) => boolean,
    isLocked: (instance: Instance) => boolean,
  ) {
    this.#world = world;
    this.#addressOf = addressOf;
    this.#isRefused = isRefused;
    this.#isLocked = isLocked;
  }

  /** Something may have started, ended, frozen, or lost or found its network. */
  follow(): void {
    for (const instance of this.#world.instances) this.#follow(instance);
  }

  /** All processes open their images anew, from the addresses that they have by now. */
  reopen(): void {
    this.#watches.clear();
    this.#owners.clear();
    this.follow();
  }

  /** Whoever is listed with it, whether or not it answers. */
  listed(instance: Instance): readonly Watch[] {
    this.#follow(instance);
    const { nowMs } = this.#world;
    return (this.#watches.get(instance) ?? []).filter(
      (watch) =>
        (answers(watch, nowMs) || nowMs < watch.listedUntilMs) && !this.#isRefused(instance, watch.address),
    );
  }

  answering(instance: Instance): readonly Watch[] {
    return this.listed(instance).filter((watch) => answers(watch, this.#world.nowMs));
  }

  /** Did any process there ever have it open? */
  everOpen(instance: Instance, host: string): boolean {
    return this.#opened.get(instance)?.has(host) === true;
  }

  /** Who took its lock last; null: it was given back, or never taken. */
  owner(instance: Instance): Owner | null {
    this.#follow(instance);
    return this.#owners.get(instance) ?? null;
  }

  #follow(instance: Instance): void {
    const { nowMs } = this.#world;
    const before = this.#watches.get(instance) ?? [];
    const left = before.filter((watch) => this.#stays(watch, instance));
    for (const name of instance.runningOn) {
      const host = this.#world.host(name);
      if (!host.powered || left.some((watch) => watch.host === name && !watch.isDead)) continue;
      left.push(this.#open(instance, host));
    }
    for (const watch of left) {
      const isReached = !watch.isDead && carries(this.#world.host(watch.host));
      if (isReached && watch.silentSinceMs !== null) {
        watch.silentSinceMs = null;
        watch.answersFromMs = nowMs + this.#world.chance.between(againMs.least, againMs.most);
      } else if (!isReached && watch.silentSinceMs === null) {
        watch.silentSinceMs = nowMs;
        watch.listedUntilMs = nowMs + this.#world.chance.between(listedMs.least, listedMs.most);
      }
    }
    this.#watches.set(instance, left);
  }

  /** Closed in order it is gone at once, its lock too; what lost its power is listed on. */
  #stays(watch: Watch, instance: Instance): boolean {
    const host = this.#world.host(watch.host);
    if (!host.powered) watch.isDead = true;
    if (watch.isDead) return watch.silentSinceMs === null || this.#world.nowMs < watch.listedUntilMs;
    if (instance.runningOn.has(watch.host)) return true;
    if (this.#owners.get(instance)?.client === watch.client) this.#owners.delete(instance);
    return false;
  }

  #open(instance: Instance, host: Host): Watch {
    this.#clients += 1;
    this.#opened.set(instance, (this.#opened.get(instance) ?? new Set()).add(host.name));
    const watch = {
      client: `client.${this.#clients}`,
      host: host.name,
      address: this.#addressOf(host, instance),
      silentSinceMs: null,
      answersFromMs: this.#world.nowMs,
      listedUntilMs: 0,
      isDead: false,
    };
    if (this.#isLocked(instance) && !this.#isRefused(instance, watch.address))
      this.#owners.set(instance, watch);
    return watch;
  }
}

const answers = ({ silentSinceMs, answersFromMs }: Watch, nowMs: number): boolean =>
  silentSinceMs === null && nowMs >= answersFromMs;

/** Does the network of its storage have a living machine behind it? */
const carries = (host: Host): boolean => host.powered && host.up.kernel && !host.frozen && !host.cut.storage;
