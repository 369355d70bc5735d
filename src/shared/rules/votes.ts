// What several vantage points (eyes) saw together: one that hears a target proves that it lives, so many sighted ones
// must agree that it is silent, and a blind one does not count. Pure.

import type { EyeReport, ScanFinding, ScanResult } from '../documents/jobs/scan.ts';
import type { Refusal } from '../documents/refusals/refusals.ts';

/** What one eye brought back; null when it did not answer in time. */
export interface Vote {
  readonly eye: string;
  readonly result: ScanResult | null;
}

type SeenScan = ScanResult & { ok: true };
interface Eye {
  readonly name: string;
  readonly scan: SeenScan;
}

/**
 * One result of all votes. Targets: `answers` when any eye heard them, be it blind otherwise; `silent` when at least
 * `quorum` sighted eyes found them silent and none heard them; else `unknown`. Outcome: `seen` with at least `quorum`
 * sighted eyes, `blind` when so many scanned but fewer are sighted, `too-few-eyes` when fewer scanned at all. When the
 * scans of so many failed and nobody's did not, it is a failed scan.
 */
export function mergeScans(votes: readonly Vote[], quorum: number): ScanResult {
  const sorted = [...votes].sort((a, b) => (a.eye < b.eye ? -1 : a.eye > b.eye ? 1 : 0));
  const answered = sorted.flatMap(({ eye, result }) => (result?.ok ? [{ name: eye, scan: result }] : []));
  const failed = sorted.flatMap(({ eye, result }) =>
    result !== null && !result.ok ? [{ name: eye, detail: result.detail }] : [],
  );
  const sighted = answered.filter(({ scan }) => scan.outcome === 'seen');
  if (answered.length === 0 && failed.length >= quorum)
    return {
      ok: false,
      detail: failed.map(({ name, detail }) => (votes.length > 1 ? `${name}: ${detail}` : detail)).join('; '),
    };
  const several = votes.length > 1 || quorum > 1;
  const merge = (of: 'targets' | 'controls', judge: (eyes: readonly Witness[]) => ScanFinding) => {
    const names = new Set(answered.flatMap(({ scan }) => Object.keys(scan[of])));
    return Object.fromEntries(
      [...names].map((name) => [name, judge(answered.map((eye) => witness(eye, eye.scan[of][name])))]),
    );
  };
  return {
    ok: true,
    outcome: sighted.length >= quorum ? 'seen' : answered.length >= quorum ? 'blind' : 'too-few-eyes',
    targets: merge('targets', (eyes) => judgeTarget(eyes, quorum, several)),
    controls: merge('controls', (eyes) => judgeControl(eyes, quorum, several)),
    tookMs: Math.max(0, ...answered.map(({ scan }) => scan.tookMs)),
    eyes: sorted.map(({ eye, result }) => reportOf(eye, result)),
    quorum,
  };
}

interface Witness {
  readonly eye: string;
  readonly sighted: boolean;
  readonly finding: ScanFinding;
}

function witness({ name, scan }: Eye, finding: ScanFinding | undefined): Witness {
  return {
    eye: name,
    sighted: scan.outcome === 'seen',
    finding: finding ?? { state: 'unknown', detail: 'not reported on' },
  };
}

function judgeTarget(eyes: readonly Witness[], quorum: number, several: boolean): ScanFinding {
  const hearing = eyes.find(({ finding }) => finding.state === 'answers');
  if (hearing)
    return several
      ? { state: 'answers', detail: `${hearing.finding.detail}, heard by ${hearing.eye}` }
      : hearing.finding;
  const [first, ...others] = eyes.filter((e) => e.sighted && e.finding.state === 'silent');
  if (first && others.length + 1 >= quorum)
    return several
      ? { state: 'silent', detail: `${first.finding.detail}, ${toEyes([first, ...others])}` }
      : first.finding;
  return undecided(eyes, several);
}

/** A control is to prove sight: one eye's sight does not help the others. */
function judgeControl(eyes: readonly Witness[], quorum: number, several: boolean): ScanFinding {
  const hearing = eyes.filter(({ finding }) => finding.state === 'answers');
  const [first] = hearing;
  if (first && hearing.length >= quorum)
    return several
      ? { state: 'answers', detail: `${first.finding.detail}, ${toEyes(hearing)}` }
      : first.finding;
  if (eyes.length > 0 && eyes.every(({ finding }) => finding.state === 'silent'))
    return several
      ? { state: 'silent', detail: `${eyes[0]?.finding.detail}, ${toEyes(eyes)}` }
      : (eyes[0] as Witness).finding;
  return undecided(eyes, several);
}

/** "to 2 eyes (ctl1, ctl2)". */
const toEyes = (eyes: readonly { eye: string }[]): string =>
  `to ${eyes.length === 1 ? '1 eye' : `${eyes.length} eyes`} (${eyes.map(({ eye }) => eye).join(', ')})`;

/** The votes as they stand: "ctl1 silent, ctl2 blind, ctl3 unknown (EMFILE at 10.0.0.1:22)". */
function undecided(eyes: readonly Witness[], several: boolean): ScanFinding {
  const [only] = eyes;
  if (!several && only)
    return only.finding.state === 'silent'
      ? { state: 'unknown', detail: 'the scanner is blind' }
      : only.finding;
  const votes = eyes.map(({ eye, sighted, finding }) => {
    const why = finding.state === 'unknown' ? ` (${finding.detail})` : '';
    return `${eye} ${sighted || finding.state === 'answers' ? `${finding.state}${why}` : 'blind'}`;
  });
  return { state: 'unknown', detail: votes.join(', ') || 'no eye looked' };
}

function reportOf(name: string, result: ScanResult | null): EyeReport {
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
 * The eyes that found all of `targets` silent and heard somebody of every set of `vouchers` themselves. An eye that is
 * sighted by the gateway alone may be blind for a whole zone, or for all guests: its silence counts only together with
 * what it heard itself.
 */
export function eyesAgreeing(
  scan: SeenScan,
  targets: readonly string[],
  vouchers: readonly (readonly string[])[],
): string[] {
  const eyes = scan.eyes ?? [reportOf('the only one', scan)];
  return eyes
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
  return eyesAgreeing(scan, targets, vouchers).length >= (scan.quorum ?? 1);
}

/** The names of the eyes that scanned, blind or not, and of those that were asked and did not. */
function eyesOf(scan: SeenScan): { readonly scanned: string[]; readonly missing: string[] } {
  const names = (wanted: boolean) =>
    (scan.eyes ?? [])
      .filter(({ state }) => (state === 'sighted' || state === 'blind') === wanted)
      .map(({ name }) => name);
  return { scanned: names(true), missing: names(false) };
}

/** The refusal that a scan by fewer eyes than must agree leads to. */
export function tooFewEyes(hosts: readonly string[], scan: SeenScan): Refusal {
  const { scanned, missing } = eyesOf(scan);
  return { name: 'too-few-eyes', hosts: [...hosts], eyes: scanned, missing, quorum: scan.quorum ?? 1 };
}
