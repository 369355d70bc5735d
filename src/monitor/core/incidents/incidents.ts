// The life of an incident: opened by a suspicion (or an order), kept up to date, closed when the host is well or back
// in service. Pure.

import { wasHandled } from '../../../shared/documents/inventory.ts';
import { incidentId } from '../../../shared/documents/terms/incident-id.ts';
import type { Picture } from '../../../shared/picture/picture.ts';
import type { Draft } from '../state/draft.ts';
import type { Incident, Stage } from '../state/state.ts';

/** The incident of a host; opened now when there is none. */
export function openIncident(draft: Draft, host: string, stage: Stage): Incident {
  const known = draft.incident(host);
  if (known !== undefined) return known;
  const incident: Incident = {
    id: incidentId(draft.nowMs, host),
    subject: { kind: 'host', name: host },
    openedAtMs: draft.nowMs,
    suspectedAtMs: draft.nowMs,
    stage,
    raised: null,
    recoveries: 0,
    recovery: null,
    lookAgain: false,
  };
  draft.put(incident);
  return incident;
}

/** A host falls suspicious; true when that is news. An earlier incident of it ended without its return being seen. */
export function suspect(draft: Draft, host: string): boolean {
  const known = draft.incident(host);
  if (known !== undefined && known.stage !== 'away') return false;
  if (known !== undefined) draft.remove(known);
  openIncident(draft, host, 'suspect');
  return true;
}

/** A suspect turns out silent; true when that is news. A refusal that already stands tells more than that. */
export function fallSilent(draft: Draft, host: string): boolean {
  const incident = draft.incident(host);
  if (incident?.stage !== 'suspect' || incident.raised !== null) return false;
  draft.put({ ...incident, stage: 'silent' });
  return true;
}

/** Hosts of earlier recoveries that are up and enabled again: their incidents end here, and it is said. */
export function closeReturned(draft: Draft, picture: Picture): void {
  for (const incident of draft.state.incidents) {
    if (incident.stage !== 'away' || incident.recovery !== null) continue;
    const host = incident.subject.name;
    const hypervisor = picture.hypervisor(host);
    if (picture.cellDown.includes(host)) continue;
    if (hypervisor !== undefined && wasHandled(hypervisor)) continue;
    if (hypervisor?.state === 'up' && hypervisor.status === 'enabled') draft.say({ kind: 'returned', host });
    else if (hypervisor !== undefined) continue;
    draft.remove(incident);
  }
}
