// Phase `scanning-hosts`: of the suspects, those that a sighted scan found silent go on, and those that nobody ever
// heard, whose guests may tell. Pure.
import type { JobOutcome } from '../../../../shared/documents/jobs/contracts.ts';
import type { Picture } from '../../../../shared/picture/picture.ts';
import { fallSilent } from '../../incidents/incidents.ts';
import type { Draft } from '../../state/draft.ts';
import type { HostsPhase } from '../../state/state.ts';
import { vouchedFor } from './outages.ts';
import { endRound } from './round.ts';
import { silentOnes } from './silent-ones.ts';

export function onHostsScanned(
  draft: Draft,
  outcome: JobOutcome<'scan'>,
  picture: Picture | null,
  phase: HostsPhase & { kind: 'scanning-hosts' },
): void {
  const { hosts: found, vantagePoints } = silentOnes(draft, outcome, phase.suspects);
  const testimony = Object.fromEntries(found.map(({ host, neverHeard }) => [host, neverHeard ? [] : [host]]));
  const judged = vouchedFor(draft, picture, outcome, testimony);
  if (judged.size === 0) return endRound(draft, picture);
  const further = found.filter(({ host }) => judged.has(host));
  const suspectedAtMs = Math.max(
    ...further.map(({ host }) => draft.incident(host)?.suspectedAtMs ?? phase.sinceMs),
  );
  const news = further.filter(({ host, neverHeard }) => !neverHeard && fallSilent(draft, host));
  if (news.length > 0)
    draft.say({ kind: 'hosts-silent', hosts: news.map(({ host, detail }) => ({ host, detail })) });
  const job = draft.refreshJob({ servers: true, requestedAtMs: draft.nowMs });
  draft.enter({
    ...{ kind: 'reading-servers', sinceMs: draft.nowMs, suspectedAtMs, job },
    silent: Object.fromEntries(further.map(({ host, detail }) => [host, detail])),
    neverHeard: Object.fromEntries(
      further.filter(({ neverHeard }) => neverHeard).map(({ host }) => [host, [...vantagePoints]]),
    ),
  });
}
