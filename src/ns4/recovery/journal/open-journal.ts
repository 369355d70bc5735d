// What a journal begins with: the instances of its host, those that came late, and what Nova still shows of a recovery
// whose journal Redis lost.
import type { Hosts, Servers } from '../../../shared/documents/inventory.ts';
import { resurrectionReason } from '../../../shared/documents/inventory.ts';
import type { Proof } from '../../fencing/proof.ts';
import { entryOf, type Moving } from '../movers/mover.ts';
import type { Order, RecoveryTools } from '../recovery.ts';
import type { Journal } from './journal.ts';

type Tools = Pick<RecoveryTools, 'mover' | 'clock'>;

/** Nothing was done yet. */
export function newJournal(order: Order, tools: Tools, servers: Servers, proof: Proof | null): Journal {
  const affected = servers.servers.filter((server) => server.host === order.dead);
  return {
    version: 1,
    id: order.incident,
    dead: order.dead,
    spare: order.spare,
    method: tools.mover.name,
    openedAtMs: tools.clock.nowMs(),
    judgedAtMs: order.judgedAtMs,
    evidence: [...order.evidence],
    acted: false,
    proof,
    progress: [],
    instances: Object.fromEntries(affected.map((server) => [server.id, entryOf(server)])),
    ended: null,
  };
}

/** An instance whose resize or migration to the dead host ended after the journal was opened belongs to it too. */
export function addLateArrivals(journal: Journal, servers: Servers): void {
  for (const server of servers.servers)
    if (server.host === journal.dead) journal.instances[server.id] ??= entryOf(server);
}

/** The hypervisors as they were just before the first change. */
export function hypervisorsOf(journal: Journal, hosts: Hosts): Pick<Moving, 'dead' | 'spare'> {
  const find = (host: string) => {
    const found = hosts.hypervisors.find((h) => h.host === host);
    if (found === undefined) throw new Error(`${host} passed the checks but is no hypervisor`);
    return found;
  };
  return { dead: find(journal.dead), spare: find(journal.spare) };
}

/**
 * The journal of a monitor's order that is gone from Redis, though Nova shows that the first change was made: the host is
 * forced down in the name of this very spare, and of such a host a monitor orders no recovery that was not begun before.
 * What was asked for is not known, so each instance counts as asked for just now: it is asked for again only when Nova
 * had its time to show a trace. Null: nothing was begun, or it is by hand.
 */
export function forgottenJournal(
  order: Order,
  tools: Tools,
  { hosts, servers }: { hosts: Hosts; servers: Servers },
): Journal | null {
  const dead = hosts.hypervisors.find((h) => h.host === order.dead);
  const begun = dead?.forcedDown === true && dead.disabledReason === resurrectionReason(order.spare);
  if (!begun || order.assignment === null) return null;
  const journal = newJournal(order, tools, servers, null);
  const askedAtMs = tools.clock.nowMs();
  for (const entry of Object.values(journal.instances))
    Object.assign(entry, { state: 'asking', attempts: 1, askedAtMs } satisfies Partial<typeof entry>);
  return { ...journal, acted: true };
}
