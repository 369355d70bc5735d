// Mover `api`: Nova's own evacuate, per instance, in parallel up to a bound. Look at all, end those that are back or
// lost, ask for those that wait, and look again, until every instance has its end.

import pLimit from 'p-limit';
import type { Server } from '../../../../shared/documents/inventory.ts';
import { withTimeLimit } from '../../../../shared/ground/clock.ts';
import { errorText } from '../../../../shared/ground/errors.ts';
import { CloudError, type EvacuationMigration, type PortBinding } from '../../../cloud.ts';
import { type JournalEntry, unfinished } from '../../journal/journal.ts';
import { type InstanceProgress, isUnderWay, progressOf, requestLimitMs } from '../instance-progress.ts';
import { endInstance, type Mover, type Moving } from '../mover.ts';
import { awayLimitMs, awayPauseMs, isFinal } from '../retry.ts';

/**
 * Pause between two looks at the migrations: one cheap call, whatever the number of instances. A server costs Nova a
 * call to Neutron, which the evacuations themselves are waiting for: it is read only when its migration says news.
 */
const pollMs = 300;
/** A cloud busy with evacuations answers slowly: it is left alone for so many times as long as the look took. */
const restPerLook = 9;
/** However slow it answers: the places of those that are back are wanted for the next. */
const longestPollMs = 2_000;
/** All servers are read this often all the same: one deleted meanwhile leaves its migration as it was. */
const fullLookMs = 10_000;
/** Requests per instance, when Nova gave up on the ones before. */
const mostRequests = 3;
/** From the (last) request to its end; a large image or a slow storage takes minutes, never an hour. */
const instanceLimitMs = 900_000;
/** On the spare but with a port that found no network, or in a state it should not stay in. */
const settleLimitMs = 60_000;
/** Clocks of the cloud and of ns4 may differ by this much beyond the correction. */
const clockMarginMs = 5_000;

interface Sighting {
  /** Absent: not looked at this time (its migration is under way, or it waits for room); null: Nova knows none. */
  readonly servers: ReadonlyMap<string, Server | null>;
  readonly migrations: ReadonlyMap<string, readonly EvacuationMigration[]>;
  readonly ports: ReadonlyMap<string, readonly PortBinding[]>;
}

/** What this worker saw before, by instance; nobody else's clock or memory counts here. */
interface Watch {
  readonly settlingSince: Map<string, number>;
  /** Since when it looks for a trace of which request, in steady time. */
  readonly lookingSince: Map<string, { readonly attempts: number; readonly sinceMs: number }>;
}

export const byApi: Mover = {
  name: 'api',
  async move(moving) {
    const watch: Watch = { settlingSince: new Map(), lookingSince: new Map() };
    let fullLookAtMs = Number.NEGATIVE_INFINITY;
    let awaySinceMs: number | null = null;
    while (unfinished(moving.journal).length > 0) {
      moving.signal.throwIfAborted();
      const startedAtMs = moving.clock.steadyMs();
      let pauseMs = awayPauseMs;
      try {
        const full = startedAtMs >= fullLookAtMs;
        if (full) fullLookAtMs = startedAtMs + fullLookMs;
        const sighting = await lookAtNova(moving, full);
        const lookedMs = moving.clock.steadyMs() - startedAtMs;
        await followAll(moving, sighting, watch);
        awaySinceMs = null;
        pauseMs = Math.min(longestPollMs, Math.max(pollMs, restPerLook * lookedMs));
      } catch (error) {
        if (!(error instanceof CloudError)) throw error;
        fullLookAtMs = Number.NEGATIVE_INFINITY;
        awaySinceMs ??= moving.clock.steadyMs();
        moving.log.warn({ error: errorText(error) }, 'cannot see what became of the instances');
        if (moving.clock.steadyMs() - awaySinceMs > awayLimitMs)
          return endAll(moving, `OpenStack is away: ${error.message}`);
      }
      if (unfinished(moving.journal).length > 0) await moving.clock.sleep(pauseMs, moving.signal);
    }
  },
};

/** What Nova and Neutron show of the instances that may have news: all of them, or those whose migration moved on. */
async function lookAtNova(moving: Moving, full: boolean): Promise<Sighting> {
  const { cloud, journal, signal } = moving;
  const [migrations, onDead] = await Promise.all([
    cloud.listEvacuations(journal.dead, signal).then(byInstance),
    full ? cloud.listServers(signal, journal.dead) : [],
  ]);
  const servers = new Map<string, Server | null>(onDead.map((server) => [server.id, server]));
  const ports = new Map<string, readonly PortBinding[]>();
  const limit = pLimit(moving.concurrency);
  const read = async ({ id }: JournalEntry) => {
    // One that is not on the dead host has moved, or is gone: it is asked about by itself.
    if (!servers.has(id)) servers.set(id, await cloud.readServer(id, signal));
    if (servers.get(id)?.host === journal.spare)
      ports.set(id, await cloud.listPorts({ instanceId: id }, signal));
  };
  const isMoving = ({ id }: JournalEntry) => (migrations.get(id) ?? []).some(isUnderWay);
  const entries = unfinished(journal);
  const resting = entries.filter((entry) => !isMoving(entry));
  const begun = resting.filter((entry) => entry.state !== 'pending');
  const room = Math.max(0, moving.concurrency - (entries.length - resting.length) - begun.length);
  const next = resting.filter((entry) => entry.state === 'pending').slice(0, full ? entries.length : room);
  await Promise.all(
    [...begun, ...next, ...(full ? entries.filter(isMoving) : [])].map((entry) => limit(() => read(entry))),
  );
  return { servers, ports, migrations };
}

