// What follows from [CEPH] in a pretend worker, wired as ns4/jobs/ceph.ts does it: the real sense, cut-off and last look
// over the pretend Ceph.
import { type PretendCeph, pool } from '../../../simulator/ceph/ceph.ts';
import { PretendStorage } from '../../../simulator/ceph/storage.ts';
import { cutOff } from '../../../src/ns4/disks/cut-off.ts';
import { Disks } from '../../../src/ns4/disks/disks.ts';
import type { Confirmation } from '../../../src/ns4/fencing/operator-confirmations.ts';
import type { RecoveryStorage } from '../../../src/ns4/recovery/recovery.ts';
import { PretendOpened } from './opened.ts';
import type { RedisLink } from './redis-link.ts';
import { PretendInventory } from './storage.ts';

export interface DisksParts {
  readonly disks: Disks;
  readonly storage: RecoveryStorage;
}

/** [FENCING] timeout, as it is stock. */
const timeoutMs = 60_000;

export function disksPartsOf(
  ceph: PretendCeph,
  link: RedisLink,
  wordOf: (host: string, heardAtMs: number | null) => Promise<Confirmation | null>,
  onBlock: (addresses: readonly string[]) => void,
): DisksParts {
  const { clock } = link.process;
  const storage = new PretendStorage(ceph, link.process, onBlock);
  const store = new PretendOpened(link);
  // Whom it cut off is asked by hand only.
  const cuts = { note: async () => {} };
  const parts = { storage, store, cuts, clock, pools: [pool], inventory: new PretendInventory(link) };
  const disks = new Disks(parts);
  return {
    disks,
    storage: {
      mayMove: (instance, host, signal) => disks.mayMove(instance, host, signal),
      whereOpen: (instance, signal) => disks.whereOpen(instance, signal),
      cutOff: (request) => cutOff({ ...parts, timeoutMs }, request),
      wordOf,
    },
  };
}
