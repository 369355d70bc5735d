// The watch over hosts that were recovered and are away: is one of them heard again before Nova has cleared up there?
//
//   resting    until nextLookMs, then asks for a look at all of them; alarms that stand are said again in their time
//   looking    what they show -> alarm, its end, or a return that is in order; resting
//
// Recoveries under way are left out: ns4 asks for signs of life itself there.
import { contracts, type Finished } from '../../../../shared/documents/jobs/contracts.ts';
import {
  type AskedAbout,
  mostRecoveredAtOnce,
  type Shown,
} from '../../../../shared/documents/jobs/look-at-recovered.ts';
import type { RecoveryReport } from '../../../../shared/documents/jobs/recover.ts';
import type { Draft } from '../../state/draft.ts';
import type { Away, ReturnsPhase } from '../../state/returns.ts';
import type { Incident, State } from '../../state/state.ts';
import type { Watch } from '../../state/watch.ts';
import { saidAgainAtMs, silence, sound } from './alarm.ts';
import { judgeAway } from './judge.ts';

/** While something was heard the next look comes sooner: the alarm shall end when its reason does. */
const soonMs = 15_000;
/** The last moment that a calendar has. */
const neverMs = 8_640_000_000_000_000;

export const returnsWatch: Watch = {
  name: 'returns',

  awaited: ({ watches: { returns } }) => (returns.kind === 'looking' ? [returns.job] : []),

  dueAtMs(state) {
    const { returns } = state.watches;
    const lookMs =
      returns.kind === 'looking'
        ? returns.sinceMs + contracts['look-at-recovered'].waitMs + 1
        : incidentsAway(state).length > 0
          ? returns.nextLookMs
          : neverMs;
    const saidMs = returns.hosts.flatMap((away) =>
      away.alarm !== null && isAway(state, away) ? [saidAgainAtMs(away.alarm)] : [],
    );
    return Math.min(lookMs, ...saidMs);
  },

  tick(draft) {
    forgetClosed(draft);
    const phase = phaseOf(draft);
    const hosts = phase.hosts.map((away) => (isAway(draft.state, away) ? sound(draft, away) : away));
    if (hosts.some((away, i) => away !== phase.hosts[i])) enter(draft, { ...phase, hosts });
    goOn(draft);
  },

  /** Whom it looks at follows from the incidents at each look. */
  beginAnew() {},

  take(draft, finished) {
    const phase = phaseOf(draft);
    if (phase.kind !== 'looking') return;
    const shown = shownBy(finished);
    const hosts = phase.hosts.map((away) => {
      const seen = shown[away.host];
      return seen === undefined ? away : judged(draft, away, seen);
    });
    rest(draft, hosts);
  },

  wants: () => null,
};

/** An operator's word that nothing of the moved instances runs on a host; false: it is not away. */
export function clearByWord(draft: Draft, host: string, by: string): boolean {
  const phase = phaseOf(draft);
  const known = withAll(draft, phase.hosts);
  if (!known.some((away) => away.host === host)) return false;
  const hosts = known.map((away) =>
    away.host === host ? { ...silence(draft, away, 'word', by), isCleared: true } : away,
  );
  enter(draft, { ...phase, hosts });
  return true;
}

const phaseOf = (draft: Draft): ReturnsPhase => draft.state.watches.returns;

function enter(draft: Draft, returns: ReturnsPhase): void {
  draft.state.watches = { ...draft.state.watches, returns };
}

const incidentsAway = ({ incidents }: State): Incident[] =>
  incidents.filter(({ stage, recovery }) => stage === 'away' && recovery === null);

const isAway = (state: State, { incident }: Away): boolean =>
  incidentsAway(state).some(({ id }) => id === incident);

/** Hosts whose incidents ended: back in service, or suspected anew. */
function forgetClosed(draft: Draft): void {
  const phase = phaseOf(draft);
  const isOpen = ({ incident }: Away) => draft.state.incidents.some(({ id }) => id === incident);
  if (phase.hosts.every(isOpen)) return;
  for (const away of phase.hosts) if (!isOpen(away)) silence(draft, away, 'closed');
  enter(draft, { ...phase, hosts: phase.hosts.filter(isOpen) });
}

