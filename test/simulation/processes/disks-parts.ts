// What follows from [CEPH] in a pretend worker, wired as ns4/jobs/ceph.ts does it: the real sense, cut-off and last look
// over the pretend Ceph.
import { type PretendCeph, pool } from '../../../simulator/ceph/ceph.ts';
import { type BlocklistWatcher, PretendStorage } from '../../../simulator/ceph/storage.ts';
import { type LiftParts, lift } from '../../../src/ns4/commands/lift.ts';
import { cutOff } from '../../../src/ns4/disks/cut-off.ts';
import { Disks } from '../../../src/ns4/disks/disks.ts';
import { cephFenceOf } from '../../../src/ns4/fencing/ceph-fence.ts';
import type { CephFence } from '../../../src/ns4/fencing/ceph-level.ts';
import type { RecoveryStorage } from '../../../src/ns4/recovery/recovery.ts';
import { PretendCuts } from './cuts.ts';
import { PretendOpened } from './opened.ts';
import type { RedisLink } from './redis-link.ts';
import { PretendInventory } from './storage.ts';

export interface DisksParts {
  readonly disks: Disks;
  readonly storage: RecoveryStorage;
  /** What the fence level of that name asks of Ceph. */
  readonly fence: CephFence;
  /** As `ns4 --fence HOST --action on --level ceph` has it; rejects when a name is asked for and not typed. */
  lift(
    host: string,
    by: Pick<LiftParts, 'uptime' | 'copiesLeft' | 'isRecovering' | 'hold' | 'ask'>,
  ): Promise<unknown>;
}

/** [FENCING] timeout, as it is stock. */
const timeoutMs = 60_000;

export function disksPartsOf(
  ceph: PretendCeph,
  link: RedisLink,
  word: RecoveryStorage['word'],
  watcherOf: (by: 'stage' | 'level' | 'hand') => BlocklistWatcher,
): DisksParts {
  const { clock } = link.process;
  const storageBy = (...by: Parameters<typeof watcherOf>) =>
    new PretendStorage(ceph, link.process, watcherOf(...by));
  const storage = storageBy('stage');
  const store = new PretendOpened(link);
  const cuts = new PretendCuts(link);
  const parts = { storage, store, cuts, clock, pools: [pool], inventory: new PretendInventory(link) };
  const disks = new Disks(parts);
  return {
    disks,
    fence: cephFenceOf({ ...parts, storage: storageBy('level') }),
    storage: {
      mayMove: (instance, host, signal) => disks.mayMove(instance, host, signal),
      whereOpen: (instance, signal) => disks.whereOpen(instance, signal),
      cutOff: (request) => cutOff({ ...parts, timeoutMs }, request),
      word,
    },
    // No device is asked: those of a history are no programs.
    lift: (host, by) =>
      lift(host, {
        ...{ ...parts, ...by, timeoutMs, levels: [], doubt: null, signal: new AbortController().signal },
        storage: storageBy('hand'),
        look: async () => ({ says: 'unknown', said: 'no device is asked' }),
      }),
  };
}
