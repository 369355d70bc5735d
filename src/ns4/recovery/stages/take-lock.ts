// Stage: takes the lock on the dead host's recovery, with those of its targets, and reads what an earlier worker left.

import { namedHosts } from '../../../shared/documents/terms/plan.ts';
import { OperationalError } from '../../../shared/ground/errors.ts';
import { timings } from '../../../shared/ground/timings.ts';
import { DistrustedJournalError } from '../journal/journals.ts';
import type { End, Recovery, Stage, Turn } from '../recovery.ts';
import { alreadyRecovering, refused, reportOf } from '../report.ts';

/** A killed worker's lock runs out after 8 s; one that is held longer is held by a living worker. */
const { waitMs: lockWaitMs } = timings.recoveryLock;

export const takeLock: Stage = {
  name: 'take-lock',
  async run(recovery) {
    try {
      return await take(recovery);
    } catch (error) {
      if (!(error instanceof DistrustedJournalError)) throw error;
      const { distrust } = error;
      return refused(recovery, {
        name: 'journal-not-believed',
        host: recovery.order.dead,
        document: distrust,
      });
    }
  },
};

async function take(recovery: Recovery): Promise<Turn> {
  const { order, tools, startedAtMs } = recovery;
  const { journals } = tools;
  if (startedAtMs > order.startByMs) {
    recovery.journal = await journals.read(order.recovery);
    const ageMs = startedAtMs - order.requestedAtMs;
    return refused(recovery, { name: 'too-late', host: order.dead, ageMs });
  }
  const hosts = { host: order.dead, targets: namedHosts(order.plan).filter((host) => host !== order.dead) };
  const lock = await journals.lock(hosts, lockWaitMs, recovery.stop, order.assignment);
  if ('heldByOther' in lock) return lockedElsewhere(recovery, lock.heldByOther);
  recovery.lock = lock;
  const { incident, recovery: id } = order;
  tools.log.info({ incident, recovery: id }, `at work at the recovery of ${order.dead}`);
  const earlier = await journals.read(id);
  if (earlier !== null && earlier.ended !== null) {
    const { outcome, refusal, atMs } = earlier.ended;
    return { report: reportOf(earlier, outcome, refusal, atMs) };
  }
  recovery.journal = await journals.open(order.dead);
  return 'next';
}

async function lockedElsewhere(recovery: Recovery, held: string): Promise<End> {
  const { order, tools } = recovery;
  const open = await tools.journals.open(order.dead);
  if (open !== null && open.id !== order.recovery) return alreadyRecovering(recovery, open);
  // Before the first change giving up is safe. What was begun is continued when the other one has finished.
  if (held !== order.dead && open === null)
    return refused(recovery, {
      name: 'spare-unfit',
      host: order.dead,
      spare: held,
      why: 'another recovery works at it',
    });
  // The same order again: what becomes of it is in the journal when the other one has finished.
  throw new OperationalError(`another worker is at the recovery of ${order.dead}`);
}
