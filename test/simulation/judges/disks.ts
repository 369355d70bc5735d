// Judges what is done on a cloud whose disks are on Ceph: nothing to a host whose disks answer, nothing moved that could
// still be written to, and nobody cut off who lives. By who truly has what open.
import type { PretendCeph } from '../../../simulator/ceph/ceph.ts';
import type { Host, Instance } from '../../../simulator/world/model.ts';
import { copiesOf } from '../../../simulator/world/physics.ts';
import type { SeenAddress } from '../../../src/ns4/disks/address-book.ts';
import type { World } from '../world/world.ts';
import { must } from './violation.ts';

/** Disks that answer for so long have told everybody who asked. */
const noticedWithinMs = 60_000;
/** The look at an instance's disks is the last thing before its request, and may have been slow. */
const lookedWithinMs = 10_000;
/** The last look at the blocklist that a request may leave on, and a request's own way. */
const confirmedWithinMs = 25_000;
/** From the look at its entries to their being set anew. */
const lookAtEntriesMs = 15_000;

const liftedWithCopies = 'no entry is lifted while copies of what was moved run there';

/** Who blocks, and on what grounds. */
export interface Blocking {
  /** The worker's own. */
  readonly scan: string;
  /** It is to be the proof. */
  readonly isLevel: boolean;
  /** Of the worker's order about this host; null: it has none. */
  incidentOf(host: string): string | null;
}

interface Entry {
  readonly host: string;
  readonly atMs: number;
  /** Of the order that it was set or lifted in; null: of none. */
  readonly incident: string | null;
}

/** What Nova has running there, with nothing under way. */
const runs = ({ vmState, taskState, evacuationsStarted }: Instance): boolean =>
  vmState === 'active' && taskState === null && evacuationsStarted === 0;

export class Disks {
  readonly #world: World;
  readonly #ceph: PretendCeph;
  /** Since when some disk of a host is answered for from there, and could be asked. */
  readonly #openSince = new Map<string, number>();
  /** Since when an instance's disk is answered for, by anybody, and could be asked. */
  readonly #answeredSince = new Map<Instance, number>();
  /** Did disks of a host answer whoever scanned last? By the scan's job and the host. */
  readonly #openAt = new Map<string, boolean>();
  /** When somebody, or a device, said last that a host is off. */
  readonly #provenMs = new Map<string, number>();
  /** Hosts of which the last proof is that Ceph keeps them out: they may well have power. */
  readonly #vouched = new Set<string>();
  /** When an address was blocked last. */
  readonly #blocked = new Map<string, Entry>();
  /** When the entry of an address was lifted, after it had been a proof. */
  readonly #lifted = new Map<string, Entry>();
  /** When somebody took the entries of a host away by Ceph's own means. */
  readonly #removedMs = new Map<string, number>();

  constructor(world: World, ceph: PretendCeph) {
    this.#world = world;
    this.#ceph = ceph;
  }

  /** Somebody, or a device, says that it is off. A shot that nobody answered for is no proof. */
  proved(host: string): void {
    this.#vouched.delete(host);
    this.#provenMs.set(host, this.#world.nowMs);
  }

