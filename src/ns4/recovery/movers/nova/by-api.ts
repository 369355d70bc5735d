// Mover `api`: Nova's own evacuate, per instance, in parallel up to a bound. Look at all, end those that are back or
// lost, ask for those whose turn it is, and look again, until every instance has its end.

import { errorText, OperationalError } from '../../../../shared/ground/errors.ts';
import type { MigrationRecord } from '../../../cloud/cloud.ts';
import { CloudError } from '../../../cloud/cloud.ts';
import { type JournalEntry, ofTheirTurn, unfinished } from '../../journal/journal.ts';
import { type InstanceProgress, progressOf } from '../instance-progress.ts';
import type { LastLook } from '../last-look.ts';
import {
  endInstance,
  type InstanceEnd,
  type Mover,
  type Moving,
  sinceMsOf,
  watching,
  withPlace,
} from '../mover.ts';
import { awayLimitMs, awayPauseMs } from '../retry.ts';
import { mayAskAgain, turnElsewhere } from './request.ts';
import { isOnItsWay, lookAtNova, type Sighting } from './sighting.ts';
import { type Ready, type Turns, takeTurns } from './turns.ts';

/**
 * Pause between two looks at the migrations: one cheap call, whatever the number of instances. A server costs Nova a
 * call to Neutron, which the evacuations themselves are waiting for: it is read only when its migration says news.
 */
const pollMs = 300;
/** While others wait for a canary: nothing else keeps Nova busy then. */
const canaryPollMs = 100;
/** A cloud busy with evacuations answers slowly: it is left alone for so many times as long as the look took. */
const restPerLook = 9;
/** However slow it answers: the places of those that are back are wanted for the next. */
const longestPollMs = 2_000;
/** All servers are read this often all the same: one deleted meanwhile leaves its migration as it was. */
const fullLookMs = 10_000;
/** From the (last) request to its end; a large image or a slow storage takes minutes, never an hour. */
const instanceLimitMs = 900_000;
/** At its target but with a port that found no network, or in a state it should not stay in. */
const settleLimitMs = 60_000;
/** A request that left shows a trace within this, or was lost on its way: then it says nothing of its target. */
const traceMs = 2_000;
/** So many last looks in a row that were too old, or showed something else, are no chance any more. */
const mostOldLooks = 100;

/** What this worker saw before; nobody else's clock or memory counts here. */
interface Watch {
  readonly settlingSince: Map<string, number>;
  /** Since when it looks for a trace of which request, in steady time. */
  readonly lookingSince: Map<string, { readonly attempts: number; readonly sinceMs: number }>;
  readonly told: Set<string>;
  oldLooks: number;
}

export const byApi: Mover = {
  name: 'api',
  shortcoming: () => null,
  begin(moving) {
    const ahead = lookAtNova(moving, null);
    // Whoever moves them hears of it.
    ahead.catch(() => undefined);
    return () => moveAll(moving, ahead);
  },
};

/** `ahead`: the first look; each request is preceded by one of its own. */
async function moveAll(moving: Moving, ahead: Promise<Sighting>): Promise<void> {
  const { clock, journal } = moving;
  const watch: Watch = {
    settlingSince: new Map(),
    lookingSince: new Map(),
    told: new Set(),
    oldLooks: 0,
  };
  let first: Promise<Sighting> | null = ahead;
  let others: readonly MigrationRecord[] | null = null;
  let fullLookAtMs = Number.NEGATIVE_INFINITY;
  let awaySinceMs: number | null = null;
  const keepWatch = watching(moving);
  while (unfinished(journal).length > 0) {
    moving.signal.throwIfAborted();
    const startedAtMs = clock.steadyMs();
    let pauseMs = awayPauseMs;
    await keepWatch();
    try {
      const isFull: boolean = startedAtMs >= fullLookAtMs;
      if (isFull) fullLookAtMs = startedAtMs + fullLookMs;
      const look = first ?? lookAtNova(moving, isFull ? null : others);
      first = null;
      const sighting: Sighting = await look;
      others = sighting.others;
      const lookedMs = clock.steadyMs() - startedAtMs;
      const turns = await followAll(moving, sighting, watch);
      if (turns.lookAgain) fullLookAtMs = Number.NEGATIVE_INFINITY;
      awaySinceMs = null;
      pauseMs = turns.isCanaryOut
        ? canaryPollMs
        : Math.min(longestPollMs, Math.max(pollMs, restPerLook * lookedMs));
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      fullLookAtMs = Number.NEGATIVE_INFINITY;
      awaySinceMs ??= clock.steadyMs();
      moving.log.warn({ error: errorText(error) }, 'cannot see what became of the instances');
      if (clock.steadyMs() - awaySinceMs > awayLimitMs)
        return endAll(moving, `OpenStack is away: ${error.message}`);
    }
    if (unfinished(journal).length > 0) await clock.sleep(pauseMs, moving.signal);
  }
}

