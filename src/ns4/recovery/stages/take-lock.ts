// Stage: takes the lock on the dead host's recovery, and reads what an earlier worker left.

import { OperationalError } from '../../../shared/ground/errors.ts';
import type { Recovery, Stage } from '../recovery.ts';
import { alreadyRecovering, refused, reportOf } from '../report.ts';

/** A killed worker's lock runs out after 8 s; one that is held longer is held by a living worker. */
const lockWaitMs = 12_000;

export const takeLock: Stage = {
  name: 'take-lock',
  async run(recovery) {
    const { order, tools, startedAtMs } = recovery;
    const { journals } = tools;
    if (startedAtMs > order.startByMs) {
      recovery.journal = await journals.read(order.incident);
      const ageMs = startedAtMs - order.requestedAtMs;
      return refused(recovery, { name: 'too-late', host: order.dead, ageMs });
    }
    const lock = await journals.lock(order.dead, lockWaitMs, recovery.stop, order.assignment);
    if (lock === null) return lockedElsewhere(recovery);
    recovery.lock = lock;
    tools.log.info({ incident: order.incident }, `at work at the recovery of ${order.dead}`);
    const earlier = await journals.read(order.incident);
    if (earlier !== null && earlier.ended !== null) {
      const { outcome, refusal, atMs } = earlier.ended;
      return { report: reportOf(earlier, outcome, refusal, atMs) };
    }
    recovery.journal = await journals.open(order.dead);
    return 'next';
  },
};

async function lockedElsewhere(recovery: Recovery) {
  const { order, tools } = recovery;
  const open = await tools.journals.open(order.dead);
  if (open !== null && open.id !== order.incident) return alreadyRecovering(recovery, open);
  // The same order again: what becomes of it is in the journal when the other one has finished.
  throw new OperationalError(`another worker is at the recovery of ${order.dead}`);
}
