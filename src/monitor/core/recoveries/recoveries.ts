// Recoveries under way: what their jobs' outcomes mean, further attempts after a lost worker, and the end of each. Pure.

import { evacuateJobId } from '../../../shared/documents/assignments.ts';
import { contracts, type JobOutcome } from '../../../shared/documents/jobs/contracts.ts';
import type { EvacuationReport } from '../../../shared/documents/jobs/evacuate.ts';
import { mostAttempts, type Recovery } from '../state.ts';
import type { Turn } from '../step-draft.ts';

/** A continuing attempt may begin this long after it was asked for: what began must be ended once a worker is back. */
const continueWithinMs = 3_600_000;
const longestRetryMs = 60_000;

/** Takes the outcome of a recovery's job: the end of it, or a further attempt. */
export function continueRecovery(turn: Turn, recovery: Recovery, outcome: JobOutcome<'evacuate'>): void {
  switch (outcome.state) {
    case 'waiting':
    case 'running':
      return;
    case 'failed':
      return tryAgain(
        turn,
        recovery,
        outcome.detail,
        outcome.workerLost ? afterLossMs(recovery) : backOffMs(recovery),
      );
    case 'missing':
      return tryAgain(turn, recovery, 'Redis lost the job', 0);
    case 'done': {
      const report = outcome.result;
      if (report.outcome === 'handed-back') return tryAgain(turn, recovery, 'its ns4 was stopped', 0);
      // It was the current job, so nobody else was asked: a lock by hand, or Redis lost its last moments. What was begun
      // must be ended by somebody.
      if (report.outcome === 'superseded')
        return tryAgain(turn, recovery, 'its ns4 had lost the right to go on', backOffMs(recovery));
      return endRecovery(turn, recovery, report);
    }
  }
}

/**
 * A worker died, another one is to take over: at once the first time, soon each other time. That it is lost was found out
 * seconds after it was, and the recovery shall go on within 15 s.
 */
const afterLossMs = ({ job }: Recovery): number => (job.data.attempt === 1 ? 0 : 1_000);

/** The first further attempt leaves at once, later ones after longer and longer pauses. */
function backOffMs(recovery: Recovery): number {
  const { attempt } = recovery.job.data;
  return attempt === 1 ? 0 : Math.min(1_000 * 2 ** (attempt - 1), longestRetryMs);
}

/** ns4's journal and Nova itself tell the next worker what is done already; the same request is never repeated blindly. */
function tryAgain(turn: Turn, recovery: Recovery, why: string, pauseMs: number): void {
  const attempt = recovery.job.data.attempt + 1;
  if (attempt > mostAttempts)
    return loseRecovery(turn, recovery, `${mostAttempts} attempts failed, the last: ${why}`);
  const data = {
    ...recovery.job.data,
    attempt,
    epoch: turn.state.epoch,
    requestedAtMs: turn.nowMs,
    startByMs: turn.nowMs + pauseMs + continueWithinMs,
  };
  const next: Recovery = {
    ...recovery,
    job: { ...recovery.job, id: evacuateJobId(recovery.incident, attempt), data },
    retryAtMs: pauseMs === 0 ? null : turn.nowMs + pauseMs,
  };
  replace(turn, recovery, next);
  const { incident, dead, spare } = recovery;
  turn.say({ kind: 'evacuation-continued', incident, dead, spare, attempt, why });
}

/** On a tick: attempts whose pause is over are asked for (they become awaited jobs). */
export function startWaitingAttempts(turn: Turn): void {
  for (const recovery of turn.state.recoveries) {
    if (recovery.retryAtMs === null) continue;
    const leftMs = recovery.retryAtMs - turn.nowMs;
    // Further off than the longest pause: the clock was set back meanwhile.
    if (leftMs <= 0 || leftMs > longestRetryMs) replace(turn, recovery, { ...recovery, retryAtMs: null });
  }
}

/** On a tick: a recovery nobody ended within its limit is given up, aloud. */
export function endLostRecoveries(turn: Turn): void {
  for (const recovery of [...turn.state.recoveries]) {
    const waitedMs = turn.nowMs - recovery.sinceMs;
    // The clock was set back: the limit counts anew.
    if (waitedMs < 0) replace(turn, recovery, { ...recovery, sinceMs: turn.nowMs });
    if (waitedMs <= contracts.evacuate.waitMs) continue;
    turn.withdraw(recovery.job);
    loseRecovery(turn, recovery, `no end after ${Math.round(waitedMs / 60_000)} minutes`);
  }
}

/** The cooldown stands: nobody knows what was done. */
function loseRecovery(turn: Turn, recovery: Recovery, why: string): void {
  remove(turn, recovery);
  turn.state.recoveryEndedMs = turn.nowMs;
  turn.forget(recovery.dead);
  const { incident, dead, spare } = recovery;
  turn.say({ kind: 'evacuation-lost', incident, dead, spare, why });
}

function endRecovery(turn: Turn, recovery: Recovery, report: EvacuationReport): void {
  remove(turn, recovery);
  // Nothing asked for, nothing moved: the instances known are where they were. Stamped all the same, a recovery that is
  // refused every round would keep everybody from hearing of instances left on hosts handled before.
  if (report.acted) turn.state.recoveryEndedMs = turn.nowMs;
  turn.state.lastReport = report;
  // A refusal stands for the host until it changes: the next round asks again, and says it again only if it is another.
  if (report.outcome === 'refused' && report.refusal !== null) turn.refuse(report.refusal);
  else {
    turn.forget(recovery.dead);
    turn.say({ kind: 'evacuation-ended', report });
  }
  if (report.acted) return;
  liftCooldown(turn, recovery.incident);
  beginRoundAnew(turn);
}

/**
 * The round under way left the host out, as it was being recovered. It is as dead as before and counts with the others:
 * judged without it, one of them would be taken for the only one.
 */
function beginRoundAnew(turn: Turn): void {
  const { phase } = turn.state;
  if (phase.kind === 'watching') return;
  turn.withdraw(phase.job);
  turn.watchUntil(turn.nowMs);
}

/** Nothing was done, so nothing is to cool down (defect 15 of the original: stamped although every job failed). */
function liftCooldown(turn: Turn, incident: string): void {
  const { cooldown } = turn.state;
  if (cooldown === null) return;
  const incidents = cooldown.incidents.filter((id) => id !== incident);
  turn.state.cooldown = incidents.length === 0 ? null : { ...cooldown, incidents };
}

function replace(turn: Turn, old: Recovery, next: Recovery): void {
  turn.state.recoveries = turn.state.recoveries.map((r) => (r === old ? next : r));
}

function remove(turn: Turn, recovery: Recovery): void {
  turn.state.recoveries = turn.state.recoveries.filter((r) => r !== recovery);
}
