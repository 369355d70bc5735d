// Phase `scanning-hosts`: of the suspects, those that a sighted scan found silent go on. Pure.
import type { JobOutcome } from '../../../../shared/documents/jobs/contracts.ts';
import type { Picture } from '../../../../shared/picture/picture.ts';
import { fallSilent } from '../../incidents/incidents.ts';
import type { Draft } from '../../state/draft.ts';
import type { HostsPhase } from '../../state/state.ts';
import { vouchedFor } from './outages.ts';
import { endRound } from './round.ts';
import { silentOnes } from './verdict.ts';

export function onHostsScanned(
  draft: Draft,
  outcome: JobOutcome<'scan'>,
  picture: Picture | null,
  phase: HostsPhase & { kind: 'scanning-hosts' },
): void {
  const found = silentOnes(draft, outcome, phase.suspects);
  const itself = Object.fromEntries(Object.keys(found).map((host) => [host, [host]]));
  const judged = vouchedFor(draft, picture, outcome, itself);
  if (judged.size === 0) return endRound(draft, picture);
  const silent = Object.fromEntries(Object.entries(found).filter(([host]) => judged.has(host)));
  const suspectedAtMs = Math.max(
    ...Object.keys(silent).map((host) => draft.incident(host)?.suspectedAtMs ?? phase.sinceMs),
  );
  const news = Object.entries(silent).filter(([host]) => fallSilent(draft, host));
  if (news.length > 0)
    draft.say({ kind: 'hosts-silent', hosts: news.map(([host, detail]) => ({ host, detail })) });
  const job = draft.refreshJob({ servers: true, requestedAtMs: draft.nowMs });
  draft.enter({ kind: 'reading-servers', sinceMs: draft.nowMs, suspectedAtMs, job, silent });
}
