// Instances that were asked for once, as far as the journal knows, and that nothing was started of: the worker died
// before its request left, or the request got lost. Nobody counts them as witnesses meanwhile, as they might answer from
// their target; before they are asked for again they are asked themselves.

import type { Server } from '../../../shared/documents/inventory.ts';
import { isDoubt } from '../../../shared/documents/refusals/refusals.ts';
import { offSinceMs } from '../../fencing/proof.ts';
import { answeringOf, answersText, guestsGate, guestTargets } from '../guests-still-there.ts';
import type { Answering } from '../movers/mover.ts';
import type { Recovery } from '../recovery.ts';
import { signOfLife } from '../sign-of-life.ts';
import { DoubtError, SignOfLifeError } from '../still-silent.ts';
import { scanAt } from './fresh-facts.ts';
import { leaveAlone } from './watch-silence.ts';

/** See Moving.heard. */
export async function heardAgain(recovery: Recovery, ids: readonly string[]): Promise<Answering[]> {
  const { order, facts, tools } = recovery;
  const servers = order.despite.includes(guestsGate) ? [] : serversOf(recovery, new Set(ids));
  const targets = guestTargets(servers, recovery);
  if (targets.length === 0) return [];
  const address = facts.picture.hypervisor(order.dead)?.address ?? null;
  const scan = await scanAt(recovery, address, targets);
  // Of this scan the host's own answer counts as well, and one that saw nothing says nothing of the guests.
  const now = { agentsOf: () => [], scan, nowMs: tools.clock.nowMs(), isBegun: true };
  const heard = signOfLife(order, now, tools.policy.heartbeatPeriodMs);
  if (heard !== null) throw isDoubt(heard) ? new DoubtError(heard) : new SignOfLifeError(heard);
  const names = new Map(servers.map(({ id, name }) => [id, name]));
  return answeringOf(targets, scan, (id) => names.get(id) ?? id);
}

/** On whichever host Nova's rows have them by now: the database method rewrites those before it starts anything. */
function serversOf({ order, facts, opened }: Recovery, wanted: ReadonlySet<string>): Server[] {
  const targets = Object.values(opened.instances).flatMap(({ target }) =>
    target.kind === 'host' ? [target.host] : [],
  );
  const hosts = [...new Set([order.dead, ...targets])];
  return hosts.flatMap((host) => facts.picture.serversOf(host)).filter(({ id }) => wanted.has(id));
}

/** See Moving.leaveAlone. */
export async function leaveUnmoved(recovery: Recovery, answering: readonly Answering[]): Promise<void> {
  const { proof, dead } = recovery.opened;
  // Who is cut off from Ceph only may run on.
  if (offSinceMs(proof) === null)
    throw new SignOfLifeError({ name: 'came-back', host: dead, evidence: answersText(answering) });
  await leaveAlone(recovery, answering, ({ state }) => state !== 'ended');
}
