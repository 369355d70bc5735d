// From scan results to verdicts: which suspects are silent, which of them are dead. Everything else is a refusal. Pure.
import type { JobOutcome } from '../../../../shared/documents/jobs/contracts.ts';
import type { ScanFinding, ScanResult } from '../../../../shared/documents/jobs/scan.ts';
import type { Refusal } from '../../../../shared/documents/refusals/refusals.ts';
import { shortened } from '../../../../shared/documents/terms/shortened.ts';
import type { Picture } from '../../../../shared/picture/picture.ts';
import { heartbeatOf } from '../../../../shared/rules/senses/heartbeat.ts';
import {
  tooFewVantagePoints,
  vantagePointsAgreeing,
  vouchedSilence,
} from '../../../../shared/rules/votes.ts';
import { raise } from '../../incidents/raised.ts';
import type { DeadHost } from '../../recoveries/begin.ts';
import type { Draft } from '../../state/draft.ts';
import type { HostsPhase } from '../../state/state.ts';

type SeenScan = ScanResult & { ok: true };
type GuestsPhase = HostsPhase & { kind: 'scanning-guests' };
/** What the scan found of an instance, the witness of this name. */
type Testimony = { readonly name: string; readonly finding: ScanFinding };

/** What a scan tells of one host: what was found, a refusal of its own, or one that it shares with others like it. */
type Judgement<F> = { readonly found: F } | { readonly refusal: Refusal } | 'unseen' | 'blind';

/** The suspects that a scan found silent, with what it saw; for each other one a refusal. */
export function silentOnes(
  draft: Draft,
  outcome: JobOutcome<'scan'>,
  suspects: readonly string[],
): Record<string, string> {
  const scan = usableScan(draft, outcome, 'hosts', suspects);
  if (scan === null) return {};
  const judged = { of: 'hosts', scan, hosts: suspects, controls: Object.keys(scan.controls) } as const;
  return Object.fromEntries(judgeEach(draft, judged, (host) => judgeSuspect(scan, host)));
}

function judgeSuspect(scan: SeenScan, host: string): Judgement<[host: string, detail: string]> {
  const finding = findingOf(scan, host);
  // An answer is an answer, however blind the scanner is otherwise.
  if (finding.state === 'answers') return { refusal: { name: 'host-answers', host, on: finding.detail } };
  if (scan.outcome === 'too-few-vantage-points') return 'unseen';
  if (scan.outcome === 'blind') return 'blind';
  if (finding.state === 'unknown') return { refusal: { name: 'scan-unknown', host, detail: finding.detail } };
  return { found: [host, finding.detail] };
}

/**
 * The silent hosts that are dead: all of whose witnesses are silent too. For each other one a refusal: one answering
 * instance makes a host unreachable, not dead.
 */
export function judgeWitnesses(
  draft: Draft,
  outcome: JobOutcome<'scan'>,
  phase: GuestsPhase,
  picture: Picture | null,
): DeadHost[] {
  const hosts = Object.keys(phase.silent);
  const scan = usableScan(draft, outcome, 'guests', hosts);
  if (scan === null) return [];
  const isDark = scan.outcome !== 'blind' && phase.controlGuests.length > 0;
  const controls = isDark ? phase.controlGuests.map(({ name }) => name) : Object.keys(scan.controls);
  return judgeEach(draft, { of: 'guests', scan, hosts, controls }, (host) => {
    const seen = testimonyOf(host, scan, phase);
    const silent = namesOf(seen, 'silent');
    const answering = namesOf(seen, 'answers');
    if (answering.length > 0)
      return { refusal: { name: 'guests-answer', host, answering, silent: silent.length } };
    const unheard = silence(draft, host, phase, picture);
    return phase.unwitnessed.includes(host)
      ? judgeByItself(host, scan, phase, unheard, picture)
      : judgeBySilence(host, scan, phase, unheard);
  });
}

const testimonyOf = (host: string, scan: SeenScan, { witnesses }: GuestsPhase): Testimony[] =>
  (witnesses[host] ?? []).map(({ target, name }) => ({
    name,
    finding: findingOf(scan, target, 'not reported on'),
  }));

/**
 * None of its witnesses answers. One that could not be scanned makes the host undecided. When
 * guests of healthy hypervisors were probed along and none of them answers, the external network is dark for this
 * scanner and nobody can be judged by it; of several vantage points, each must have heard such a guest itself, or its
 * silence does not count.
 */
function judgeBySilence(
  host: string,
  scan: SeenScan,
  phase: GuestsPhase,
  unheard: readonly string[],
): Judgement<DeadHost> {
  const seen = testimonyOf(host, scan, phase);
  const silent = namesOf(seen, 'silent');
  if (scan.outcome === 'too-few-vantage-points') return 'unseen';
  const guests = phase.controlGuests.map(({ target }) => target);
  const vouchers = guests.length > 0 ? [guests] : [];
  if (scan.outcome === 'blind' || !vouchedSilence(scan, [], vouchers)) return 'blind';
  // Who never spoke cannot testify, and hinders nobody who can.
  const unknown = seen.find((w) => w.finding.state === 'unknown' && w.finding.neverHeard !== true);
  if (unknown || silent.length === 0) {
    const detail = unknown
      ? `its instance ${unknown.name}: ${unknown.finding.detail}`
      : seen.length > 0
        ? 'none of its instances was ever heard'
        : 'no witness was scanned';
    return { refusal: { name: 'scan-unknown', host, detail } };
  }
  const witnesses = (phase.witnesses[host] ?? [])
    .map(({ target }) => target)
    .filter((target) => findingOf(scan, target).neverHeard !== true);
  const agreeing = vantagePointsAgreeing(scan, witnesses, vouchers);
  if (agreeing.length < (scan.quorum ?? 1)) return 'blind';
  const evidence = [
    ...unheard,
    `its instances do not answer (${shortened(silent, 5)})`,
    ...controlsAnswer(scan, agreeing),
  ];
  return { found: { host, witnesses, evidence } };
}

