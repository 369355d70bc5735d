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
  /** Instances opened from a second address of the host they are on. */
  readonly strays = new Map<Instance, string>();

  constructor(world: World) {
    this.world = world;
    this.blocklist = new Blocklist(world.clock, (least, most) => world.chance.between(least, most), osds);
    this.watches = new Watches(
      world,
      (host, instance) => this.addressOf(host, instance),
      (instance, address) => this.blocklist.isKnownTo(osdOf(instance), address),
    );
  }

  /** By which it knows the process that runs this instance there. */
  addressOf(host: Host, instance: Instance): string {
    if (this.strays.get(instance) === host.name) return `10.3.0.${host.number}`;
    return `10.2.0.${this.world.host(this.hidden.get(host.name) ?? host.name).number}`;
  }

  /** Is this process kept from writing, on whichever OSD? */
  isKeptOut(instance: Instance, host: string): boolean {
    return this.blocklist.isKnownToAll(this.addressOf(this.world.host(host), instance));
  }

  /** Is it well, so that all that is asked is answered? */
  get isWell(): boolean {
    return !this.isAway && !this.monitorsHang && this.blocklist.hung.size === 0;
  }

  /** Can this image be asked about? */
  isServed(instance: Instance): boolean {
    return !this.isAway && !this.blocklist.hung.has(osdOf(instance));
  }

  /** The instance whose disk an image is; undefined: there is no such image. */
  instanceOf(image: string): Instance | undefined {
    const [, id] = /^vms\/(.+)_disk$/.exec(image) ?? [];
    return id === undefined ? undefined : this.world.find(id);
  }
}

/** Which OSD has the header of its image. */
const osdOf = ({ number }: Instance): number => number % osds;
