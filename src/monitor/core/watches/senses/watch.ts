// The watch over senses: whom too few of them could tell dead is named, before he dies.
//
//   resting     until nextSurveyMs, then asks for a survey; the first one after a start with the first inventory
//   surveying   who is named -> said when it is news or the first since the start, over when it is nobody; resting
import { contracts, type Finished } from '../../../../shared/documents/jobs/contracts.ts';
import { clearPart, raise } from '../../incidents/raised.ts';
import type { Draft } from '../../state/draft.ts';
import type { Found } from '../../state/input.ts';
import type { SurveyPhase } from '../../state/survey.ts';
import type { Watch } from '../../state/watch.ts';

/** It changes with instances that come and go, and with firewalls: nothing that hurries. */
const pauseMs = 600_000;
/** On an empty Redis, or after a survey that failed: what has to be heard takes its time. */
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
      if (phase.nextSurveyMs === 0 || leftMs > pauseMs) return rest(draft, soonMs, phase.isFirst);
      if (leftMs <= 0) survey(draft);
      return;
    }
    const waitedMs = nowMs - phase.sinceMs;
    if (waitedMs < 0) return enter(draft, { ...phase, sinceMs: nowMs });
    if (waitedMs <= contracts['survey-senses'].waitMs) return;
    draft.withdraw(phase.job);
    rest(draft, soonMs, phase.isFirst);
  },

  /** Recoveries do not concern it. */
  beginAnew() {},

  take(draft, finished) {
    const phase = draft.state.watches.senses;
    if (phase.kind !== 'surveying') return;
    const found = foundBy(finished);
    if (found === null) return rest(draft, soonMs, phase.isFirst);
    if (found.count === 0) clearPart(draft, ({ refusal }) => refusal.name === 'too-few-senses');
    else raise(draft, { name: 'too-few-senses', ...found }, { isSaidAgain: phase.isFirst });
    rest(draft, pauseMs);
  },

  wants: () => null,
};

/**
 * A monitor takes the lead: whoever was named before is named once more, to those who look at it now. What the vantage
 * points heard lies in Redis; unless that was lost the first inventory is all that has to be waited for.
 */
export function surveyAfterStart(draft: Draft, found: Found): void {
  const phase = draft.state.watches.senses;
  if (phase.kind === 'surveying') return enter(draft, { ...phase, isFirst: true });
  rest(draft, soonMs, true, found === 'state');
}

function survey(draft: Draft): void {
  const { nowMs, rules } = draft;
  const phase = draft.state.watches.senses;
  const job = draft.surveyJob({ isProven: rules.fencing === 'required', requestedAtMs: nowMs });
  enter(draft, { kind: 'surveying', sinceMs: nowMs, job, isFirst: phase.isFirst });
}

function rest(draft: Draft, ms: number, isFirst = false, awaitsInventory = false): void {
  enter(draft, { kind: 'resting', nextSurveyMs: draft.nowMs + ms, isFirst, awaitsInventory });
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