/**
 * Without witnesses, where fencing is to prove it: its own silence counts alone, so it is the control hosts that must
 * answer; answering guests are no help. Configured controls stand in only where no hypervisor was asked.
 */
function judgeByItself(
  host: string,
  scan: SeenScan,
  phase: GuestsPhase,
  unheard: readonly string[],
  picture: Picture | null,
): Judgement<DeadHost> {
  const finding = findingOf(scan, host);
  const isGuest = new Set(phase.controlGuests.map(({ target }) => target));
  const others = Object.keys(scan.controls).filter((name) => !isGuest.has(name));
  const hypervisors = others.filter((name) => picture?.hypervisor(name) !== undefined);
  const controlHosts = hypervisors.length > 0 ? hypervisors : others;
  if (finding.state === 'answers') return { refusal: { name: 'host-answers', host, on: finding.detail } };
  if (scan.outcome === 'too-few-vantage-points') return 'unseen';
  if (!vouchedSilence(scan, [], [controlHosts])) return 'blind';
  if (finding.state === 'unknown') return { refusal: { name: 'scan-unknown', host, detail: finding.detail } };
  if (!vouchedSilence(scan, [host], [controlHosts])) return 'blind';
  const evidence = [
    ...unheard,
    'none of its instances could testify, so fencing has to prove it',
    ...controlsAnswer(scan, vantagePointsAgreeing(scan, [host], [controlHosts])),
  ];
  return { found: { host, witnesses: [host], evidence } };
}

/** Judges each host; the refusals are raised, those that hosts share once for all of them. */
function judgeEach<F>(
  draft: Draft,
  asked: {
    readonly of: 'hosts' | 'guests';
    readonly scan: SeenScan;
    readonly hosts: readonly string[];
    /** Named when the scanner was blind: who should have answered it. */
    readonly controls: readonly string[];
  },
  judge: (host: string) => Judgement<F>,
): F[] {
  const { of, scan, hosts, controls } = asked;
  const found: F[] = [];
  const blindFor: string[] = [];
  const unseen: string[] = [];
  for (const host of hosts) {
    const judgement = judge(host);
    if (judgement === 'unseen') unseen.push(host);
    else if (judgement === 'blind') blindFor.push(host);
    else if ('refusal' in judgement) raise(draft, judgement.refusal);
    else found.push(judgement.found);
  }
  if (unseen.length > 0) raise(draft, tooFewVantagePoints(unseen, scan));
  if (blindFor.length > 0)
    raise(draft, { name: 'scanner-blind', of, hosts: blindFor, controls: [...controls] });
  return found;
}

const findingOf = (
  scan: SeenScan,
  target: string,
  otherwise = 'the scan did not report on it',
): ScanFinding => scan.targets[target] ?? { state: 'unknown', detail: otherwise };

const namesOf = (seen: readonly Testimony[], state: ScanFinding['state']): string[] =>
  seen.filter(({ finding }) => finding.state === state).map(({ name }) => name);

/** What every verdict rests on. */
const silence = (draft: Draft, host: string, phase: GuestsPhase, picture: Picture | null): string[] => [
  ...(picture === null ? [] : [`no heartbeat (${heartbeatOf(host, picture, draft.nowMs, draft.rules).why})`]),
  `the host does not answer (${phase.silent[host]})`,
];

/** Bystanders that did not answer the guest scan: silence and trouble count alike, as the doubt is about acting. */
export function silentBystanders(outcome: JobOutcome<'scan'>, phase: GuestsPhase): string[] {
  const targets = outcome.state === 'done' && outcome.result.ok ? outcome.result.targets : {};
  return phase.bystanders.filter((host) => targets[host]?.state !== 'answers');
}

/**
 * The scan, if there was one; otherwise a refusal for its hosts: a scan that failed says nothing (defect 2 of the
 * original).
 */
function usableScan(
  draft: Draft,
  outcome: JobOutcome<'scan'>,
  of: 'hosts' | 'guests',
  hosts: readonly string[],
): SeenScan | null {
  const result: ScanResult =
    outcome.state === 'done'
      ? outcome.result
      : {
          ok: false,
          detail: outcome.state === 'failed' ? outcome.detail : 'the job vanished from the queue',
        };
  if (result.ok) return result;
  const { detail } = result;
  raise(draft, { name: 'scan-failed', of, hosts: [...hosts], detail });
  return null;
}

/** That the scan can be believed; `agreeing` are the vantage points that found the same. */
function controlsAnswer(scan: SeenScan, agreeing: readonly string[]): string[] {
  const all = Object.values(scan.controls);
  const answering = all.filter(({ state }) => state === 'answers');
  const vantagePoints = scan.vantagePoints?.length ?? 1;
  return [
    `the controls answer (${answering.length} of ${all.length})`,
    ...(vantagePoints > 1
      ? [`${agreeing.length} of ${vantagePoints} vantage points saw it so (${agreeing.join(', ')})`]
      : []),
  ];
}
