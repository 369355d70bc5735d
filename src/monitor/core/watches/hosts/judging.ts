// What the scans of hosts and of guests have in common when they are judged: a scan that failed or is void refuses for
// all of its hosts, each other host is judged by itself. Pure.
import type { JobOutcome } from '../../../../shared/documents/jobs/contracts.ts';
import type { ScanFinding, ScanResult } from '../../../../shared/documents/jobs/scan.ts';
import type { Refusal } from '../../../../shared/documents/refusals/refusals.ts';
import { tooFewVantagePoints } from '../../../../shared/rules/votes.ts';
import { raise } from '../../incidents/raised.ts';
import type { Draft } from '../../state/draft.ts';

export type SeenScan = ScanResult & { ok: true };

/** What a scan tells of one host: what was found, a refusal of its own, or one that it shares with others like it. */
export type Judgement<F> = { readonly found: F } | { readonly refusal: Refusal } | 'unseen' | 'blind';

/** Judges each host; the refusals are raised, those that hosts share once for all of them. */
export function judgeEach<F>(
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

export const findingOf = (
  scan: SeenScan,
  target: string,
  otherwise = 'the scan did not report on it',
): ScanFinding => scan.targets[target] ?? { state: 'unknown', detail: otherwise };

/**
 * The scan, if there was one; otherwise a refusal for its hosts: a scan that failed says nothing (defect 2 of the
 * original).
 */
export function usableScan(
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

/** The names of the vantage points that scanned. */
export const scannersOf = ({ vantagePoints = [] }: SeenScan): string[] =>
  vantagePoints.filter(({ state }) => state === 'sighted' || state === 'blind').map(({ name }) => name);
