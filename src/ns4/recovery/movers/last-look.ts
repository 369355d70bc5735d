// The last thing before a request that starts an instance elsewhere: one more look at that very instance, after all
// that was waited for, and a check that this machine did not stand still meanwhile. A virtual machine that is paused for
// ten minutes takes its steady clock with it, so that all it was told looks a moment old.
import type { Server } from '../../../shared/documents/inventory.ts';
import type { Clock } from '../../../shared/ground/clock.ts';
import { timings } from '../../../shared/ground/timings.ts';
import type { Cloud, MigrationRecord } from '../../cloud/cloud.ts';
import type { MayMove } from '../../disks/disks.ts';
import type { JournalEntry } from '../journal/journal.ts';
import type { Moving } from './mover.ts';

/** The cloud's clock may have moved on by so much more, or less, than this process' own. */
const standstillMs = 2_000;
/** A look that took longer rests on a confirmation of the lock that is too old. */
export const lookFreshMs = timings.recoveryLock.freshMs;

/**
 * The cloud's clock minus this process' steady one, by the last answer: of no meaning in itself, but it changes only
 * when the process stood still, or somebody set the cloud's clock.
 */
export const cloudAheadMs = (clock: Clock, cloud: Pick<Cloud, 'clockSkewMs'>): number =>
  clock.nowMs() + cloud.clockSkewMs() - clock.steadyMs();

/** What Nova shows of one instance. */
export interface LastLook {
  readonly server: Server | null;
  /** Of any type, newest first. */
  readonly migrations: readonly MigrationRecord[];
}

/** The last thing that is seen of it before a request. */
interface FinalLook extends LastLook {
  /** Who has its disks open now; null: Ceph is not asked. */
  readonly disks: MayMove | null;
}

/** Somebody has its disks open. */
export type OpenDisks = Extract<MayMove, { kind: 'open' | 'elsewhere' }>;

/** Why an instance is not started, as its disks are open at these addresses or on these hypervisors. */
export const openAt = (where: readonly string[]): string =>
  `its disks are open at ${where.join(', ')}, so it runs there`;

/**
 * Looks at the instance, the lock being held as of now. Null: the look is too old to be acted on, as Nova is slow or
 * this process stood still since `aheadMs` was taken; everything is to be looked at again.
 * @throws CloudError; as Lock.save and Moving.mayMove
 */
export async function lastLook(
  moving: Moving,
  { id, attempts }: JournalEntry,
  aheadMs: number,
): Promise<FinalLook | null> {
  const { cloud, clock, lock, journal, signal, log } = moving;
  await lock.save(journal);
  let savedAtMs = clock.steadyMs();
  const [server, first, disks] = await Promise.all([
    cloud.readServer(id, signal),
    cloud.listMigrationsOf(id, signal),
    moving.mayMove(id, attempts > 0),
  ]);
  let migrations = first;
  if (clock.steadyMs() - savedAtMs > lookFreshMs) {
    // Reading a server costs Nova a call to a Neutron that is busy; its migrations come from Nova's own database.
    await lock.save(journal);
    savedAtMs = clock.steadyMs();
    migrations = await cloud.listMigrationsOf(id, signal);
  }
  const tookMs = clock.steadyMs() - savedAtMs;
  if (tookMs <= lookFreshMs && isStillNow(moving, aheadMs)) return { server, migrations, disks };
  log.warn({ instance: id, tookMs }, 'the last look before a request is too old: looking again');
  return null;
}

/** Did this process go on without a stop since `aheadMs` was taken? Asked right after an answer of the cloud. */
export const isStillNow = (
  { clock, cloud }: { readonly clock: Clock; readonly cloud: Pick<Cloud, 'clockSkewMs'> },
  aheadMs: number,
): boolean => Math.abs(cloudAheadMs(clock, cloud) - aheadMs) <= standstillMs;
