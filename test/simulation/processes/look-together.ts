// A scan by all vantage points there are. The real merging of what they saw; who is asked and waited for is a simple
// picture of shared/vantage-points/ask-all.ts: a dead vantage point is not asked, one that stands still or is cut off
// is waited for until it counts as gone.

import type { ScanResult } from '../../../src/shared/documents/jobs/scan.ts';
import { mergeScans, type Vote } from '../../../src/shared/rules/votes.ts';
import { vantagePointLifeMs } from '../../../src/shared/vantage-points/registry.ts';
import type { ScanQuestion, SeenScan, VantagePoint } from './vantage-point.ts';

export interface ScanSeat {
  readonly vantagePoint: VantagePoint;
  /** Null: nobody sits there. */
  readonly process: { readonly running: boolean } | null;
  readonly redisLine: { readonly cut: boolean };
}

/** What all saw together, and what each of them truly saw. */
export interface ScanTogether {
  readonly result: ScanResult;
  readonly seen: readonly SeenScan[];
  readonly tookMs: number;
}

/** So long more vantage points are waited for when they are too few. */
const tooFewMs = 11_000;

export function lookTogether(
  seats: readonly ScanSeat[],
  quorum: number,
  question: ScanQuestion,
): ScanTogether {
  const votes: Vote[] = [];
  const seen: SeenScan[] = [];
  let tookMs = 50;
  for (const { vantagePoint, process, redisLine } of seats) {
    if (process === null) continue;
    if (!process.running || redisLine.cut) {
      votes.push({ vantagePoint: vantagePoint.name, result: null });
      tookMs = Math.max(tookMs, vantagePointLifeMs);
    } else if (vantagePoint.fails())
      votes.push({ vantagePoint: vantagePoint.name, result: { ok: false, detail: 'no socket' } });
    else {
      const look = vantagePoint.look(question);
      seen.push(look.result);
      votes.push({ vantagePoint: vantagePoint.name, result: look.result });
      tookMs = Math.max(tookMs, look.tookMs);
    }
  }
  if (votes.length < quorum) tookMs = Math.max(tookMs, tooFewMs);
  return { result: mergeScans(votes, quorum), seen, tookMs };
}
