// What may happen to a Ceph that has the disks of a history's cloud, and what operators do to its blocklist.
import type { Fault } from '../../simulator/faults/script.ts';
import { changeService } from '../../simulator/world/compute-service.ts';
import { ApiRefusal } from '../../simulator/world/refusal.ts';
import type { History } from './history.ts';

export const cephFaults = {
  /** Nobody who asks gets an answer; guests go on. */
  cephAway: {
    says: 'Ceph does not answer',
    begin: ({ ceph }) => ceph !== null && Object.assign(ceph, { isAway: true }),
    ends: 'Ceph answers again',
    end: ({ ceph }) => ceph !== null && Object.assign(ceph, { isAway: false }),
  },
  openersUnheard: {
    says: 'nobody hears what openers of disks answer',
    begin: ({ ceph }) => ceph !== null && Object.assign(ceph, { answersLost: true }),
    ends: 'whoever asks hears openers of disks again',
    end: ({ ceph }) => ceph !== null && Object.assign(ceph, { answersLost: false }),
  },
  openersReconnect: {
    says: 'those of {host} that have disks open lose their connections again and again',
    begin: ({ ceph }, host) => ceph !== null && Object.assign(ceph, { reconnects: host }),
    ends: 'those of {host} that have disks open keep their connections',
    end: ({ ceph }) => ceph !== null && Object.assign(ceph, { reconnects: null }),
  },
  cephMonitorsHang: {
    says: 'the monitors of Ceph hang',
    begin: ({ ceph }) => ceph !== null && Object.assign(ceph, { monitorsHang: true }),
    ends: 'the monitors of Ceph go on',
    end: ({ ceph }) => ceph !== null && Object.assign(ceph, { monitorsHang: false }),
  },
  osdHangs: {
    says: 'osd.{number} hangs',
    begin: ({ ceph }, osd) => {
      ceph?.blocklist.hang(Number(osd));
      return ceph !== null;
    },
    ends: 'osd.{number} goes on',
    end: ({ ceph }, osd) => {
      ceph?.blocklist.goOn(Number(osd));
      return ceph !== null;
    },
  },
  /** As `ns4 --fence HOST --action on --level ceph`, which looks first; he types the name when he may. */
  entriesLifted: {
    says: 'an operator lifts with {worker} that {host} is cut off',
    begin: ({ ceph, workers, judges, world, startsGuests }, name, host = '') => {
      const role = workers.find((seat) => seat.name === name)?.role ?? null;
      if (ceph === null || role === null) return false;
      const addresses = ceph.addressesOf(host);
      /** He looks for libvirt-guests, too. */
      const startsNone = () => !startsGuests || world.host(host).formerGuests.size === 0;
      const isClear = () =>
        judges.disks?.isFreeOfThePast(addresses) === true &&
        judges.disks.copiesAt(addresses).length === 0 &&
        startsNone();
      void role.liftByHand(host, isClear);
      return true;
    },
  },
  /** As `openstack compute service set --up`, before which nova-compute must have cleaned up. */
  forcedUp: {
    says: 'an operator ends that {host} is forced down',
    begin: ({ world }, name = '') => {
      const host = world.host(name);
      if (!host.forcedDown) return false;
      try {
        changeService(world, host, { forcedDown: false });
        return true;
      } catch (refusal) {
        if (!(refusal instanceof ApiRefusal)) throw refusal;
        return false;
      }
    },
  },
  /** As `ceph osd blocklist rm`, which does not. */
  entriesRemoved: {
    says: "somebody removes {host} from Ceph's blocklist",
    begin: ({ ceph, judges, rival }, host = '') => {
      const addresses = ceph?.addressesOf(host) ?? [];
      const blocked = addresses.filter((address) => ceph?.blocklist.isBlocked(address));
      for (const address of blocked) ceph?.blocklist.remove(address);
      for (const { disks } of [judges, ...(rival === null ? [] : [rival.judges])])
        disks?.removed(blocked, host);
      return blocked.length > 0;
    },
  },
} satisfies Record<string, Fault<History>>;
