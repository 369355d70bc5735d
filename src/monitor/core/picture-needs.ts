// What a step on an outcome has to see of the cloud: the driver reads that much of the inventory and no more. Pure.
import type { Finished, JobOutcome } from '../../shared/documents/jobs/contracts.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import { noServers, type ServersWanted } from '../../shared/picture/reading.ts';
import type { Rules, State } from './state.ts';
import { controlGuestsWanted } from './watches/hosts/witnesses.ts';

/** Does the step on the outcome of this job look at the picture? One that nobody waits for, or of a recovery, does not. */
export function needsPicture({ phase }: State, finished: Finished): boolean {
  if (phase.kind === 'watching' || phase.job.id !== finished.id) return false;
  return finished.job !== 'refresh-inventory' || refreshFailure(finished.outcome) === null;
}

/**
 * Whose servers that step asks for: those of the silent hosts, whose instances testify, and of enough healthy ones to
 * have control guests. Every other step makes do with counts.
 */
export function serversWanted(
  { phase }: State,
  picture: Picture,
  nowMs: number,
  rules: Rules,
): ServersWanted {
  if (phase.kind !== 'refreshing-servers') return noServers;
  const silent = Object.keys(phase.silent);
  return { hosts: silent, ...controlGuestsWanted(picture, new Set(silent), nowMs, rules) };
}

/** Why a refresh failed; null when it did not. */
export function refreshFailure(outcome: JobOutcome<'refresh-inventory'>): string | null {
  if (outcome.state === 'failed') return outcome.detail;
  if (outcome.state !== 'done') return 'the job vanished from the queue';
  return outcome.result.ok ? null : outcome.result.detail;
}