/** Looks when it is time; gives up a look that nobody carries out. */
function goOn(draft: Draft): void {
  const { nowMs, rules } = draft;
  const phase = phaseOf(draft);
  if (phase.kind === 'resting') {
    const leftMs = phase.nextLookMs - nowMs;
    // Further off than one period: the clock was set back meanwhile.
    if (leftMs <= 0 || leftMs > rules.monitorPeriodMs) look(draft, phase.hosts);
    return;
  }
  const waitedMs = nowMs - phase.sinceMs;
  if (waitedMs < 0) return enter(draft, { ...phase, sinceMs: nowMs });
  if (waitedMs <= contracts['look-at-recovered'].waitMs) return;
  draft.withdraw(phase.job);
  rest(draft, phase.hosts);
}

function look(draft: Draft, known: readonly Away[]): void {
  const { nowMs } = draft;
  const hosts = withAll(draft, known);
  const here = hosts.filter((away) => isAway(draft.state, away));
  if (here.length === 0) return;
  // Who stands in front is asked; whoever was asked goes to the end, so that all have their turn.
  const asked = here.slice(0, mostRecoveredAtOnce);
  const job = draft.recoveredJob({
    hosts: asked.map((away) => askedAbout(draft, away)),
    requestedAtMs: nowMs,
  });
  const others = hosts.filter((away) => !asked.includes(away));
  enter(draft, { kind: 'looking', sinceMs: nowMs, job, hosts: [...others, ...asked] });
}

function askedAbout(draft: Draft, away: Away): AskedAbout {
  const { host, reportedAtMs } = away;
  const last = reportsOf(draft, away).at(-1);
  const hasLeft = last?.instances.some(({ outcome }) => outcome !== 'recovered') ?? true;
  return { host, sinceMs: heardAfterMs(draft, host), reportedAtMs, hasLeft };
}

/** Of its recoveries, as far as they are remembered. */
const reportsOf = ({ state }: Draft, { incident }: Away): RecoveryReport[] =>
  state.reports.filter((report) => report.incident === incident);

/** With those that are away and were not looked at yet. */
function withAll(draft: Draft, known: readonly Away[]): Away[] {
  const news = incidentsAway(draft.state)
    .filter(({ id }) => !known.some(({ incident }) => incident === id))
    .map(
      ({ id, subject }): Away => ({
        ...{ host: subject.name, incident: id, reportedAtMs: null, reports: 0 },
        ...{ alarm: null, left: null, isChecked: false, isCleared: false },
      }),
    );
  return [...known, ...news];
}

function rest(draft: Draft, hosts: Away[]): void {
  const { nowMs, rules } = draft;
  const isStirring = hosts.some(
    ({ alarm, reports, isChecked }) => alarm !== null || (reports > 0 && !isChecked),
  );
  const pauseMs = isStirring ? Math.min(soonMs, rules.monitorPeriodMs) : rules.monitorPeriodMs;
  enter(draft, { kind: 'resting', nextLookMs: nowMs + pauseMs, hosts });
}

/** The last recovery of the host ended then. */
const heardAfterMs = (draft: Draft, host: string): number =>
  draft.incident(host)?.suspectedAtMs ?? draft.nowMs;

function shownBy({ job, outcome }: Finished): Readonly<Record<string, Shown>> {
  if (job !== 'look-at-recovered' || outcome.state !== 'done' || !outcome.result.ok) return {};
  return outcome.result.hosts;
}

function judged(draft: Draft, before: Away, shown: Shown): Away {
  const { nowMs, rules } = draft;
  const found = judgeAway({
    ...{ away: before, shown, nowMs, heartbeatPeriodMs: rules.heartbeatPeriodMs },
    sinceMs: heardAfterMs(draft, before.host),
    reports: reportsOf(draft, before),
    recoveries: draft.incident(before.host)?.recoveries ?? 0,
  });
  const { evidence, reportedAtMs, reports, left, twice, isCompleted, back } = found;
  const away = { ...before, reportedAtMs, reports, left };
  if (evidence.length === 0)
    return shown.unknown === null ? { ...silence(draft, away, 'silent'), isChecked: false } : away;
  if (twice !== null) return sound(draft, away, { evidence: [...evidence], ...twice });
  if (!isCompleted) return away;
  const quiet = silence(draft, away, 'completed');
  if (back === null || quiet.isChecked) return quiet;
  draft.say({ kind: 'return-checked', host: away.host, listed: back.listed });
  return { ...quiet, isChecked: true };
}
