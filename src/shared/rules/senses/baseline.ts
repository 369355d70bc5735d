// The baseline: the silence of somebody who never spoke is no evidence, nor is that of a guest that fell silent while all
// was well with its host. A vantage point takes a target for silent only where it heard it before; the real scanner, the
// survey of the senses and the simulation's vantage points ask the same rule. Pure.
import type { ScanFinding, ScanTarget } from '../../documents/jobs/scan.ts';

/** A host must have been heard within this: longer ago it may have had another address, firewall or network. */
export const heardWithinMs = 86_400_000;

/** What a person reads of a target that gave no answer now, by what was heard of it before. */
const details = {
  never: 'never heard from here',
  'gone-mute': 'did not answer any more while its host was well',
} as const;

/** An answer of an address to a vantage point. */
export interface HeardAddress {
  /** When it answered last, ms since the epoch. */
  readonly atMs: number;
  /** The id of the instance whose address it was then; null: not noted, as by older versions, or no instance's. */
  readonly of: string | null;
  /** It was asked in vain since then, again and again, while all was well with its host (ns4/baseline/mute-watch.ts). */
  readonly isMute: boolean;
}

/** Whose silence is in question: of a guest `name` is the instance's id. */
export interface Silent extends Pick<ScanTarget, 'name' | 'kind'> {
  /** An answer before this is not its own: a guest's launch. Absent: a day ago. */
  readonly heardSinceMs?: number | undefined;
}

/** heard: its silence testifies; gone-mute: it fell silent for reasons of its own; never: it never spoke. */
export type Past = 'heard' | 'never' | 'gone-mute';

/**
 * What answers of its addresses, of one vantage point or several, make of a silence. An answer that the address gave as
 * another instance's is not its own. A last answer in the future (somebody set the clock back) counts.
 */
export function pastOf(
  { name, kind, heardSinceMs }: Silent,
  answers: readonly HeardAddress[],
  nowMs: number,
): Past {
  const sinceMs = heardSinceMs ?? nowMs - heardWithinMs;
  const isOwn = ({ of }: HeardAddress) => kind !== 'guest' || of === null || of === name;
  const own = answers.filter((answer) => answer.atMs >= sinceMs && isOwn(answer));
  if (own.length === 0) return 'never';
  return own.some(({ isMute }) => !isMute) ? 'heard' : 'gone-mute';
}

/**
 * The finding as it may be reported: a silence that tells nothing is unknown. An answer stays one, and the scanner's own
 * trouble stays that. `answers`: what this vantage point heard of its addresses before this scan.
 */
export function withBaseline(
  finding: ScanFinding,
  target: Silent,
  answers: readonly HeardAddress[],
  nowMs: number,
): ScanFinding {
  if (finding.state !== 'silent') return finding;
  const past = pastOf(target, answers, nowMs);
  if (past === 'heard') return finding;
  return {
    ...{ state: 'unknown', neverHeard: true, detail: details[past] },
    ...(past === 'gone-mute' ? { goneMute: true } : {}),
  };
}
