// From scan results to verdicts: which suspects are silent, which of them are dead. Everything else is a refusal. Pure.
import type { JobOutcome } from '../../../../shared/documents/jobs/contracts.ts';
import type { ScanResult } from '../../../../shared/documents/jobs/scan.ts';

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

/** The suspects that a scan found silent, with what it saw; for each other one a refusal. */
export function silentOnes(
  draft: Draft,
  outcome: JobOutcome<'scan'>,
  suspects: readonly string[],
): Record<string, string> {
  const scan = usableScan(draft, outcome, 'hosts', suspects);
  if (scan === null) return {};
  const silent: Record<string, string> = {};
  const blindFor: string[] = [];
  const unseen: string[] = [];
  for (const host of suspects) {
    const finding = scan.targets[host] ?? { state: 'unknown', detail: 'the scan did not report on it' };
    // An answer is an answer, however blind the scanner is otherwise.
    if (finding.state === 'answers') raise(draft, { name: 'host-answers', host, on: finding.detail });
    else if (scan.outcome === 'too-few-vantage-points') unseen.push(host);
    else if (scan.outcome === 'blind') blindFor.push(host);
    else if (finding.state === 'unknown')
      raise(draft, { name: 'scan-unknown', host, detail: finding.detail });
    else silent[host] = finding.detail;
  }
  if (unseen.length > 0) raise(draft, tooFewVantagePoints(unseen, scan));
  if (blindFor.length > 0)
    raise(draft, {
      name: 'scanner-blind',
      of: 'hosts',
      hosts: blindFor,
      controls: Object.keys(scan.controls),
    });
  return silent;
}

/**
 * The silent hosts all of whose witnesses are silent too. One answering instance makes a host unreachable, not dead;
 * one that could not be scanned makes it undecided. When guests of healthy hypervisors were probed along and none of
 * them answers, the external network is dark for this scanner and nobody can be judged by it; of several vantage
 * points, each must have heard such a guest itself, or its silence does not count. One without witnesses is here only
 * where fencing is required: its own silence to a sighted scanner is enough to have it fenced.
 */
export function judgeWitnesses(
  draft: Draft,
  outcome: JobOutcome<'scan'>,
  phase: HostsPhase & { kind: 'scanning-guests' },
): DeadHost[] {
  const hosts = Object.keys(phase.silent);
  const scan = usableScan(draft, outcome, 'guests', hosts);
  if (scan === null) return [];
  const guests = phase.controlGuests.map(({ target }) => target);
  const vouchers = guests.length > 0 ? [guests] : [];
  const dead: DeadHost[] = [];
  const blindFor: string[] = [];
  const unseen: string[] = [];
  for (const host of hosts) {
    const seen = (phase.witnesses[host] ?? []).map(({ target, name }) => ({
      name,
      target,
      finding: scan.targets[target] ?? { state: 'unknown' as const, detail: 'not reported on' },
    }));
    const answering = seen.filter((w) => w.finding.state === 'answers').map((w) => w.name);
    const silent = seen.filter((w) => w.finding.state === 'silent').map((w) => w.name);
    const witnesses = seen.map((w) => w.target);
    const agreeing = vantagePointsAgreeing(scan, witnesses, vouchers);
    const unknown = seen.find((w) => w.finding.state === 'unknown');
    if (answering.length > 0) raise(draft, { name: 'guests-answer', host, answering, silent: silent.length });
    else if (phase.unwitnessed.includes(host)) judgeUnwitnessed(host, scan);
    else if (scan.outcome === 'too-few-vantage-points') unseen.push(host);
    else if (scan.outcome === 'blind' || !vouchedSilence(scan, [], vouchers)) blindFor.push(host);
    else if (unknown || silent.length === 0)
      raise(draft, {
        name: 'scan-unknown',
        host,
        detail: unknown
          ? `its instance ${unknown.name}: ${unknown.finding.detail}`
          : 'no witness was scanned',
      });
    else if (agreeing.length < (scan.quorum ?? 1)) blindFor.push(host);
    else
      dead.push({
        host,
        witnesses,
        evidence: [
          ...silence(draft, host, phase),
          `its instances do not answer (${silent.slice(0, 5).join(', ')}${silent.length > 5 ? ` and ${silent.length - 5} more` : ''})`,
          ...controlsAnswer(scan, agreeing),
        ],
      });
  }

  /** Its own silence counts alone, so it is the control hosts that must answer; answering guests are no help. */
  function judgeUnwitnessed(host: string, seen: SeenScan): void {
    const finding = seen.targets[host] ?? { state: 'unknown', detail: 'the scan did not report on it' };
    const controlHosts = Object.keys(seen.controls).filter((name) => !guests.includes(name));
    if (finding.state === 'answers') raise(draft, { name: 'host-answers', host, on: finding.detail });
    else if (seen.outcome === 'too-few-vantage-points') unseen.push(host);
    else if (!vouchedSilence(seen, [], [controlHosts])) blindFor.push(host);
    else if (finding.state === 'unknown')
      raise(draft, { name: 'scan-unknown', host, detail: finding.detail });
    else if (!vouchedSilence(seen, [host], [controlHosts])) blindFor.push(host);
    else
      dead.push({
        host,
        witnesses: [host],
        evidence: [
          ...silence(draft, host, phase),
          'none of its instances could testify, so fencing has to prove it',
          ...controlsAnswer(seen, vantagePointsAgreeing(seen, [host], [controlHosts])),
        ],
      });
  }

  if (unseen.length > 0) raise(draft, tooFewVantagePoints(unseen, scan));
  if (blindFor.length > 0) {
    const dark = scan.outcome !== 'blind' && guests.length > 0;
    const controls = dark ? phase.controlGuests.map(({ name }) => name) : Object.keys(scan.controls);
    raise(draft, { name: 'scanner-blind', of: 'guests', hosts: blindFor, controls });
  }
  return dead;
}

/** What every verdict rests on. */
const silence = (draft: Draft, host: string, phase: HostsPhase & { kind: 'scanning-guests' }): string[] => [
  `no heartbeat of its agents for more than ${draft.rules.heartbeatPeriodMs / 1000} s`,
  `the host does not answer (${phase.silent[host]})`,
];

/** Bystanders that did not answer the guest scan: silence and trouble count alike, as the doubt is about acting. */
export function silentBystanders(
  outcome: JobOutcome<'scan'>,
  phase: HostsPhase & { kind: 'scanning-guests' },
): string[] {
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
