// Mover `database`, the original's: rewrite the instances' host and node in Nova's database, then per instance move
// its Placement allocation, rebind its ports and reboot it hard. Unlike the original: the update is conditional and
// parameterised, node is the hypervisor's name, stopped instances get their ports rebound too, Placement is corrected.
import pLimit, { type LimitFunction } from 'p-limit';
import type { Progress } from '../../../../shared/documents/events/progress.ts';
import type { Hypervisor } from '../../../../shared/documents/inventory.ts';
import { errorText, OperationalError } from '../../../../shared/ground/errors.ts';
import { CloudError } from '../../../cloud/cloud.ts';
import type { MoveResult, NovaDatabase } from '../../../nova-database/nova-database.ts';
import { type JournalEntry, namesOf, ofTheirTurn, unfinished } from '../../journal/journal.ts';
import { expectedStatus } from '../instance-progress.ts';
import { endInstance, type InstanceEnd, type Mover, type Moving } from '../mover.ts';
import { awayLimitMs, awayPauseMs, isFinal, patiently } from '../retry.ts';

/**
 * States in which Nova accepts a hard reboot (nova.compute.vm_states.ALLOW_HARD_REBOOT), and stopped, which needs none.
 */
const movable = new Set(['active', 'stopped', 'paused', 'suspended', 'error']);
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
    async move(moving) {
      await skipImmovable(moving);
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

/** Instances Nova could not start again by a reboot, and those a Nova evacuation already moves, stay where they are. */
async function skipImmovable(moving: Moving): Promise<void> {
  const { cloud, journal, signal } = moving;
  const evacuations = await patiently(moving, () => cloud.listEvacuations(journal.dead, signal));
  const underWay = new Set(
    evacuations.filter((m) => ['accepted', 'pre-migrating'].includes(m.status)).map((m) => m.instanceId),
  );
  for (const entry of unfinished(journal)) {
    if (entry.attempts > 0) continue;
    const { vmState } = entry.before;
    const why = underWay.has(entry.id)
      ? 'a Nova evacuation of it is under way'
      : movable.has(vmState)
        ? null
        : `Nova refuses a hard reboot in vm_state ${vmState}`;
    if (why !== null) await endInstance(moving, entry, { outcome: 'skipped', why, after: null, to: null });
  }
}

/** One transaction for all; what is no longer on the dead hypervisor is left alone. */
async function rewriteHosts(
  moving: Moving,
  database: Pick<NovaDatabase, 'moveInstances'>,
  spare: Hypervisor,
  entries: readonly JournalEntry[],
): Promise<void> {
  const { journal } = moving;
  await moving.confirmSilence();
  journal.acted = true;
  for (const entry of entries) {
    entry.state = 'asking';
    entry.attempts += 1;
    entry.askedAtMs ??= moving.clock.nowMs();
  }
  const moved = await rewriteOnce(moving, database, spare, entries);
  if (moved === null) return;
  const elsewhere = new Map(moved.elsewhere.map(({ id, host }) => [id, host]));
  const here = new Set([...moved.moved, ...moved.already]);
  for (const entry of entries) {
    if (here.has(entry.id)) entry.state = 'asked';
    else {
      const host = elsewhere.get(entry.id);
      const why = host ? `Nova has it on ${host} now` : 'it was deleted meanwhile';
      await endInstance(moving, entry, { outcome: 'skipped', why, after: null, to: host ?? null });
    }
  }
  await moving.lock.save(journal);
}

/**
 * The transaction, asked for again (which is safe, see NovaDatabase) as long as MySQL is away; each time the dead host
 * must be silent and the lock held. Null when it stayed away: then every entry has its end.
 */
async function rewriteOnce(
  moving: Moving,
  database: Pick<NovaDatabase, 'moveInstances'>,
  spare: Hypervisor,
  entries: readonly JournalEntry[],
): Promise<MoveResult | null> {
  const { journal, clock, signal } = moving;
  const dead = moving.hypervisor(journal.dead);
  const move = {
    ids: entries.map((entry) => entry.id),
    from: { host: dead.host, node: dead.name },
    to: { host: spare.host, node: spare.name },
  };
  const sinceMs = clock.steadyMs();
  for (let told = false; ; told = true) {
    await moving.confirmSilence();
    await moving.lock.save(journal);
    signal.throwIfAborted();
    try {
      return await database.moveInstances(move, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof OperationalError)) throw error;
      const why = errorText(error);
      moving.log.warn({ error: why }, 'the instances were not moved');
      if (clock.steadyMs() - sinceMs > awayLimitMs) {
        for (const entry of entries)
          await endInstance(moving, entry, { outcome: 'unfinished', why, after: null, to: null });
        return null;
      }
      if (!told) await tell(moving, { step: 'database-away', detail: why, retryForMs: awayLimitMs });
    }
    await clock.sleep(awayPauseMs, signal);
  }
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
      if (wanted === 'ACTIVE') await patiently(moving, () => reboot(moving, entry));
      return proof(moving, entry, spare, wanted);
    });
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

/** Of an instance that was being rebooted when its host died: nobody carries that out any more. */
const rebootBefore = new Set(['REBOOT', 'HARD_REBOOT']);

/**
 * A reboot whose answer was lost is looked for first; a second one on the same host would only delay. Nova takes a hard
 * reboot during any other (nova.compute.task_states.ALLOW_REBOOT).
 */
async function reboot(moving: Moving, entry: JournalEntry): Promise<void> {
  const { cloud, signal, lock, journal } = moving;
  const server = await cloud.readServer(entry.id, signal);
  if (server === null) return;
  if (server.taskState?.startsWith('reboot') && !rebootBefore.has(entry.before.status)) return;
  await moving.confirmSilence();
  await lock.save(journal);
  signal.throwIfAborted();
  await cloud.hardReboot(entry.id, signal);
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
  for (;;) {
    const askedAtMs = clock.steadyMs();
    const server = await patiently(moving, () => cloud.readServer(entry.id, signal));
    if (server === null)
      return { outcome: 'skipped', why: 'it was deleted meanwhile', after: null, to: null };
    const ports = await patiently(moving, () => cloud.listPorts({ instanceId: entry.id }, signal));
    // An outage is no time in which the instance could have settled.
    sinceMs += clock.steadyMs() - askedAtMs;
    const astray = ports.find((p) => p.host !== spare.host || p.vifType === 'binding_failed');
    const settled = server.host === spare.host && server.taskState === null && server.status === wanted;
    if (settled && !astray) return { outcome: 'recovered', why: null, after: server.status, to: spare.host };
    if (
      clock.steadyMs() - sinceMs > instanceLimitMs ||
      (server.status === 'ERROR' &&
        server.taskState === null &&
        server.fault !== null &&
        entry.before.status !== 'ERROR')
    ) {
      const why =
        server.fault ??
        (astray
          ? `its port ${astray.id} is ${astray.vifType} on ${astray.host}`
          : `it is ${server.status} (${server.taskState ?? 'no task'}) on ${server.host}`);
      return { outcome: 'failed', why, after: server.status, to: server.host };
    }
    await clock.sleep(pollMs, signal);
  }
}
