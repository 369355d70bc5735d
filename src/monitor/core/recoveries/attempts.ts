// Recoveries under way: what their jobs' outcomes mean, further attempts after a lost worker, and the end of each.
// Pure.
import { recoverJobId } from '../../../shared/documents/assignments.ts';
import { contracts, type JobOutcome } from '../../../shared/documents/jobs/contracts.ts';
import type { RecoveryReport } from '../../../shared/documents/jobs/recover.ts';
import { targetsOf } from '../../../shared/documents/terms/plan.ts';
import { pauseMs } from '../../../shared/ground/retry.ts';
import { raise } from '../incidents/raised.ts';
import type { Draft } from '../state/draft.ts';
import { mostAttempts, mostReports } from '../state/rules.ts';
import type { Incident, Recovery, State } from '../state/state.ts';
import { liftCooldown } from './cooldown.ts';

/** A continuing attempt may begin this long after it was asked for: what began must be ended once a worker is back. */
const continueWithinMs = 3_600_000;
const longestRetryMs = 60_000;

/** An incident that is being recovered. */
type Recovering = Incident & { readonly recovery: Recovery };
const isRecovering = (incident: Incident): incident is Recovering => incident.recovery !== null;
const recoveringOnes = ({ incidents }: State): Recovering[] => incidents.filter(isRecovering);

/** The host is as it was before, and no recovery of it is under way: whoever watches has to judge it again. */
type AsBefore = boolean;

/**
 * Takes the outcome of a recovery's job: the end of it, or a further attempt. One that nobody waits for changes
 * nothing.
 */
export function takeRecovery(draft: Draft, jobId: string, outcome: JobOutcome<'recover'>): AsBefore {
  const incident = recoveringOnes(draft.state).find(
    ({ recovery }) => recovery.job.id === jobId && recovery.retryAtMs === null,
  );
  if (incident === undefined) return false;
  switch (outcome.state) {
    case 'waiting':
    case 'running':
      return false;
    case 'failed': {
      const pauseMs = outcome.workerLost ? afterLossMs(incident.recovery) : backOffMs(incident.recovery);
      return tryAgain(draft, incident, outcome.detail, pauseMs);
    }
    case 'missing':
      return tryAgain(draft, incident, 'Redis lost the job', 0);
    case 'done':
      return takeReport(draft, incident, outcome.result);
  }
}

function takeReport(draft: Draft, incident: Recovering, report: RecoveryReport): AsBefore {
  if (report.outcome === 'handed-back') return tryAgain(draft, incident, 'its ns4 was stopped', 0);
  // It was the current job, so nobody else was asked: a lock taken by hand, or Redis lost its last moments. What was
  // begun must be ended by somebody.
  if (report.outcome === 'superseded')
    return tryAgain(draft, incident, 'its ns4 had lost the right to go on', backOffMs(incident.recovery));
  return endRecovery(draft, incident, report);
}

/**
 * A worker died, another one is to take over: at once the first time, soon each other time. That it is lost was found
 * out seconds after it was, and the recovery shall go on within 15 s.
 */
const afterLossMs = ({ job }: Recovery): number => (job.data.attempt === 1 ? 0 : 1_000);

/** The first further attempt leaves at once, later ones after longer and longer pauses. */
function backOffMs({ job }: Recovery): number {
  const { attempt } = job.data;
  return attempt === 1 ? 0 : pauseMs(attempt, { firstMs: 1_000, mostMs: longestRetryMs });
}

/**
 * ns4's journal and Nova itself tell the next worker what is done already; the same request is never repeated blindly.
 */
function tryAgain(draft: Draft, incident: Recovering, why: string, pauseMs: number): AsBefore {
  const { recovery } = incident;
  const attempt = recovery.job.data.attempt + 1;
  if (attempt > mostAttempts)
    return loseRecovery(draft, incident, `${mostAttempts} attempts failed, the last: ${why}`);
  const data = {
    ...recovery.job.data,
    attempt,
    epoch: draft.state.epoch,
    requestedAtMs: draft.nowMs,
    startByMs: draft.nowMs + pauseMs + continueWithinMs,
  };
  replace(draft, incident, {
    ...recovery,
    job: { ...recovery.job, id: recoverJobId(recovery.id, attempt), data },
    retryAtMs: pauseMs === 0 ? null : draft.nowMs + pauseMs,
  });
  draft.say({ kind: 'recovery-continued', ...named(incident), attempt, why });
  return false;
}

/** What an event of a recovery names. */
const named = ({ id, subject, recovery }: Recovering) => ({
  incident: id,
  recovery: recovery.id,
  host: subject.name,
  targets: targetsOf(recovery.plan),
});

/** On a tick: attempts whose pause is over are asked for (they become awaited jobs). */
export function startWaitingAttempts(draft: Draft): void {
  for (const incident of recoveringOnes(draft.state)) {
    const { recovery } = incident;
    if (recovery.retryAtMs === null) continue;
    const leftMs = recovery.retryAtMs - draft.nowMs;
    // Further off than the longest pause: the clock was set back meanwhile.
    if (leftMs <= 0 || leftMs > longestRetryMs) replace(draft, incident, { ...recovery, retryAtMs: null });
  }
}

/** On a tick: a recovery nobody ended within its limit is given up, aloud. */
export function endLostRecoveries(draft: Draft): void {
  for (const incident of recoveringOnes(draft.state)) {
    const { recovery } = incident;
    const waitedMs = draft.nowMs - recovery.sinceMs;
    // The clock was set back: the limit counts anew.
    if (waitedMs < 0) replace(draft, incident, { ...recovery, sinceMs: draft.nowMs });
    if (waitedMs <= contracts.recover.waitMs) continue;
    draft.withdraw(recovery.job);
    loseRecovery(draft, incident, `no end after ${Math.round(waitedMs / 60_000)} minutes`);
  }
}

/** The cooldown stands: nobody knows what was done. */
function loseRecovery(draft: Draft, incident: Recovering, why: string): AsBefore {
  draft.state.recoveryEndedMs = draft.nowMs;
  draft.put({ ...incident, stage: 'away', recovery: null, raised: null });
  draft.say({ kind: 'recovery-lost', ...named(incident), why });
  return false;
}

function endRecovery(draft: Draft, incident: Recovering, reported: RecoveryReport): AsBefore {
  const { nowMs, state } = draft;
  // Nothing asked for, nothing moved: the instances known are where they were. Stamped all the same, a recovery that is
  // refused every round would keep everybody from hearing of instances left on hosts handled before.
  if (reported.acted) state.recoveryEndedMs = nowMs;
  // It may have gone on with a journal that an earlier recovery left open, and name that.
  const report: RecoveryReport = { ...reported, incident: incident.id, recovery: incident.recovery.id };
  state.reports = [...state.reports, report].slice(-mostReports);
  const ended = { ...incident, recovery: null, suspectedAtMs: nowMs };
  // A refusal stands for the host until it changes: the next round asks again, and says it again only if it is another.
  if (report.outcome === 'refused' && report.refusal !== null) {
    draft.put({ ...ended, stage: 'dead' });
    if (incident.recovery.order !== null) draft.say({ kind: 'recovery-ended', report });
    else raise(draft, report.refusal, { by: 'ns4' });
  } else {
    draft.put({ ...ended, stage: 'away', raised: null });
    draft.say({ kind: 'recovery-ended', report });
  }
  if (report.acted) return false;
  liftCooldown(draft, incident.recovery.id);
  return true;
}

const replace = (draft: Draft, incident: Recovering, recovery: Recovery): void =>
  draft.put({ ...incident, recovery });
