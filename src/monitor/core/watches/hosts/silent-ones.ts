// From the scan of the suspects to those that are judged further: silent ones, and those of whom nobody ever heard. Pure.
import type { JobOutcome } from '../../../../shared/documents/jobs/contracts.ts';
import { disksName } from '../../../../shared/rules/disks.ts';
import type { Draft } from '../../state/draft.ts';
import { findingOf, type Judgement, judgeEach, type SeenScan, scannersOf, usableScan } from './judging.ts';

interface SilentOne {
  readonly host: string;
  /** What the scan saw. */
  readonly detail: string;
  /** Its address never answered, so this silence is no evidence, and only its guests can tell. */
  readonly neverHeard: boolean;
}

/** What the host scan found. */
interface SilentOnes {
  readonly hosts: readonly SilentOne[];
  /** Who scanned. */
  readonly vantagePoints: readonly string[];
}

/** The suspects that are judged further; for each other one a refusal. */
export function silentOnes(
  draft: Draft,
  outcome: JobOutcome<'scan'>,
  suspects: readonly string[],
): SilentOnes {
  const scan = usableScan(draft, outcome, 'hosts', suspects);
  if (scan === null) return { hosts: [], vantagePoints: [] };
  const judged = { of: 'hosts', scan, hosts: suspects, controls: Object.keys(scan.controls) } as const;
  const hosts = judgeEach(draft, judged, (host) => judgeSuspect(scan, host));
  return { hosts, vantagePoints: scannersOf(scan) };
}

function judgeSuspect(scan: SeenScan, host: string): Judgement<SilentOne> {
  const finding = findingOf(scan, host);
  const { detail, neverHeard = false } = finding;
  // An answer is an answer, however blind the scanner is otherwise.
  if (finding.state === 'answers') return { refusal: { name: 'host-answers', host, on: detail } };
  const disks = scan.targets[disksName(host)];
  if (disks?.state === 'answers') return { refusal: { name: 'disks-open', host, on: disks.detail } };
  if (scan.outcome === 'too-few-vantage-points') return 'unseen';
  if (scan.outcome === 'blind') return 'blind';
  if (finding.state === 'unknown' && !neverHeard) return { refusal: { name: 'scan-unknown', host, detail } };
  return { found: { host, detail, neverHeard } };
}
