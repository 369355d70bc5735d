// The pretend Ceph that has the disks of all instances of a pretend cloud: an image for each, an address for each host,
// three OSDs that hear of its blocklist in their own time, and troubles of its own. As measured on a real one.
import type { Host, Instance } from '../world/model.ts';
import { copiesOf, writersOf } from '../world/physics.ts';
import type { World } from '../world/world.ts';
import { Blocklist } from './blocklist.ts';
import { type Watch, Watches } from './watches.ts';

const osds = 3;
/** Nobody waits for the end of an entry that lasts longer. */
const longestWaitMs = 86_400_000;
/** An opener whose connection breaks is heard again so soon, and then its connection holds for a while. */
const brokenMs = 2_500;
const holdsMs = 4_000;
/** The one that Nova's instances are in. */
export const pool = 'vms';

export class PretendCeph {
  readonly world: World;
  readonly blocklist: Blocklist;
  readonly watches: Watches;
  /** Nobody who asks gets an answer; guests go on. */
  isAway = false;
  /** Nothing is agreed on: whatever needs the monitors waits. */
  monitorsHang = false;
  /** Openers are asked, and none of their answers comes back to whoever asks. */
  answersLost = false;
  /** A host whose openers lose their connections again and again: each misses a question, and is heard 2.5 s later. */
  reconnects: string | null = null;
  readonly #brokenUntilMs = new Map<Watch, number>();
  /** Hosts whose clients Ceph knows by an address of another one (behind NAT). */
  readonly hidden = new Map<string, string>();
  /** Instances opened from a second address of the host they are on, which nobody learned. */
  readonly strays = new Map<Instance, string>();
  /** Instances opened from a second address of the host they are on, which was seen as long as the first. */
  readonly seconds = new Map<Instance, string>();
  /** Instances whose images have no exclusive lock: nobody shows as its owner. */
  readonly lockless = new Set<Instance>();
  /** Instances whose disks are on their host, or in a storage that Sonny does not know. */
  readonly elsewhere = new Set<Instance>();

  constructor(world: World) {
    this.world = world;
    this.blocklist = new Blocklist(world.clock, (least, most) => world.chance.between(least, most), osds);
    this.watches = new Watches(
      world,
      (host, instance) => this.addressOf(host, instance),
      (instance, address) => this.blocklist.isKnownTo(osdOf(instance), address),
      (instance) => !this.lockless.has(instance),
    );
  }

  /** By which it knows the process that runs this instance there. */
  addressOf(host: Host, instance: Instance): string {
    const second = this.strays.get(instance) ?? this.seconds.get(instance);
    if (second === host.name) return `10.3.0.${host.number}`;
    return `10.2.0.${this.world.host(this.hidden.get(host.name) ?? host.name).number}`;
  }

  /** All by which a host opens disks, whoever knows of them. */
  addressesOf(host: string): string[] {
    const there = this.world.host(host);
    return [...new Set(this.world.instances.map((instance) => this.addressOf(there, instance)))];
  }

  /** Is this process kept from writing, on whichever OSD? */
  isKeptOut(instance: Instance, host: string): boolean {
    if (this.elsewhere.has(instance)) return false;
    return this.blocklist.isKnownToAll(this.addressOf(this.world.host(host), instance));
  }

  /** Is it well, so that all that is asked is answered? */
  get isWell(): boolean {
    return this.hearsOpeners && !this.isAway && !this.monitorsHang && this.blocklist.hung.size === 0;
  }

  /** Does whoever asks hear of every opener that could answer? */
  get hearsOpeners(): boolean {
    return !this.answersLost && this.reconnects === null;
  }

  /** Does the answer of an opener that could give one get lost, as it is asked now? */
  isMissed(watch: Watch): boolean {
    if (this.answersLost || this.reconnects !== watch.host) return this.answersLost;
    const { chance, nowMs } = this.world;
    const brokenUntilMs = this.#brokenUntilMs.get(watch) ?? Number.NEGATIVE_INFINITY;
    if (nowMs < brokenUntilMs) return true;
    if (nowMs < brokenUntilMs + holdsMs || chance.between(0, 3) === 0) return false;
    this.#brokenUntilMs.set(watch, nowMs + brokenMs);
    return true;
  }

  /** Its monitors refuse an address for so long. Whoever was only asleep writes when the entry ends. */
  block(address: string, forMs: number): void {
    this.blocklist.add(address, forMs);
    if (forMs < longestWaitMs) this.world.after(forMs, () => this.#entryEnds(address));
  }

  #entryEnds(address: string): void {
    const { world } = this;
    if (this.blocklist.isBlocked(address)) return;
    world.tell(`Ceph's entry of ${address} ends`);
    for (const instance of world.instances) {
      const isThere = (name: string) => this.addressOf(world.host(name), instance) === address;
      const old = copiesOf(world, instance).filter(isThere);
      const [owner] = writersOf(world, instance).filter((name) => !isThere(name));
      if (old.length > 0 && owner !== undefined) world.listener.secondWriter(instance, owner, old);
    }
  }

  /** Can this image be asked about? */
  isServed(instance: Instance): boolean {
    return !this.isAway && !this.elsewhere.has(instance) && !this.blocklist.hung.has(osdOf(instance));
  }

  /** The instance whose disk an image is; undefined: there is no such image. */
  instanceOf(image: string): Instance | undefined {
    const [, id] = /^vms\/(.+)_disk$/.exec(image) ?? [];
    const instance = id === undefined ? undefined : this.world.find(id);
    return instance === undefined || this.elsewhere.has(instance) ? undefined : instance;
  }
}

/** Which OSD has the header of its image. */
const osdOf = ({ number }: Instance): number => number % osds;
