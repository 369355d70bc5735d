// Judges what is done on a cloud whose disks are on Ceph: nothing to a host whose disks answer, nothing moved that could
// still be written to, and nobody cut off who lives. By who truly has what open.
import type { PretendCeph } from '../../../simulator/ceph/ceph.ts';
import type { Host, Instance } from '../../../simulator/world/model.ts';
import type { World } from '../world/world.ts';
import { must } from './violation.ts';

/** Disks that answer for so long have told everybody who asked. */
const noticedWithinMs = 60_000;
/** The look at an instance's disks is the last thing before its request, and may have been slow. */
const lookedWithinMs = 10_000;

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

  constructor(world: World, ceph: PretendCeph) {
    this.#world = world;
    this.#ceph = ceph;
  }

  /** Somebody, or a device, says that it is off. A shot that nobody answered for is no proof. */
  proved(host: string): void {
    this.#provenMs.set(host, this.#world.nowMs);
  }

  /** Something may have begun or ceased to answer. */
  follow(): void {
    for (const instance of this.#world.instances) {
      const isAsked = this.#ceph.isServed(instance);
      const isOpen = isAsked && this.#ceph.watches.answering(instance).length > 0;
      keep(this.#answeredSince, instance, isOpen, this.#world.nowMs);
    }
    const open = new Set(this.open());
    for (const name of this.#world.hosts.keys())
      keep(this.#openSince, name, open.has(name), this.#world.nowMs);
  }

  /** Hosts whose disks answer whoever asks now. An address that others have as well is nobody's. */
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
    must(!this.#isLong(name), 'no host whose disks answer is forced down', name);
  }

  /** These addresses are about to be blocked, as those of some host that is to be cut off; `scan`: the worker's own. */
  blocks(addresses: readonly string[], known: ReadonlyMap<string, ReadonlySet<string>>, scan: string): void {
    const { hosts } = this.#world;
    for (const address of addresses) {
      const owners = known.get(address) ?? new Set();
      must(owners.size <= 1, 'no address of several hosts is blocked', `${address} of ${[...owners].join()}`);
      for (const name of owners) {
        if (!hosts.has(name)) continue;
        const isSeen = this.#openAt.get(`${scan} ${name}`) === true;
        must(!isSeen && !this.#isLong(name), 'no host whose disks answer is cut off', name);
      }
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
      this.#ceph.isKeptOut(guest, source.name) || this.#provenMs.has(source.name),
      'no instance is asked for before its host is cut off or proven off',
      detail,
    );
  }

  /** Of these that write together one is the new owner; that those proven off write nobody could know. */
  isExcused(writers: readonly string[]): boolean {
    return writers.filter((name) => !this.#provenMs.has(name)).length <= 1;
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
