// Hosts that bear the mark of a recovery which this monitor does not know of (Redis lost it, it was made without a
// monitor, or by another Sonny): their return is watched like that of those it recovered itself. It changes nothing in
// the cloud, so it needs no leave. Pure.

import { bearsMarkOfRecovery } from '../../../shared/documents/inventory.ts';
import type { Picture } from '../../../shared/picture/picture.ts';
import type { Draft } from '../state/draft.ts';
import { openIncident } from './incidents.ts';

/** Each gets an incident that is away, or has the one it has turned into that; said once, of all together. */
export function watchMarked(draft: Draft, { hypervisors }: Picture): void {
  const marked = hypervisors.filter((h) => h.forcedDown && bearsMarkOfRecovery(h));
  const unwatched = marked.filter(({ host }) => {
    const known = draft.incident(host);
    return known === undefined || (known.stage !== 'away' && known.recovery === null);
  });
  if (unwatched.length === 0) return;
  for (const { host } of unwatched) draft.put({ ...openIncident(draft, host, 'away'), stage: 'away' });
  draft.say({
    kind: 'return-watched',
    hosts: unwatched.map(({ host, disabledReason }) => ({ host, reason: disabledReason ?? '' })),
  });
}
