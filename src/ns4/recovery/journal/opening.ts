// What an incident begins with: the instances of its host, those that came late, and what Nova still shows of one whose
// journal Redis lost.
import type { Hosts, Servers } from '../../../shared/documents/inventory.ts';
import { resurrectionReason } from '../../../shared/documents/inventory.ts';
import type { Proof } from '../../fencing/proof.ts';
import { entryOf, type Work } from '../movers/mover.ts';
import type { EvacuationParts, Order } from '../report.ts';
import type { Incident } from './journal.ts';

type Parts = Pick<EvacuationParts, 'method' | 'clock'>;

/** Nothing was done yet. */
export function newIncident(order: Order, parts: Parts, servers: Servers, proof: Proof | null): Incident {
  const affected = servers.servers.filter((server) => server.host === order.dead);
  return {
    version: 1,
    id: order.incident,
    dead: order.dead,
    spare: order.spare,
    method: parts.method.name,
    openedAtMs: parts.clock.nowMs(),
    judgedAtMs: order.judgedAtMs,
    evidence: [...order.evidence],
    acted: false,
    proof,
    steps: [],
    instances: Object.fromEntries(affected.map((server) => [server.id, entryOf(server)])),
    ended: null,
  };
}

/** An instance whose resize or migration to the dead host ended after the incident was opened belongs to it too. */
export function addLateArrivals(incident: Incident, servers: Servers): void {
  for (const server of servers.servers)
    if (server.host === incident.dead) incident.instances[server.id] ??= entryOf(server);
}

/** The hypervisors as they were just before the first change. */
export function hypervisorsOf(incident: Incident, hosts: Hosts): Pick<Work, 'dead' | 'spare'> {
  const find = (host: string) => {
    const found = hosts.hypervisors.find((h) => h.host === host);
    if (found === undefined) throw new Error(`${host} passed the checks but is no hypervisor`);
    return found;
  };
  return { dead: find(incident.dead), spare: find(incident.spare) };
}

/**
 * The incident of a monitor's order whose journal is gone, though Nova shows that the first change was made: the host is
 * forced down in the name of this very spare, and of such a host a monitor orders no recovery that was not begun before.
 * What was asked for is not known, so each instance counts as asked for just now: it is asked for again only when Nova
 * had its time to show a trace. Null: nothing was begun, or it is by hand.
 */
export function forgottenIncident(
  order: Order,
  parts: Parts,
  { hosts, servers }: { hosts: Hosts; servers: Servers },
): Incident | null {
  const dead = hosts.hypervisors.find((h) => h.host === order.dead);
  const begun = dead?.forcedDown === true && dead.disabledReason === resurrectionReason(order.spare);
  if (!begun || order.warrant === null) return null;
  const incident = newIncident(order, parts, servers, null);
  const askedAtMs = parts.clock.nowMs();
  for (const entry of Object.values(incident.instances))
    Object.assign(entry, { state: 'asking', attempts: 1, askedAtMs } satisfies Partial<typeof entry>);
  return { ...incident, acted: true };
}
