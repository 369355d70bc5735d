// One request to Nova: evacuate this instance. Preceded by one last look, and written down before it leaves; what its
// answer allows to conclude; and when another target may be tried.

import { targetText } from '../../../../shared/documents/terms/plan.ts';
import { withTimeLimit } from '../../../../shared/ground/clock.ts';
import { errorText } from '../../../../shared/ground/errors.ts';
import { quoted } from '../../../../shared/ground/plain.ts';
import { CloudError } from '../../../cloud/cloud.ts';
import type { JournalEntry } from '../../journal/journal.ts';
import { type InstanceProgress, requestLimitMs } from '../instance-progress.ts';
import { isStillNow, type LastLook, lastLook, lookFreshMs, type OpenDisks, openAt } from '../last-look.ts';
import { endInstance, type Moving } from '../mover.ts';
import { isFinal } from '../retry.ts';

/** Requests per instance and target, when Nova gave up on the ones before. */
const mostRequests = 3;

/** After so many requests for the same target another one would change nothing. */
export const mayAskAgain = ({ attempts, attemptsElsewhere }: JournalEntry): boolean =>
  attempts - attemptsElsewhere < mostRequests;

/** What the look that led to the request rests on. */
interface Ground {
  /** See `cloudAheadMs`. */
  readonly aheadMs: number;
  /** What the last look means for the instance, as it was before this request was written down. */
  judge(entry: JournalEntry, look: LastLook): InstanceProgress;
}

/**
 * Asks Nova for one evacuation. Nova is looked at once more; then the journal says what will be asked for, under a fresh
 * confirmation that this worker still holds the lock, so that neither a crash nor a frozen worker leads to a second
 * request for the same instance; and it leaves at once. So late, as a successor waits for minutes for the trace of a
 * request that is written down. Otherwise nothing left. "ended": it stays where it is; "look-again": that look shows
 * something else, or is too old; untold: nobody can tell who has its disks open, for this reason.
 */
export async function ask(
  moving: Moving,
  entry: JournalEntry,
  ground: Ground,
): Promise<'asked' | 'ended' | 'look-again' | { readonly untold: string }> {
  const { journal, clock, lock, signal } = moving;
  signal.throwIfAborted();
  const look = await lastLook(moving, entry, ground.aheadMs);
  const lookedAtMs = clock.steadyMs();
  // So that what comes between writing down and asking is nothing, as a rule.
  await moving.confirmMark();
  signal.throwIfAborted();
  if (look === null || !mayLeave(moving, entry) || !mayBeAskedFor(ground.judge(entry, look)))
    return 'look-again';
  if (look.disks?.kind === 'cannot-tell') return { untold: look.disks.why };
  if (look.disks !== null && look.disks.kind !== 'closed') {
    await endStaying(moving, entry, look.disks.kind === 'absent' ? look.disks.why : openText(look.disks));
    return 'ended';
  }
  const before = { state: entry.state, attempts: entry.attempts, askedAtMs: entry.askedAtMs };
  /** Nothing left for Nova after all: the next worker need not wait for traces of it. */
  const takeBack = async () => {
    Object.assign(entry, before);
    journal.acted = Object.values(journal.instances).some((e) => e.attempts > 0);
    await lock.save(journal);
  };
  entry.state = 'asking';
  entry.attempts += 1;
  entry.askedAtMs = clock.nowMs();
  journal.acted = true;
  await lock.save(journal);
  const isOld = clock.steadyMs() - lookedAtMs > lookFreshMs || !isStillNow(moving, ground.aheadMs);
  if (signal.aborted || isOld || !moving.isPowerFresh()) {
    await takeBack();
    signal.throwIfAborted();
    return 'look-again';
  }
  await send(moving, entry, takeBack);
  return 'asked';
}

const openText = (disks: OpenDisks): string => openAt(disks.kind === 'open' ? [disks.on] : disks.hosts);

/** It runs somewhere, or would lose its disk: it stays there. */
const endStaying = (moving: Moving, entry: JournalEntry, why: string): Promise<void> =>
  endInstance(moving, entry, { outcome: 'skipped', why, after: null, to: null });

/** Whoever asked for signs of life meanwhile may have ended it. */
const mayLeave = (moving: Moving, { state }: JournalEntry): boolean =>
  state !== 'ended' && moving.isPowerFresh();

const mayBeAskedFor = (progress: InstanceProgress): boolean =>
  progress.kind === 'waiting' || (progress.kind === 'failed' && progress.at === null);

async function send(moving: Moving, entry: JournalEntry, takeBack: () => Promise<void>): Promise<void> {
  const { journal, clock, lock } = moving;
  const host = entry.target.kind === 'host' ? entry.target.host : null;
  try {
    // Not under moving.signal: a request cut off by a stop would leave nobody knowing whether Nova took it. But
    // bounded: it must not leave long after the look it rests on, as when a login is waited for.
    await withTimeLimit(clock, requestLimitMs, (limit) => moving.evacuate(entry.id, host, limit));
    entry.state = 'asked';
    await lock.save(journal);
    moving.log.info({ instance: entry.id }, `Nova took the evacuation of ${quoted(entry.name)}`);
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    moving.log.warn({ instance: entry.id, error: errorText(error) }, `evacuation of ${quoted(entry.name)}`);
    switch (error.outcome === 'refused' && !isFinal(error) ? 'not-done' : error.outcome) {
      case 'unknown':
        // Stays "asking": the next looks tell what Nova made of it.
        return;
      case 'not-done':
        await takeBack();
        throw error;
      case 'refused':
        return refusedBy(moving, entry, error);
    }
  }
}

/** Nova's no. A 409 is about the instance's state and will not change by asking; others may be asked again. */
async function refusedBy(moving: Moving, entry: JournalEntry, error: CloudError): Promise<void> {
  const why = `Nova refuses it: ${error.message}`;
  if (error.status === 409)
    return endInstance(moving, entry, { outcome: 'skipped', why, after: null, to: null });
  if (error.status === 404 && /instance/i.test(error.message))
    return endInstance(moving, entry, {
      outcome: 'skipped',
      why: 'it was deleted meanwhile',
      after: null,
      to: null,
    });
  if (turnElsewhere(moving, entry, why)) return moving.lock.save(moving.journal);
  if (!mayAskAgain(entry))
    return endInstance(moving, entry, { outcome: 'failed', why, after: null, to: null });
  entry.state = 'pending';
}

/**
 * Turns to the other target of the plan, where there is one and nothing of the instance can be at the first. True when
 * it did: the next request is for that one.
 */
export function turnElsewhere(moving: Moving, entry: JournalEntry, why: string): boolean {
  if (entry.otherwise === null || entry.perhapsAtTarget) return false;
  const [from, to] = [targetText(entry.target), targetText(entry.otherwise)];
  moving.log.warn({ instance: entry.id, why }, `${quoted(entry.name)} goes to ${to} instead of ${from}`);
  entry.target = entry.otherwise;
  entry.otherwise = null;
  entry.attemptsElsewhere = entry.attempts;
  entry.state = 'pending';
  return true;
}
