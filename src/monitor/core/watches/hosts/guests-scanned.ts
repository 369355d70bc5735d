// Phase `scanning-guests`: the verdict; whoever is dead goes through the gates. Pure.
import type { JobOutcome } from '../../../../shared/documents/jobs/contracts.ts';
import type { Picture } from '../../../../shared/picture/picture.ts';
import { clearPart } from '../../incidents/raised.ts';
import { recoverTheDead } from '../../recoveries/begin.ts';
import type { Draft } from '../../state/draft.ts';
import { freshMs } from '../../state/rules.ts';
import type { HostsPhase } from '../../state/state.ts';
import { vouchedFor } from './outages.ts';
import { endRound, giveUpRound } from './round.ts';
import { judgeWitnesses, silentBystanders } from './verdict.ts';

export function onGuestsScanned(
  draft: Draft,
  outcome: JobOutcome<'scan'>,
  picture: Picture | null,
  phase: HostsPhase & { kind: 'scanning-guests' },
): void {
  const found = judgeWitnesses(draft, outcome, phase, picture);
  const testimony = Object.fromEntries(found.map((d) => [d.host, d.witnesses]));
  const judged = vouchedFor(draft, picture, outcome, testimony);
  const dead = found.filter((d) => judged.has(d.host));
  const ageMs = draft.nowMs - (picture?.serversCollectedAtMs ?? 0);
  if (dead.length > 0 && (picture === null || Math.abs(ageMs) > freshMs))
    return giveUpRound(draft, {
      name: 'servers-unavailable',
      of: 'verdict',
      detail: 'they are no longer fresh',
    });
  clearPart(draft, ({ refusal }) => refusal.name === 'servers-unavailable' && refusal.of === 'verdict');
  if (dead.length > 0 && picture !== null)
    recoverTheDead(draft, dead, silentBystanders(outcome, phase), picture);
  endRound(draft, picture);
}
