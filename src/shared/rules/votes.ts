// What several vantage points saw together: one that hears a target proves that it lives, so many sighted ones
// must agree that it is silent, and a blind one does not count. Pure.

import type { ScanFinding, ScanResult, VantagePointReport } from '../documents/jobs/scan.ts';
import type { Refusal } from '../documents/refusals/refusals.ts';
import { counted } from '../ground/counted.ts';

/** What one vantage point brought back; null when it did not answer in time. */
export interface Vote {
  readonly vantagePoint: string;
  readonly result: ScanResult | null;
}

type SeenScan = ScanResult & { ok: true };
interface VantagePoint {
  readonly name: string;
  readonly scan: SeenScan;
}

/**
 * One result of all votes. Targets: `answers` when any vantage point heard them, be it blind otherwise; `silent` when
 * at least `quorum` sighted vantage points found them silent and none heard them; else `unknown`, with `neverHeard` when
 * none heard them before either. Outcome: `seen` with
 * at least `quorum` sighted vantage points, `blind` when so many scanned but fewer are sighted,
 * `too-few-vantage-points` when fewer scanned at all. When the scans of so many failed and nobody's did not, it is a
 * failed scan.
 */
export function mergeScans(votes: readonly Vote[], quorum: number): ScanResult {
  const sorted = [...votes].sort((a, b) =>
    a.vantagePoint < b.vantagePoint ? -1 : a.vantagePoint > b.vantagePoint ? 1 : 0,
  );
  const answered = sorted.flatMap(({ vantagePoint, result }) =>
    result?.ok ? [{ name: vantagePoint, scan: result }] : [],
  );
  const failed = sorted.flatMap(({ vantagePoint, result }) =>
    result !== null && !result.ok ? [{ name: vantagePoint, detail: result.detail }] : [],
  );
  const sighted = answered.filter(({ scan }) => scan.outcome === 'seen');
  if (answered.length === 0 && failed.length >= quorum)
    return {
      ok: false,
      detail: failed.map(({ name, detail }) => (votes.length > 1 ? `${name}: ${detail}` : detail)).join('; '),
    };
  const several = votes.length > 1 || quorum > 1;
  const merge = (of: 'targets' | 'controls', judge: (vantagePoints: readonly Witness[]) => ScanFinding) => {
    const names = new Set(answered.flatMap(({ scan }) => Object.keys(scan[of])));
    return Object.fromEntries(
      [...names].map((name) => [
        name,
        judge(answered.map((vantagePoint) => witness(vantagePoint, vantagePoint.scan[of][name]))),
      ]),
    );
  };
  return {
    ok: true,
    outcome:
      sighted.length >= quorum ? 'seen' : answered.length >= quorum ? 'blind' : 'too-few-vantage-points',
    targets: merge('targets', (vantagePoints) => judgeTarget(vantagePoints, quorum, several)),
    controls: merge('controls', (vantagePoints) => judgeControl(vantagePoints, quorum, several)),
    tookMs: Math.max(0, ...answered.map(({ scan }) => scan.tookMs)),
    vantagePoints: sorted.map(({ vantagePoint, result }) => reportOf(vantagePoint, result)),
    quorum,
  };
}

interface Witness {
  readonly vantagePoint: string;
  readonly sighted: boolean;
  readonly finding: ScanFinding;
}

function witness({ name, scan }: VantagePoint, finding: ScanFinding | undefined): Witness {
  return {
    vantagePoint: name,
    sighted: scan.outcome === 'seen',
    finding: finding ?? { state: 'unknown', detail: 'not reported on' },
  };
}

function judgeTarget(vantagePoints: readonly Witness[], quorum: number, several: boolean): ScanFinding {
  const hearing = vantagePoints.find(({ finding }) => finding.state === 'answers');
  if (hearing)
    return several
      ? { state: 'answers', detail: `${hearing.finding.detail}, heard by ${hearing.vantagePoint}` }
      : hearing.finding;
  const [first, ...others] = vantagePoints.filter((e) => e.sighted && e.finding.state === 'silent');
  if (first && others.length + 1 >= quorum)
    return several
      ? { state: 'silent', detail: `${first.finding.detail}, ${toVantagePoints([first, ...others])}` }
      : first.finding;
  return undecided(vantagePoints, several);
}

