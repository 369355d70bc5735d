// The rows of Nova's database: those that may be moved are rewritten in one transaction, after one last look at them;
// the others are ended with their reason.

import type { Hypervisor } from '../../../../shared/documents/inventory.ts';
import { errorText, OperationalError } from '../../../../shared/ground/errors.ts';
import { groupBy } from '../../../../shared/ground/group-by.ts';
import { CloudError } from '../../../cloud/cloud.ts';
import type { MayMove } from '../../../disks/disks.ts';
import type { MoveResult, NovaDatabase } from '../../../nova-database/nova-database.ts';
import { type JournalEntry, namesOf } from '../../journal/journal.ts';
import { progressOf } from '../instance-progress.ts';
import { cloudAheadMs, isStillNow, type LastLook, lookFreshMs } from '../last-look.ts';
import { type Answering, endInstance, type Moving, sinceMsOf, withPlace } from '../mover.ts';
import { awayLimitMs, awayPauseMs, patiently } from '../retry.ts';

/**
 * States in which Nova accepts a hard reboot (nova.compute.vm_states.ALLOW_HARD_REBOOT), and stopped, which needs none.
 */
const movable = new Set(['active', 'stopped', 'paused', 'suspended', 'error']);

/** One transaction for all; what is no longer on the dead hypervisor is left alone. */
export async function rewriteHosts(
  moving: Moving,
  database: Pick<NovaDatabase, 'moveInstances'>,
  spare: Hypervisor,
  all: readonly JournalEntry[],
): Promise<void> {
  const { journal } = moving;
  // Before anything is written down: those who stay were never asked for.
  const wanted = new Set((await patiently(moving, () => idsToMove(moving, all))).ids);
  const waiting = await withDisks(
    moving,
    all.filter(({ id }) => wanted.has(id)),
  );
  if (waiting.length === 0) return;
  await moving.confirmSilence();
  // Whoever asked for signs of life may have ended some of them.
  const entries = waiting.filter(({ state }) => state !== 'ended');
  if (entries.length === 0) return;
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
    if (entry.report !== null) continue;
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
 * Ends those that would lose their disks; the others. All are asked together, as each silent one takes its second. What
 * the last look before each reboot asks is not asked here.
 */
async function withDisks(moving: Moving, entries: readonly JournalEntry[]): Promise<JournalEntry[]> {
  const words = await patiently(moving, () => Promise.all(entries.map((entry) => disksOf(moving, entry))));
  const kept: JournalEntry[] = [];
  for (const [i, entry] of entries.entries()) {
    const disks = words[i];
    if (disks?.kind !== 'absent') kept.push(entry);
    else await endInstance(moving, entry, { outcome: 'skipped', why: disks.why, after: null, to: null });
  }
  return kept;
}

/**
 * A row that is rewritten stays so: whether it would lose its disk is to be known before. Null for one that was asked for,
 * and where Ceph is not asked. @throws CloudError until it is known
 */
async function disksOf(moving: Moving, { id, attempts }: JournalEntry): Promise<MayMove | null> {
  if (attempts > 0) return null;
  const disks = await moving.mayMove(id, false);
  if (disks?.kind === 'cannot-tell') throw new CloudError('not-done', disks.why, null);
  return disks;
}

/**
 * The transaction, asked for again (which is safe, see NovaDatabase) as long as MySQL or OpenStack is away; each time
 * the dead host must be silent, the lock held, and Nova looked at. Null when they stayed away: then every entry has its
 * end.
 */
async function rewriteOnce(
  moving: Moving,
  database: Pick<NovaDatabase, 'moveInstances'>,
  spare: Hypervisor,
  entries: readonly JournalEntry[],
): Promise<MoveResult | null> {
  const { journal, cloud, clock, signal } = moving;
  const dead = moving.hypervisor(journal.dead);
  const from = { host: dead.host, node: dead.name };
  const to = { host: spare.host, node: spare.name };
  const sinceMs = clock.steadyMs();
  for (let told = false, isFirst = true; ; isFirst = false) {
    await moving.confirmSilence();
    // The rows of all may be as they were, and whoever still runs where he always did may have woken up since.
    const askedBefore = entries.filter((e) => e.report === null && (!isFirst || e.attempts > 1));
    const heard = askedBefore.length === 0 ? [] : await moving.heard(askedBefore.map(({ id }) => id));
    const aheadMs = cloudAheadMs(clock, cloud);
    await moving.lock.save(journal);
    const savedAtMs = clock.steadyMs();
    signal.throwIfAborted();
    let why = 'the look at the instances is too old';
    let living: readonly Answering[] = [];
    try {
      const { ids, onDead } = await idsToMove(moving, entries);
      living = heard.filter(({ id }) => onDead.has(id) && ids.includes(id));
      if (ids.length === 0) return { moved: [], already: [], elsewhere: [] };
      if (clock.steadyMs() - savedAtMs > lookFreshMs) await moving.lock.save(journal);
      if (living.length === 0 && isStillNow(moving, aheadMs) && moving.isPowerFresh())
        return await database.moveInstances({ ids, from, to }, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof OperationalError || error instanceof CloudError)) throw error;
      why = errorText(error);
      if (error instanceof OperationalError && !told) {
        told = true;
        const progress = { step: 'database-away', detail: why, retryForMs: awayLimitMs } as const;
        await moving.say({ kind: 'progress', ...namesOf(journal), progress });
      }
    }
    if (living.length > 0) {
      await moving.leaveAlone(living);
      continue;
    }
    moving.log.warn({ error: why }, 'the instances were not moved');
    if (clock.steadyMs() - sinceMs > awayLimitMs) {
      for (const entry of entries)
        if (entry.report === null)
          await endInstance(moving, entry, { outcome: 'unfinished', why, after: null, to: null });
      return null;
    }
    await clock.sleep(awayPauseMs, signal);
  }
}

