// The monitor's core: (state, input, rules) -> the state from now on, what to say, which jobs to take back. Pure: it
// only hands each input to the part that owns it. The jobs to be asked for follow from the state (`awaitedJobs`).
import type { JobRequest } from '../../shared/documents/jobs/contracts.ts';
import { beginLeading } from './leading.ts';
import { obey } from './orders.ts';
import { endLostRecoveries, startWaitingAttempts, takeRecovery } from './recoveries/attempts.ts';
import { Draft } from './state/draft.ts';
import type { Input, OutcomeInput, Output } from './state/input.ts';
import type { Rules } from './state/rules.ts';
import { recoveriesOf, recoveryJobs, type State } from './state/state.ts';
import { watches } from './watches/watches.ts';

export function step(state: State, input: Input, rules: Rules): Output {
  const draft = new Draft(state, input.atMs, rules);
  switch (input.kind) {
    case 'tick':
      startWaitingAttempts(draft);
      endLostRecoveries(draft);
      for (const watch of watches) watch.tick(draft);
      break;
    case 'leads':
      beginLeading(draft, input);
      break;
    case 'order':
      obey(draft, input.order, input.picture);
      break;
    case 'outcome':
      takeOutcome(draft, input);
      break;
  }
  return draft.output();
}

function takeOutcome(draft: Draft, { finished, picture }: OutcomeInput): void {
  const { outcome } = finished;
  if (outcome.state === 'waiting' || outcome.state === 'running') return;
  if (finished.job === 'recover') {
    if (takeRecovery(draft, finished.id, finished.outcome))
      for (const watch of watches) watch.beginAnew(draft);
    return;
  }
  const watch = watches.find(({ awaited }) => awaited(draft.state).some(({ id }) => id === finished.id));
  watch?.take(draft, finished, picture);
}

/** When a watch goes on by itself, or a further attempt leaves, as far as nothing happens before. */
export function dueAtMs(state: State): number {
  const retries = recoveriesOf(state).map(({ recovery }) => recovery.retryAtMs ?? Number.POSITIVE_INFINITY);
  return Math.min(...watches.map((watch) => watch.dueAtMs(state)), ...retries);
}

/** The jobs this state waits for: those the driver must have asked for, and asks for again after a restart. */
export function awaitedJobs(state: State): JobRequest[] {
  return [...watches.flatMap((watch) => watch.awaited(state)), ...recoveryJobs(state)];
}