/** A control is to prove sight: one vantage point's sight does not help the others. */
function judgeControl(vantagePoints: readonly Witness[], quorum: number, several: boolean): ScanFinding {
  const hearing = vantagePoints.filter(({ finding }) => finding.state === 'answers');
  const [first] = hearing;
  if (first && hearing.length >= quorum)
    return several
      ? { state: 'answers', detail: `${first.finding.detail}, ${toVantagePoints(hearing)}` }
      : first.finding;
  if (vantagePoints.length > 0 && vantagePoints.every(({ finding }) => finding.state === 'silent'))
    return several
      ? { state: 'silent', detail: `${vantagePoints[0]?.finding.detail}, ${toVantagePoints(vantagePoints)}` }
      : (vantagePoints[0] as Witness).finding;
  return undecided(vantagePoints, several);
}

/** "to 2 vantage points (ctl1, ctl2)". */
const toVantagePoints = (vantagePoints: readonly { vantagePoint: string }[]): string =>
  `to ${counted(vantagePoints.length, 'vantage point')} (${vantagePoints.map(({ vantagePoint }) => vantagePoint).join(', ')})`;

/** The votes as they stand: "ctl1 silent, ctl2 blind, ctl3 unknown (EMFILE at 10.0.0.1:22)". */
function undecided(vantagePoints: readonly Witness[], several: boolean): ScanFinding {
  const [only] = vantagePoints;
  if (!several && only)
    return only.finding.state === 'silent'
      ? { state: 'unknown', detail: 'the scanner is blind' }
      : only.finding;
  const votes = vantagePoints.map(({ vantagePoint, sighted, finding }) => {
    const why = finding.state === 'unknown' ? ` (${finding.detail})` : '';
    return `${vantagePoint} ${sighted || finding.state === 'answers' ? `${finding.state}${why}` : 'blind'}`;
  });
  const neverHeard = vantagePoints.length > 0 && vantagePoints.every(({ finding }) => finding.neverHeard);
  return {
    state: 'unknown',
    detail: votes.join(', ') || 'no vantage point looked',
    ...(neverHeard ? { neverHeard } : {}),
    ...(neverHeard && vantagePoints.some(({ finding }) => finding.goneMute) ? { goneMute: true } : {}),
  };
}

function reportOf(name: string, result: ScanResult | null): VantagePointReport {
  if (result === null) return { name, state: 'no-answer', silent: [], heard: [] };
  if (!result.ok) return { name, state: 'failed', silent: [], heard: [] };
  const named = (of: 'targets' | 'controls', state: ScanFinding['state']) =>
    Object.keys(result[of]).filter((target) => result[of][target]?.state === state);
  return {
    name,
    state: result.outcome === 'seen' ? 'sighted' : 'blind',
    silent: named('targets', 'silent'),
    heard: named('controls', 'answers'),
  };
}

/**
 * The vantage points that found all of `targets` silent and heard somebody of every set of `vouchers` themselves. A
 * vantage point that is sighted by the gateway alone may be blind for a whole zone, or for all guests: its silence
 * counts only together with what it heard itself.
 */
export function vantagePointsAgreeing(
  scan: SeenScan,
  targets: readonly string[],
  vouchers: readonly (readonly string[])[],
): string[] {
  const vantagePoints = scan.vantagePoints ?? [reportOf('the only one', scan)];
  return vantagePoints
    .filter(
      ({ state, silent, heard }) =>
        state === 'sighted' &&
        targets.every((target) => silent.includes(target)) &&
        vouchers.every((set) => set.some((name) => heard.includes(name))),
    )
    .map(({ name }) => name);
}

/** Are they so many as must agree? */
export function vouchedSilence(
  scan: SeenScan,
  targets: readonly string[],
  vouchers: readonly (readonly string[])[],
): boolean {
  return vantagePointsAgreeing(scan, targets, vouchers).length >= (scan.quorum ?? 1);
}

/** The names of the vantage points that scanned, blind or not, and of those that were asked and did not. */
function vantagePointsOf(scan: SeenScan): { readonly scanned: string[]; readonly missing: string[] } {
  const names = (wanted: boolean) =>
    (scan.vantagePoints ?? [])
      .filter(({ state }) => (state === 'sighted' || state === 'blind') === wanted)
      .map(({ name }) => name);
  return { scanned: names(true), missing: names(false) };
}

/** The refusal that a scan by fewer vantage points than must agree leads to. */
export function tooFewVantagePoints(hosts: readonly string[], scan: SeenScan): Refusal {
  const { scanned, missing } = vantagePointsOf(scan);
  return {
    name: 'too-few-vantage-points',
    hosts: [...hosts],
    vantagePoints: scanned,
    missing,
    quorum: scan.quorum ?? 1,
  };
}