/** Looks at all that is on the dead host, and ends those that stay there; ids of the others, and of all that are there. */
async function idsToMove(
  moving: Moving,
  entries: readonly JournalEntry[],
): Promise<{ readonly ids: readonly string[]; readonly onDead: ReadonlySet<string> }> {
  const { cloud, journal, signal } = moving;
  const [onDead, records] = await Promise.all([
    cloud.listServers(signal, journal.dead),
    cloud.listMigrations(journal.dead, signal),
  ]);
  const servers = new Map(onDead.map((server) => [server.id, server]));
  const migrations = groupBy(records, ({ instanceId }) => instanceId);
  const ids: string[] = [];
  for (const entry of entries) {
    if (entry.report !== null) continue;
    const server = servers.get(entry.id);
    // What is not there (any more) the transaction tells: an earlier attempt moved it, or it is gone.
    const look = { server: server ?? null, migrations: migrations.get(entry.id) ?? [] };
    const why = server === undefined ? null : reasonToStay(moving, entry, look);
    if (why === null) ids.push(entry.id);
    else {
      const text = await withPlace(moving, entry.id, why);
      await endInstance(moving, entry, { outcome: 'skipped', why: text, after: null, to: null });
    }
  }
  return { ids, onDead: new Set(servers.keys()) };
}

/**
 * Why an instance on the dead host stays where it is: something is under way with it, or Nova could not start it again
 * by a reboot. Null: it may be moved.
 */
function reasonToStay(moving: Moving, entry: JournalEntry, look: LastLook): string | null {
  const { journal, cloud, clock } = moving;
  const progress = progressOf({
    ...{ entry: { ...entry, attempts: 0, state: 'pending' }, ...look, ports: null },
    dead: journal.dead,
    sinceMs: sinceMsOf(moving),
    nowMs: clock.nowMs() + cloud.clockSkewMs(),
    lookedForMs: 0,
  });
  if (progress.kind === 'under-way') return `a Nova evacuation of it is under way (${progress.detail})`;
  if (progress.kind === 'left-alone') return progress.why;
  const { vmState } = entry.before;
  return movable.has(vmState) ? null : `Nova refuses a hard reboot in vm_state ${vmState}`;
}