function byInstance(migrations: readonly EvacuationMigration[]): Map<string, EvacuationMigration[]> {
  const grouped = new Map<string, EvacuationMigration[]>();
  for (const migration of migrations) {
    const known = grouped.get(migration.instanceId);
    if (known) known.push(migration);
    else grouped.set(migration.instanceId, [migration]);
  }
  return grouped;
}

/** One look at every unfinished instance, and what follows from it. */
async function followAll(moving: Moving, sighting: Sighting, watch: Watch): Promise<void> {
  const { journal, cloud } = moving;
  const ready: JournalEntry[] = [];
  let busy = 0;
  for (const entry of unfinished(journal)) {
    const server = sighting.servers.get(entry.id);
    const migrations = sighting.migrations.get(entry.id) ?? [];
    if (server === undefined && !migrations.some(isUnderWay)) continue;
    const progress: InstanceProgress =
      server === undefined
        ? { kind: 'under-way', detail: `migration ${migrations[0]?.status}` }
        : progressOf({
            entry,
            server,
            migrations,
            ports: sighting.ports.get(entry.id) ?? null,
            dead: journal.dead,
            spare: journal.spare,
            sinceMs: journal.openedAtMs + cloud.clockSkewMs() - clockMarginMs,
            lookedForMs: lookedForMs(moving, entry, watch),
          });
    if (progress.kind !== 'settling') watch.settlingSince.delete(entry.id);
    const next = await follow(moving, entry, progress, watch);
    if (next === 'ask') ready.push(entry);
    if (next === 'busy') busy += 1;
  }
  const room = Math.max(0, moving.concurrency - busy);
  if (ready.length > 0 && room > 0) await moving.confirmSilence();
  const results = await Promise.allSettled(ready.slice(0, room).map((entry) => ask(moving, entry)));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
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
    outcome: 'recovered' | 'skipped' | 'failed' | 'unfinished',
    why: string | null,
    after: string | null,
  ) => {
    await endInstance(moving, entry, { outcome, why, after });
    return 'ended' as const;
  };
  switch (progress.kind) {
    case 'back':
      return end('recovered', null, progress.status);
    case 'gone':
      return end('skipped', 'it was deleted meanwhile', null);
    case 'elsewhere':
      return end('skipped', `Nova has it on ${progress.host} now`, null);
    case 'failed':
      return entry.attempts < mostRequests ? 'ask' : end('failed', progress.why, 'ERROR');
    case 'waiting':
      return entry.attempts < mostRequests ? 'ask' : end('failed', 'Nova took no request for it', null);
    case 'settling': {
      const seenMs = moving.clock.steadyMs();
      const sinceMs = settlingSince.get(entry.id) ?? seenMs;
      settlingSince.set(entry.id, sinceMs);
      return seenMs - sinceMs > settleLimitMs ? end('failed', progress.detail, null) : 'busy';
    }
    case 'under-way':
      // Never asked again: Nova may still carry it out, however late. A person has to look.
      return nowMs - (entry.askedAtMs ?? moving.journal.openedAtMs) > instanceLimitMs
        ? end('unfinished', `still ${progress.detail} after ${instanceLimitMs / 60_000} minutes`, null)
        : 'busy';
  }
}

/**
 * Asks Nova for one evacuation. The journal says so first, under a fresh confirmation that this worker still holds the
 * lock, so that neither a crash nor a frozen worker leads to a second request for the same instance.
 */
async function ask(moving: Moving, entry: JournalEntry): Promise<void> {
  const { journal, cloud, clock, lock } = moving;
  const before = { state: 'pending' as const, attempts: entry.attempts, askedAtMs: entry.askedAtMs };
  /** Nothing left for Nova after all: the next worker need not wait for traces of it. */
  const takeBack = async () => {
    Object.assign(entry, before);
    journal.acted = Object.values(journal.instances).some((e) => e.attempts > 0);
    await lock.save(journal);
  };
  moving.signal.throwIfAborted();
  entry.state = 'asking';
  entry.attempts += 1;
  entry.askedAtMs = clock.nowMs();
  journal.acted = true;
  await lock.save(journal);
  if (moving.signal.aborted) {
    await takeBack();
    throw moving.signal.reason;
  }
  try {
    // Not under moving.signal: a request cut off by a stop would leave nobody knowing whether Nova took it. But bounded:
    // it must not leave long after the look it rests on, as when a login is waited for.
    await withTimeLimit(clock, requestLimitMs, (limit) => cloud.evacuate(entry.id, journal.spare, limit));
    entry.state = 'asked';
    await lock.save(journal);
    moving.log.info({ instance: entry.id, name: entry.name }, `Nova took the evacuation of ${entry.name}`);
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    moving.log.warn({ instance: entry.id, error: errorText(error) }, `evacuation of ${entry.name}`);
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
  if (error.status === 409)
    return endInstance(moving, entry, {
      outcome: 'skipped',
      why: `Nova refuses it: ${error.message}`,
      after: null,
    });
  if (error.status === 404 && /instance/i.test(error.message))
    return endInstance(moving, entry, { outcome: 'skipped', why: 'it was deleted meanwhile', after: null });
  if (entry.attempts >= mostRequests)
    return endInstance(moving, entry, {
      outcome: 'failed',
      why: `Nova refuses it: ${error.message}`,
      after: null,
    });
  entry.state = 'pending';
}

async function endAll(moving: Moving, why: string): Promise<void> {
  for (const entry of unfinished(moving.journal))
    await endInstance(moving, entry, { outcome: 'unfinished', why, after: null });
}
