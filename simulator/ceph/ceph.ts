// The pretend Ceph that has the disks of all instances of a pretend cloud: an image for each, an address for each host,
// three OSDs that hear of its blocklist in their own time, and troubles of its own. As measured on a real one.
import type { Host, Instance } from '../world/model.ts';
import type { World } from '../world/world.ts';
import { Blocklist } from './blocklist.ts';
import { Watches } from './watches.ts';

const osds = 3;
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
    return !this.isAway && !this.monitorsHang && this.blocklist.hung.size === 0;
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