  /** Something may have begun or ceased to answer. */
  follow(): void {
    for (const instance of this.#world.instances) {
      const isAsked = this.#ceph.hearsOpeners && this.#ceph.isServed(instance);
      const isOpen = isAsked && this.#ceph.watches.answering(instance).length > 0;
      keep(this.#answeredSince, instance, isOpen, this.#world.nowMs);
    }
    const open = new Set(this.#ceph.answersLost ? [] : this.open());
    for (const name of this.#world.hosts.keys())
      keep(this.#openSince, name, open.has(name), this.#world.nowMs);
  }

  /** Hosts whose disks answer whoever asks now, whether or not the answer gets to him: others' answers tell whether it does. An address that others have as well is nobody's. */
  open(): readonly string[] {
    const { watches, hidden } = this.#ceph;
    const names = this.#world.instances
      .filter((instance) => runs(instance) && this.#ceph.isServed(instance))
      .filter((instance) => watches.answering(instance).some(({ host }) => host === instance.host))
      .map(({ host }) => host ?? '');
    const shared = new Set([...hidden].flat());
    return [...new Set(names)].filter((name) => !shared.has(name));
  }

  /** A scan that asked for the disks of these hosts; those of `open` answered all the time. */
  scanned(jobId: string, asked: readonly string[], open: readonly string[]): void {
    for (const host of asked) this.#openAt.set(`${jobId} ${host}`, open.includes(host));
  }

  /** `jobId`: of the scan that its verdict rests on. */
  begins(dead: string, jobId: string): void {
    const isOpen = this.#openAt.get(`${jobId} ${dead}`) === true;
    must(!isOpen, 'nothing begins while disks of the host answer', dead);
    // Whoever answered since is another story: what was said of him then proves nothing.
    if (this.#world.host(dead).mutedSinceMs > (this.#provenMs.get(dead) ?? 0)) this.#provenMs.delete(dead);
  }

  forcesDown({ name }: Host): void {
    this.follow();
    must(!this.#isLong(name), 'no host whose disks answer is forced down', name);
  }

  /** These addresses are about to be blocked, as those of some host that is to be cut off: by what was seen, of these. */
  blocks(
    addresses: readonly string[],
    seen: readonly SeenAddress[],
    { scan, isLevel, incidentOf }: Blocking,
  ): Host[] {
    const { hosts, nowMs } = this.#world;
    // Those of a second Sonny hear of nothing in between.
    this.follow();
    return addresses.flatMap((address) => {
      const names = seen.filter((one) => one.address === address).map(({ host }) => host);
      const owners = [...new Set(names)];
      must(owners.length <= 1, 'no address of several hosts is blocked', `${address} of ${owners.join()}`);
      return owners.flatMap((name) => {
        const host = hosts.get(name);
        if (host === undefined) return [];
        const isSeen = this.#openAt.get(`${scan} ${name}`) === true;
        must(!isSeen && !this.#isLong(name), 'no host whose disks answer is cut off', name);
        const incident = incidentOf(name);
        if (isLevel) this.#isNotLifted(address, name, incident);
        this.#blocked.set(address, { host: name, atMs: nowMs, incident });
        return [host];
      });
    });
  }

  /** Whoever lifted its entries has it in his hands: he must not find it cut off anew. */
  #isNotLifted(address: string, host: string, incident: string | null): void {
    const lifted = this.#lifted.get(address);
    if (lifted === undefined || incident === null || lifted.incident !== incident) return;
    const isNewer = (this.#provenMs.get(host) ?? 0) > lifted.atMs;
    const isKnown = this.#world.nowMs - lifted.atMs > lookAtEntriesMs;
    must(!isKnown || isNewer, 'no host is cut off again after its entries were lifted', host);
  }

  /** Redis lost what was noted of them. */
  redisLost(): void {
    this.#lifted.clear();
  }

  /** Sonny is about to lift these. */
  unblocks(addresses: readonly string[]): void {
    const left = addresses.flatMap((address) => this.#ofThePast(address));
    must(left.length === 0, 'no entry is lifted while a guest of before is left', left.join());
    this.#noteLifted(addresses);
  }

  /** What runs elsewhere by now would have a second writer at once. */
  isFreeOfCopies(addresses: readonly string[]): void {
    must(this.copiesAt(addresses).length === 0, liftedWithCopies, this.copiesAt(addresses).join());
  }

  /** Instances of which a copy runs on a host with one of these addresses, beside the one that was evacuated. */
  copiesAt(addresses: readonly string[]): string[] {
    const isThere = (instance: Instance) =>
      copiesOf(this.#world, instance).some((name) =>
        addresses.includes(this.#ceph.addressOf(this.#world.host(name), instance)),
      );
    return this.#world.instances
      .filter((instance) => instance.runningOn.size > 1 && isThere(instance))
      .map(({ name }) => name);
  }

  /** Somebody took all entries of this host away, by Ceph's own means and without a look. */
  removed(addresses: readonly string[], host: string): void {
    this.#removedMs.set(host, this.#world.nowMs);
    this.#noteLifted(addresses);
  }

  /** Is nothing left of what ran there before it was cut off? */
  isFreeOfThePast(addresses: readonly string[]): boolean {
    return addresses.every((address) => this.#ofThePast(address).length === 0);
  }

  /** Guests that run since before the address was blocked, by whatever they have open. */
  #ofThePast(address: string): string[] {
    const blockedMs = this.#blocked.get(address)?.atMs ?? Number.NEGATIVE_INFINITY;
    return this.#world.instances.flatMap((instance) =>
      copiesOf(this.#world, instance)
        .filter((name) => this.#ceph.addressOf(this.#world.host(name), instance) === address)
        .filter((name) => (instance.startedMs.get(name) ?? 0) <= blockedMs)
        .map((name) => `${instance.name} on ${name}`),
    );
  }

  #noteLifted(addresses: readonly string[]): void {
    for (const address of addresses) {
      const entry = this.#blocked.get(address);
      // What was never done may be done anew.
      if (entry !== undefined && this.#vouched.has(entry.host))
        this.#lifted.set(address, { ...entry, atMs: this.#world.nowMs });
    }
  }

  /** A fence level shows that it is cut off. */
  provedCutOff(host: string): void {
    this.#vouched.add(host);
    for (const instance of this.#world.instancesOn(host)) {
      if (instance.evacuationsStarted > 0 || !copiesOf(this.#world, instance).includes(host)) continue;
      const isKeptOut = this.#ceph.isKeptOut(instance, host);
      must(isKeptOut, 'no host is proven cut off that can write', `${instance.name} of ${host}`);
    }
  }

  /** A request for an evacuation leaves its worker. */
  asked(guest: Instance, source: Host): void {
    const detail = `${guest.name} of ${source.name}`;
    this.follow();
    const sinceMs = this.#answeredSince.get(guest) ?? Number.POSITIVE_INFINITY;
    must(
      this.#world.nowMs - sinceMs <= lookedWithinMs,
      'no instance is asked for while its disk answers',
      detail,
    );
    must(
      !this.#ceph.watches.everOpen(guest, source.name) ||
        this.#ceph.isKeptOut(guest, source.name) ||
        this.#provenMs.has(source.name) ||
        this.isJustRemoved(source.name),
      'no instance is asked for before its host is cut off or proven off',
      detail,
    );
  }

  /** Of these that write together one is the new owner; that those proven off write nobody could know. */
  isExcused(writers: readonly string[]): boolean {
    const isExcused = (name: string) => this.#provenMs.has(name) || this.#removedMs.has(name);
    return writers.filter((name) => !isExcused(name)).length <= 1;
  }

  /** Is all that is known of it that Ceph keeps it out? */
  isCutOffOnly(host: string): boolean {
    return this.#vouched.has(host);
  }

  /** Nobody could know yet that its entries are gone. */
  isJustRemoved(host: string): boolean {
    const removedMs = this.#removedMs.get(host) ?? Number.NEGATIVE_INFINITY;
    return this.#world.nowMs - removedMs <= confirmedWithinMs;
  }

  #isLong(host: string): boolean {
    const sinceMs = this.#openSince.get(host) ?? Number.POSITIVE_INFINITY;
    return this.#world.nowMs - sinceMs > noticedWithinMs;
  }
}

function keep<K>(since: Map<K, number>, key: K, isSo: boolean, nowMs: number): void {
  if (!isSo) since.delete(key);
  else if (!since.has(key)) since.set(key, nowMs);
}