/** One look at every unfinished instance, and what follows from it. */
async function followAll(moving: Moving, sighting: Sighting, watch: Watch): Promise<Turns> {
  const { journal, cloud } = moving;
  const ready: Ready[] = [];
  const out = new Set<string>();
  let busy = 0;
  const sinceMs = sinceMsOf(moving);
  const judge = (entry: JournalEntry, look: LastLook): InstanceProgress =>
    progressOf({
      ...{ entry, ports: sighting.ports.get(entry.id) ?? null, dead: journal.dead, sinceMs },
      ...look,
      nowMs: moving.clock.nowMs() + cloud.clockSkewMs(),
      lookedForMs: lookedForMs(moving, entry, watch),
    });
  for (const entry of ofTheirTurn(journal)) {
    const server = sighting.servers.get(entry.id);
    const migrations = sighting.migrations.get(entry.id) ?? [];
    const moved = migrations.find((m) => isOnItsWay(m, journal.dead, sinceMs));
    if (server === undefined && moved === undefined) continue;
    const progress: InstanceProgress =
      server === undefined
        ? { kind: 'under-way', detail: `migration ${moved?.status}` }
        : judge(entry, { server, migrations });
    if (progress.kind !== 'settling') watch.settlingSince.delete(entry.id);
    if (progress.kind === 'under-way' && (moved || lookedForMs(moving, entry, watch) < traceMs))
      out.add(entry.id);
    const next = await follow(moving, entry, progress, watch);
    if (next === 'ask')
      ready.push({ entry, server: server ?? null, why: progress.kind === 'failed' ? progress.why : null });
    // What somebody else asked for takes no place of one's own: it may never end.
    if (next === 'busy' && entry.attempts > 0) busy += 1;
  }
  const turns = await takeTurns(moving, { ready, busy, out, sighting, sinceMs, judge }, watch.told);
  watch.oldLooks = turns.isFutile ? watch.oldLooks + 1 : 0;
  if (watch.oldLooks > mostOldLooks)
    throw new OperationalError(
      turns.untold === null
        ? `no look at the instances of ${journal.dead} is fresh enough to act on: Nova is too slow, or its clocks differ`
        : `whether anybody has the disks of the instances of ${journal.dead} open cannot be told: ${turns.untold}`,
    );
  return turns;
}

/**
 * A clock that is set forward, or a successor whose own is ahead, must not shorten the time in which a request that got
 * lost may still be carried out.
 */
function lookedForMs({ clock }: Moving, { id, attempts }: JournalEntry, { lookingSince }: Watch): number {
  const nowMs = clock.steadyMs();
  const known = lookingSince.get(id);
  const sinceMs = known?.attempts === attempts ? known.sinceMs : nowMs;
  lookingSince.set(id, { attempts, sinceMs });
  return nowMs - sinceMs;
}

/** Ends the instance, or says whether it may be asked for now or occupies a place. */
async function follow(
  moving: Moving,
  entry: JournalEntry,
  progress: InstanceProgress,
  { settlingSince }: Watch,
): Promise<'ask' | 'busy' | 'ended'> {
  const nowMs = moving.clock.nowMs();
  const end = async (
    outcome: InstanceEnd['outcome'],
    why: string | null,
    after: string | null,
    to: string | null,
  ) => {
    await endInstance(moving, entry, { outcome, why, after, to });
    return 'ended' as const;
  };
  switch (progress.kind) {
    case 'back':
      return end('recovered', null, progress.status, progress.at);
    case 'gone':
      return end('skipped', 'it was deleted meanwhile', null, null);
    case 'elsewhere':
      return end('skipped', `Nova has it on ${progress.host} now`, null, progress.host);
    case 'left-alone': {
      const why = await withPlace(moving, entry.id, progress.why);
      return end(entry.attempts > 0 ? 'failed' : 'skipped', why, null, null);
    }
    case 'failed':
      // Nova has it on its target, in ERROR: no evacuation leads there again.
      if (progress.at !== null) return end('failed', progress.why, 'ERROR', progress.at);
      if (!progress.isCertain) entry.perhapsAtTarget = true;
      if (turnElsewhere(moving, entry, progress.why)) return 'ask';
      return mayAskAgain(entry) ? 'ask' : end('failed', progress.why, 'ERROR', progress.at);
    case 'waiting':
      // The last request left no trace. It may be carried out all the same, however unlikely that is.
      if (entry.state !== 'pending') entry.perhapsAtTarget = true;
      return mayAskAgain(entry) ? 'ask' : end('failed', 'Nova took no request for it', null, null);
    case 'settling': {
      const seenMs = moving.clock.steadyMs();
      const sinceMs = settlingSince.get(entry.id) ?? seenMs;
      settlingSince.set(entry.id, sinceMs);
      return seenMs - sinceMs > settleLimitMs ? end('failed', progress.detail, null, progress.at) : 'busy';
    }
    case 'under-way':
      // Never asked again: Nova may still carry it out, however late. A person has to look.
      return nowMs - (entry.askedAtMs ?? moving.journal.openedAtMs) > instanceLimitMs
        ? end('unfinished', `still ${progress.detail} after ${instanceLimitMs / 60_000} minutes`, null, null)
        : 'busy';
  }
}

async function endAll(moving: Moving, why: string): Promise<void> {
  for (const entry of unfinished(moving.journal))
    await endInstance(moving, entry, { outcome: 'unfinished', why, after: null, to: null });
}
