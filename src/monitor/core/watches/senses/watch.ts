// The watch over senses: whom too few of them could tell dead is named, before he dies.
//
//   resting     until nextSurveyMs, then asks for a survey
//   surveying   who is named -> said when it is news, over when it is nobody; resting
import { contracts, type Finished } from '../../../../shared/documents/jobs/contracts.ts';
import { clearPart, raise } from '../../incidents/raised.ts';
import type { Draft } from '../../state/draft.ts';
import type { SurveyPhase } from '../../state/survey.ts';
import type { Watch } from '../../state/watch.ts';

/** It changes with instances that come and go, and with firewalls: nothing that hurries. */
const pauseMs = 600_000;
/** After a start, or a survey that failed: what has to be heard takes its time. */
const soonMs = 120_000;

export const sensesWatch: Watch = {
  name: 'senses',

  awaited: ({ watches: { senses } }) => (senses.kind === 'surveying' ? [senses.job] : []),

  dueAtMs: ({ watches: { senses } }) =>
    senses.kind === 'resting' ? senses.nextSurveyMs : senses.sinceMs + contracts['survey-senses'].waitMs + 1,

  tick(draft) {
    const { nowMs } = draft;
    const phase = draft.state.watches.senses;
    if (phase.kind === 'resting') {
      const leftMs = phase.nextSurveyMs - nowMs;
      // A monitor that was just begun has heard nothing yet; one whose clock was set back does not wait for it.
      if (phase.nextSurveyMs === 0 || leftMs > pauseMs) return rest(draft, soonMs);
      if (leftMs <= 0) survey(draft);
      return;
    }
    const waitedMs = nowMs - phase.sinceMs;
    if (waitedMs < 0) return enter(draft, { ...phase, sinceMs: nowMs });
    if (waitedMs <= contracts['survey-senses'].waitMs) return;
    draft.withdraw(phase.job);
    rest(draft, soonMs);
  },

  /** Recoveries do not concern it. */
  beginAnew() {},

  take(draft, finished) {
    if (draft.state.watches.senses.kind !== 'surveying') return;
    const found = foundBy(finished);
    if (found === null) return rest(draft, soonMs);
    if (found.count === 0) clearPart(draft, ({ refusal }) => refusal.name === 'too-few-senses');
    else raise(draft, { name: 'too-few-senses', ...found });
    rest(draft, pauseMs);
  },

  wants: () => null,
};

function survey(draft: Draft): void {
  const { nowMs, rules } = draft;
  const job = draft.surveyJob({ isProven: rules.fencing === 'required', requestedAtMs: nowMs });
  enter(draft, { kind: 'surveying', sinceMs: nowMs, job });
}

function rest(draft: Draft, ms: number): void {
  enter(draft, { kind: 'resting', nextSurveyMs: draft.nowMs + ms });
}

function enter(draft: Draft, senses: SurveyPhase): void {
  draft.state.watches = { ...draft.state.watches, senses };
}

/** Null: the survey failed; the refresh of a round fails with it and says so. */
function foundBy({ job, outcome }: Finished) {
  if (job !== 'survey-senses' || outcome.state !== 'done' || !outcome.result.ok) return null;
  const { unjudged, count, of } = outcome.result;
  return { unjudged, count, of };
}
