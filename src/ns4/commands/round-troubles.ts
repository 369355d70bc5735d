// What keeps all hypervisors at once from being recovered now: a scan that cannot be believed, a gate that stands. Pure.
import type { ScanResult } from '../../shared/documents/jobs/scan.ts';
import { refusalEntry } from '../../shared/documents/refusals/refusals.ts';
import type { Status } from '../../shared/documents/status.ts';
import { counted } from '../../shared/ground/counted.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import type { Remarked } from '../../shared/process/check.ts';
import { askGates } from '../../shared/rules/gates/gate.ts';
import { recoveryGates } from '../../shared/rules/gates/recovery-gates.ts';
import type { Policy } from '../../shared/rules/policy.ts';
import { tooFewVantagePoints } from '../../shared/rules/votes.ts';

/** Why nobody could be called dead by these scans, as words that follow a host's name; null: they can be believed. */
export function scanTrouble(scans: readonly ScanResult[]): string | null {
  for (const scan of scans) {
    if (!scan.ok) return `cannot be scanned: ${scan.detail}`;
    if (scan.outcome === 'blind')
      return 'could not be called silent: no hypervisor that lives answers the scan';
    if (scan.outcome === 'too-few-vantage-points') {
      const few = tooFewVantagePoints([], scan);
      if (few.name !== 'too-few-vantage-points') continue;
      return `could not be called silent: ${counted(few.vantagePoints.length, 'vantage point')} looked, [SCAN] quorum is ${few.quorum}`;
    }
  }
  return null;
}

interface Standing {
  readonly picture: Picture;
  /** As the monitor published it; null: none ever has. */
  readonly status: Pick<Status, 'incidents' | 'safeMode' | 'cooldown'> | null;
  /** The monitor that leads; null: none does. */
  readonly leader: string | null;
  /** How many are there. */
  readonly vantagePoints: number;
  readonly policy: Policy;
  readonly nowMs: number;
}

/** What would stop the recovery of one host that died now, whichever it is. */
export function gatesText(about: Standing): Remarked {
  const { status, leader, vantagePoints } = about;
  const gate = standingGate(about);
  const missing = [
    ...(leader === null ? ['no monitor leads now'] : []),
    ...(vantagePoints === 0 ? ['no ns4 runs now'] : []),
  ].join(', and ');
  // Before the first start that is as it should be.
  const isNew = status === null && leader === null;
  const found = gate === null ? 'none stands in the way' : gate.name;
  return {
    found: isNew && missing !== '' ? `${found}; ${missing}` : found,
    warnings: [
      ...(gate === null ? [] : [gate.text]),
      ...(isNew || missing === '' ? [] : [`${missing}: nothing is recovered until then`]),
    ],
  };
}

function standingGate({ picture, status, policy, nowMs }: Standing): { name: string; text: string } | null {
  const recovering = status?.incidents.filter(({ recovery }) => recovery !== null).length ?? 0;
  const refusal = askGates(
    recoveryGates,
    {
      ...{ hosts: ['one'], perhapsDead: [], untold: [], recovering, nowMs },
      safeMode: status?.safeMode ?? null,
      cooldown: status?.cooldown ?? null,
    },
    picture,
    policy,
    [],
  );
  if (refusal === null) return null;
  const { means, remedy } = refusalEntry(refusal);
  const text = `nothing would be recovered now: ${means}; what to do: ${remedy}`;
  return { name: refusal.name, text: text.replaceAll('`', '') };
}
