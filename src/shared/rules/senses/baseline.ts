// The baseline: the silence of somebody who never spoke is no evidence. A vantage point takes a target for silent only
// where it heard it before; the real scanner and the simulation's ask the same rule. Pure.
import type { ScanFinding } from '../../documents/jobs/scan.ts';

/** A host must have been heard within this: longer ago it may have had another address, firewall or network. */
export const heardWithinMs = 86_400_000;

/** What a person reads of a target that gave no answer now and none before. */
const neverHeardDetail = 'never heard from here';

/** What is known of a target from before this scan. */
export interface HeardBefore {
  /** When one of its addresses answered this vantage point last, ms since the epoch; null: never, as far as is known. */
  readonly lastHeardMs: number | null;
  /** An answer before this is not its own: a guest's launch. Absent: a day ago. */
  readonly heardSinceMs?: number | undefined;
}

/**
 * The finding as it may be reported: a silence without an answer before is unknown. An answer stays one, and the
 * scanner's own trouble stays that. A last answer in the future (somebody set the clock back) counts.
 */
export function withBaseline(
  finding: ScanFinding,
  { lastHeardMs, heardSinceMs }: HeardBefore,
  nowMs: number,
): ScanFinding {
  if (finding.state !== 'silent') return finding;
  const sinceMs = heardSinceMs ?? nowMs - heardWithinMs;
  if (lastHeardMs !== null && lastHeardMs >= sinceMs) return finding;
  return { state: 'unknown', neverHeard: true, detail: neverHeardDetail };
}
