// Carries one recovery through its stages, from order to report. Safe to run again after a crash at any point.

import type { RecoveryReport } from '../../../shared/documents/jobs/recover.ts';
import { OperationalError } from '../../../shared/ground/errors.ts';
import { InterruptedLockError, LostLockError } from '../journal/lock.ts';
import { type Order, Recovery, type RecoveryTools, type Stage } from '../recovery.ts';
import { abandoned } from '../report.ts';
import { againFrom, stages } from './stages.ts';

/** Beginnings under a new lock, with fresh facts, after an interrupted one. */
const mostLocks = 4;
/** Times that a recovery under one lock asks for its facts again. */
const mostAgains = 8;

/**
 * Recovers one hypervisor. Expected failures are in the report; rejects only when OpenStack or Redis was away at a
 * moment at which going on (or giving up) would be guessing: the caller then runs the same order again.
 */
export async function recover(
  order: Order,
  tools: RecoveryTools,
  stop: AbortSignal,
): Promise<RecoveryReport> {
  const startedAtMs = tools.clock.nowMs();
  for (let locks = 1; ; locks += 1) {
    try {
      return await underOneLock(new Recovery(order, tools, startedAtMs, stop));
    } catch (error) {
      if (!(error instanceof InterruptedLockError) || locks >= mostLocks) throw error;
      tools.log.warn(`${error.message}: beginning again with fresh facts`);
    }
  }
}

async function underOneLock(recovery: Recovery): Promise<RecoveryReport> {
  try {
    return await throughTheStages(recovery);
  } catch (error) {
    const lock = recovery.lockIfTaken;
    if (lock === null) throw error;
    const cause = lock.lost.aborted ? lock.lost.reason : error;
    if (cause instanceof LostLockError) return abandoned(recovery, 'superseded').report;
    if (recovery.stop.aborted) return abandoned(recovery, 'handed-back').report;
    throw cause;
  } finally {
    await recovery.lockIfTaken?.release();
  }
}

async function throughTheStages(recovery: Recovery): Promise<RecoveryReport> {
  let agains = 0;
  for (let at = 0; ; ) {
    const stage = stages[at];
    if (stage === undefined) throw new Error('the last stage did not end the recovery');
    const startedMs = recovery.tools.clock.steadyMs();
    const turn = await stage.run(recovery);
    logTime(recovery, stage, startedMs);
    if (typeof turn !== 'string') return turn.report;
    if (turn === 'again') agains += 1;
    if (agains > mostAgains)
      throw new OperationalError(`${stage.name} asked for fresh facts ${mostAgains} times`);
    at = turn === 'next' ? at + 1 : stages.indexOf(againFrom);
  }
}

/** Where the seconds between verdict and request go. */
function logTime(
  { order, tools: { clock, log } }: Recovery,
  { name: stage }: Stage,
  startedMs: number,
): void {
  const { recovery } = order;
  const tookMs = Math.round(clock.steadyMs() - startedMs);
  log.debug({ recovery, stage, tookMs }, `stage ${stage} took ${tookMs} ms`);
}
