// Mover `database`, the original's: rewrite the instances' host and node in Nova's database, then per instance move
// its Placement allocation, rebind its ports and reboot it hard. Unlike the original: the update is conditional and
// parameterised, node is the hypervisor's name, stopped instances get their ports rebound too, Placement is corrected.
import pLimit, { type LimitFunction } from 'p-limit';
import type { Progress } from '../../../../shared/documents/events/progress.ts';
import type { Hypervisor } from '../../../../shared/documents/inventory.ts';
import { errorText } from '../../../../shared/ground/errors.ts';
import { CloudError } from '../../../cloud/cloud.ts';
import type { NovaDatabase } from '../../../nova-database/nova-database.ts';
import { type JournalEntry, namesOf, ofTheirTurn, unfinished } from '../../journal/journal.ts';
import { expectedStatus, lacksAt } from '../instance-progress.ts';
import { endInstance, type InstanceEnd, type Mover, type Moving, watching } from '../mover.ts';
import { isFinal, patiently } from '../retry.ts';
import { reboot } from './reboot.ts';
import { rewriteHosts } from './rows.ts';

const pollMs = 500;
const instanceLimitMs = 300_000;
/**
 * Placement is waited for less long than the others: an instance that runs shall not be reported late because of it.
 */
const placementLimitMs = 60_000;

export function byDatabase(database: Pick<NovaDatabase, 'moveInstances'>): Mover {
  return {
    name: 'database',
    shortcoming: ({ moves }) =>
      moves.some(({ target }) => target.kind !== 'host') ? 'cannot leave the choice to Nova' : null,
    begin: (moving) => async () => {
      while (unfinished(moving.journal).length > 0) await moveWave(moving, database);
    },
  };
}

/** One wave: the rows first, target by target, then all its instances at once, up to a bound. */
async function moveWave(moving: Moving, database: Pick<NovaDatabase, 'moveInstances'>): Promise<void> {
  const entries = ofTheirTurn(moving.journal);
  for (const spare of new Set(entries.map(hostOf)))
    await rewriteHosts(
      moving,
      database,
      moving.hypervisor(spare),
      entries.filter((entry) => hostOf(entry) === spare),
    );
  const limit = pLimit(moving.concurrency);
  const results = await Promise.allSettled(
    entries
      .filter((entry) => entry.state !== 'ended')
      .map((entry) => bringUp(moving, entry, moving.hypervisor(hostOf(entry)), limit)),
  );
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Where its row is to say that it is. A row that is rewritten once is never rewritten to another host. */
function hostOf({ id, target }: JournalEntry): string {
  if (target.kind !== 'host')
    throw new Error(`a plan that leaves the choice for ${id} to Nova was not refused`);
  return target.host;
}

/**
 * Ports, reboot, the proof that it runs on the spare, Placement. Nobody waits for a place because Placement is away.
 */
async function bringUp(
  moving: Moving,
  entry: JournalEntry,
  spare: Hypervisor,
  limit: LimitFunction,
): Promise<void> {
  try {
    const end = await limit(async () => {
      await patiently(moving, () => rebind(moving, entry, spare));
      const wanted = expectedStatus(entry.before.vmState);
      const elsewhere =
        wanted === 'ACTIVE' ? await patiently(moving, () => reboot(moving, entry, spare)) : null;
      return elsewhere ?? proof(moving, entry, spare, wanted);
    });
    // It answers where it always did, and was ended there aloud.
    if (entry.state === 'ended') return;
    if (end.outcome !== 'skipped') await rebook(moving, entry, spare);
    await endInstance(moving, entry, end);
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    const end: InstanceEnd = isFinal(error)
      ? { outcome: 'failed', why: errorText(error), after: null, to: null }
      : { outcome: 'unfinished', why: `OpenStack is away: ${error.message}`, after: null, to: null };
    await endInstance(moving, entry, end);
  }
}

/** Where Placement counts an instance matters to later scheduling, not to this instance: no reason to leave it down. */
async function rebook(moving: Moving, entry: JournalEntry, spare: Hypervisor): Promise<void> {
  const { cloud, journal, signal, log } = moving;
  const dead = moving.hypervisor(journal.dead);
  try {
    await patiently(
      moving,
      () => cloud.moveAllocation(entry.id, dead.name, spare.name, signal),
      placementLimitMs,
    );
  } catch (error) {
    if (!(error instanceof CloudError) || signal.aborted) throw error;
    log.warn({ instance: entry.id, error: errorText(error) }, 'its allocation could not be moved');
    await tell(moving, {
      step: 'allocation-wrong',
      instance: entry.name,
      hypervisor: spare.name,
      detail: error.message,
    });
  }
}

function tell(moving: Moving, progress: Progress): Promise<void> {
  return moving.say({ kind: 'progress', ...namesOf(moving.journal), progress });
}

async function rebind({ cloud, signal }: Moving, entry: JournalEntry, spare: Hypervisor): Promise<void> {
  for (const port of await cloud.listPorts({ instanceId: entry.id }, signal))
    if (port.host !== spare.host) await cloud.bindPort(port.id, spare.host, signal);
}

/** How it ended, once it settled on the spare, or did not in time. */
async function proof(
  moving: Moving,
  entry: JournalEntry,
  spare: Hypervisor,
  wanted: 'ACTIVE' | 'SHUTOFF',
): Promise<InstanceEnd> {
  const { cloud, clock, signal } = moving;
  let sinceMs = clock.steadyMs();
  const keepWatch = watching(moving);
  for (;;) {
    await keepWatch();
    const askedAtMs = clock.steadyMs();
    const server = await patiently(moving, () => cloud.readServer(entry.id, signal));
    if (server === null)
      return { outcome: 'skipped', why: 'it was deleted meanwhile', after: null, to: null };
    const ports = await patiently(moving, () => cloud.listPorts({ instanceId: entry.id }, signal));
    // An outage is no time in which the instance could have settled.
    sinceMs += clock.steadyMs() - askedAtMs;
    const isHere = server.host === spare.host && server.taskState === null;
    const lacks = isHere ? lacksAt(server, ports, wanted, spare.host) : `it is on ${server.host}`;
    if (lacks === null) return { outcome: 'recovered', why: null, after: server.status, to: spare.host };
    if (
      clock.steadyMs() - sinceMs > instanceLimitMs ||
      (server.status === 'ERROR' &&
        server.taskState === null &&
        server.fault !== null &&
        entry.before.status !== 'ERROR')
    ) {
      const state = `it is ${server.status} (${server.taskState ?? 'no task'}) on ${server.host}`;
      const why = server.fault ?? (isHere ? lacks : state);
      return { outcome: 'failed', why, after: server.status, to: server.host };
    }
    await clock.sleep(pollMs, signal);
  }
}
