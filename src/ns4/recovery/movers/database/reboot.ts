// The reboot that starts an instance on the spare, once its row says that it is there: until then it runs, if at all,
// where it always did, and may wake up while others take their turn.
import type { Hypervisor } from '../../../../shared/documents/inventory.ts';
import { CloudError } from '../../../cloud/cloud.ts';
import type { JournalEntry } from '../../journal/journal.ts';
import { cloudAheadMs, lastLook, openAt } from '../last-look.ts';
import type { InstanceEnd, Moving } from '../mover.ts';

/** The guests were asked before the rows were rewritten: what is older than this is asked again. */
const rowsFreshMs = 5_000;

/** By the first of them, or not at all: nobody can tell now. */
const byLostAnswer = (spare: string, dead: string): string =>
  `on ${spare} by an order whose answer was lost, or still on ${dead}`;

/**
 * A reboot whose answer was lost is looked for first; a second one on the same host would only delay. One that somebody
 * moved on meanwhile, or is at work at (a live migration, say), is not started: it had no task when its row was moved.
 * Its end when it runs somewhere already; null otherwise.
 * @throws SignOfLifeError when it answers, or has its disks open, where it always was; CloudError
 */
export async function reboot(
  moving: Moving,
  entry: JournalEntry,
  spare: Hypervisor,
): Promise<InstanceEnd | null> {
  const { cloud, clock, signal } = moving;
  await moving.confirmSilence();
  const ageMs = clock.nowMs() - (entry.askedAtMs ?? 0);
  // A clock that was set back makes nothing young.
  const isFresh = ageMs >= 0 && ageMs <= rowsFreshMs;
  const [heard] = isFresh ? [] : await moving.heard([entry.id]);
  const before = entry.reboot;
  // The last look writes it down, so that no successor takes the answer of a started one for that of the old one.
  entry.reboot = 'asking';
  let isPerhapsSent = false;
  try {
    // Once asked for, it may have its disks open from the spare, whose address nobody may know yet.
    const attempts = before === null ? 0 : 1;
    const look = await lastLook(moving, { ...entry, attempts }, cloudAheadMs(clock, cloud));
    signal.throwIfAborted();
    if (look === null || !moving.isPowerFresh())
      throw new CloudError('not-done', 'the look before the reboot is too old', null);
    const { server, disks } = look;
    if (disks?.kind === 'cannot-tell') throw new CloudError('not-done', disks.why, null);
    if (disks?.kind === 'elsewhere') {
      // On the spare: by an earlier reboot whose answer was lost.
      if (disks.hosts.includes(spare.host)) return null;
      return { outcome: 'skipped', why: openAt(disks.hosts), after: null, to: null };
    }
    const { dead } = moving.journal;
    if (disks?.kind === 'open') {
      const why = `its disks are open at ${disks.on}: ${byLostAnswer(spare.host, dead)}`;
      return { outcome: 'unfinished', why, after: server?.status ?? null, to: null };
    }
    if (disks?.kind === 'absent') return { outcome: 'skipped', why: disks.why, after: null, to: null };
    if (server?.host !== spare.host || server.taskState !== null) return null;
    if (heard !== undefined && before === null) {
      await moving.leaveAlone([heard]);
      return entry.report;
    }
    if (heard !== undefined && before === 'asking') {
      const why = `it answers (${heard.on}): ${byLostAnswer(spare.host, dead)}`;
      return { outcome: 'unfinished', why, after: server.status, to: null };
    }
    isPerhapsSent = true;
    await send(moving, entry, () => {
      isPerhapsSent = false;
    });
    return null;
  } finally {
    if (!isPerhapsSent) entry.reboot = before;
  }
}

async function send({ cloud, signal }: Moving, entry: JournalEntry, notDone: () => void): Promise<void> {
  try {
    await cloud.hardReboot(entry.id, signal);
    entry.reboot = 'asked';
  } catch (error) {
    if (error instanceof CloudError && error.outcome !== 'unknown') notDone();
    throw error;
  }
}
