// Method `api`: Nova's own evacuate, per instance, in parallel up to a bound. Look at all, end those that are back or
// lost, ask for those that wait, and look again, until every instance has its end.

import pLimit from 'p-limit';
import type { Server } from '../../../../shared/documents/inventory.ts';
import { withTimeLimit } from '../../../../shared/ground/clock.ts';
import { errorText } from '../../../../shared/ground/errors.ts';
import { CloudError, type EvacuationMigration, type PortBinding } from '../../../cloud.ts';
import type { JournalEntry } from '../../journal/journal.ts';
import { isUnderWay, look, requestLimitMs, type Sight } from '../instance-progress.ts';
import { endInstance, type Method, unfinished, type Work } from '../mover.ts';
import { awayLimitMs, awayPauseMs, isFinal } from '../patience.ts';

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

interface Picture {
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

export const byApi: Method = {
  name: 'api',
  async move(work) {
    const watch: Watch = { settlingSince: new Map(), lookingSince: new Map() };
    let fullLookAtMs = Number.NEGATIVE_INFINITY;
    let awaySinceMs: number | null = null;
    while (unfinished(work.incident).length > 0) {
      work.signal.throwIfAborted();
      const startedAtMs = work.clock.steadyMs();
      let pauseMs = awayPauseMs;
      try {
        const full = startedAtMs >= fullLookAtMs;
        if (full) fullLookAtMs = startedAtMs + fullLookMs;
        const picture = await takePicture(work, full);
        const lookedMs = work.clock.steadyMs() - startedAtMs;
        await turn(work, picture, watch);
        awaySinceMs = null;
        pauseMs = Math.min(longestPollMs, Math.max(pollMs, restPerLook * lookedMs));
      } catch (error) {
        if (!(error instanceof CloudError)) throw error;
        fullLookAtMs = Number.NEGATIVE_INFINITY;
        awaySinceMs ??= work.clock.steadyMs();
        work.log.warn({ error: errorText(error) }, 'cannot see what became of the instances');
        if (work.clock.steadyMs() - awaySinceMs > awayLimitMs)
          return endAll(work, `OpenStack is away: ${error.message}`);
      }
      if (unfinished(work.incident).length > 0) await work.clock.sleep(pauseMs, work.signal);
    }
  },
};

/** What Nova and Neutron show of the instances that may have news: all of them, or those whose migration moved on. */
async function takePicture(work: Work, full: boolean): Promise<Picture> {
  const { cloud, incident, signal } = work;
  const [migrations, onDead] = await Promise.all([
    cloud.listEvacuations(incident.dead, signal).then(byInstance),
    full ? cloud.listServers(signal, incident.dead) : [],
  ]);
  const servers = new Map<string, Server | null>(onDead.map((server) => [server.id, server]));
  const ports = new Map<string, readonly PortBinding[]>();
  const limit = pLimit(work.concurrency);
  const read = async ({ id }: JournalEntry) => {
    // One that is not on the dead host has moved, or is gone: it is asked about by itself.
    if (!servers.has(id)) servers.set(id, await cloud.readServer(id, signal));
    if (servers.get(id)?.host === incident.spare)
      ports.set(id, await cloud.listPorts({ instanceId: id }, signal));
  };
  const moving = ({ id }: JournalEntry) => (migrations.get(id) ?? []).some(isUnderWay);
  const entries = unfinished(incident);
  const resting = entries.filter((entry) => !moving(entry));
  const begun = resting.filter((entry) => entry.state !== 'pending');
  const room = Math.max(0, work.concurrency - (entries.length - resting.length) - begun.length);
  const next = resting.filter((entry) => entry.state === 'pending').slice(0, full ? entries.length : room);
  await Promise.all(
    [...begun, ...next, ...(full ? entries.filter(moving) : [])].map((entry) => limit(() => read(entry))),
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
async function turn(work: Work, picture: Picture, watch: Watch): Promise<void> {
  const { incident, cloud } = work;
  const ready: JournalEntry[] = [];
  let busy = 0;
  for (const entry of unfinished(incident)) {
    const server = picture.servers.get(entry.id);
    const migrations = picture.migrations.get(entry.id) ?? [];
    if (server === undefined && !migrations.some(isUnderWay)) continue;
    const sight: Sight =
      server === undefined
        ? { kind: 'under-way', detail: `migration ${migrations[0]?.status}` }
        : look({
            entry,
            server,
            migrations,
            ports: picture.ports.get(entry.id) ?? null,
            dead: incident.dead,
            spare: incident.spare,
            sinceMs: incident.openedAtMs + cloud.clockSkewMs() - clockMarginMs,
            lookedForMs: lookedForMs(work, entry, watch),
          });
    if (sight.kind !== 'settling') watch.settlingSince.delete(entry.id);
    const next = await follow(work, entry, sight, watch);
    if (next === 'ask') ready.push(entry);
    if (next === 'busy') busy += 1;
  }
  const room = Math.max(0, work.concurrency - busy);
  if (ready.length > 0 && room > 0) await work.confirmSilence();
  const results = await Promise.allSettled(ready.slice(0, room).map((entry) => ask(work, entry)));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/**
 * A clock that is set forward, or a successor whose own is ahead, must not shorten the time in which a request that got
 * lost may still be carried out.
 */
function lookedForMs({ clock }: Work, { id, attempts }: JournalEntry, { lookingSince }: Watch): number {
  const nowMs = clock.steadyMs();
  const known = lookingSince.get(id);
  const sinceMs = known?.attempts === attempts ? known.sinceMs : nowMs;
  lookingSince.set(id, { attempts, sinceMs });
  return nowMs - sinceMs;
}

/** Ends the instance, or says whether it may be asked for now or occupies a place. */
async function follow(
  work: Work,
  entry: JournalEntry,
  sight: Sight,
  { settlingSince }: Watch,
): Promise<'ask' | 'busy' | 'ended'> {
  const nowMs = work.clock.nowMs();
  const end = async (
    outcome: 'recovered' | 'skipped' | 'failed' | 'unfinished',
    why: string | null,
    after: string | null,
  ) => {
    await endInstance(work, entry, { outcome, why, after });
    return 'ended' as const;
  };
  switch (sight.kind) {
    case 'back':
      return end('recovered', null, sight.status);
    case 'gone':
      return end('skipped', 'it was deleted meanwhile', null);
    case 'elsewhere':
      return end('skipped', `Nova has it on ${sight.host} now`, null);
    case 'failed':
      return entry.attempts < mostRequests ? 'ask' : end('failed', sight.why, 'ERROR');
    case 'waiting':
      return entry.attempts < mostRequests ? 'ask' : end('failed', 'Nova took no request for it', null);
    case 'settling': {
      const seenMs = work.clock.steadyMs();
      const sinceMs = settlingSince.get(entry.id) ?? seenMs;
      settlingSince.set(entry.id, sinceMs);
      return seenMs - sinceMs > settleLimitMs ? end('failed', sight.detail, null) : 'busy';
    }
    case 'under-way':
      // Never asked again: Nova may still carry it out, however late. A person has to look.
      return nowMs - (entry.askedAtMs ?? work.incident.openedAtMs) > instanceLimitMs
        ? end('unfinished', `still ${sight.detail} after ${instanceLimitMs / 60_000} minutes`, null)
        : 'busy';
  }
}

/**
 * Asks Nova for one evacuation. The journal says so first, under a fresh confirmation that this worker still owns the
 * incident, so that neither a crash nor a frozen worker leads to a second request for the same instance.
 */
async function ask(work: Work, entry: JournalEntry): Promise<void> {
  const { incident, cloud, clock, ownership } = work;
  const before = { state: 'pending' as const, attempts: entry.attempts, askedAtMs: entry.askedAtMs };
  /** Nothing left for Nova after all: the next worker need not wait for traces of it. */
  const takeBack = async () => {
    Object.assign(entry, before);
    incident.acted = Object.values(incident.instances).some((e) => e.attempts > 0);
    await ownership.save(incident);
  };
  work.signal.throwIfAborted();
  entry.state = 'asking';
  entry.attempts += 1;
  entry.askedAtMs = clock.nowMs();
  incident.acted = true;
  await ownership.save(incident);
  if (work.signal.aborted) {
    await takeBack();
    throw work.signal.reason;
  }
  try {
    // Not under work.signal: a request cut off by a stop would leave nobody knowing whether Nova took it. But bounded: it
    // must not leave long after the look it rests on, as when a login is waited for.
    await withTimeLimit(clock, requestLimitMs, (limit) => cloud.evacuate(entry.id, incident.spare, limit));
    entry.state = 'asked';
    await ownership.save(incident);
    work.log.info({ instance: entry.id, name: entry.name }, `Nova took the evacuation of ${entry.name}`);
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    work.log.warn({ instance: entry.id, error: errorText(error) }, `evacuation of ${entry.name}`);
    switch (error.outcome === 'refused' && !isFinal(error) ? 'not-done' : error.outcome) {
      case 'unknown':
        // Stays "asking": the next looks tell what Nova made of it.
        return;
      case 'not-done':
        await takeBack();
        throw error;
      case 'refused':
        return refusedBy(work, entry, error);
    }
  }
}

/** Nova's no. A 409 is about the instance's state and will not change by asking; others may be asked again. */
async function refusedBy(work: Work, entry: JournalEntry, error: CloudError): Promise<void> {
  if (error.status === 409)
    return endInstance(work, entry, {
      outcome: 'skipped',
      why: `Nova refuses it: ${error.message}`,
      after: null,
    });
  if (error.status === 404 && /instance/i.test(error.message))
    return endInstance(work, entry, { outcome: 'skipped', why: 'it was deleted meanwhile', after: null });
  if (entry.attempts >= mostRequests)
    return endInstance(work, entry, {
      outcome: 'failed',
      why: `Nova refuses it: ${error.message}`,
      after: null,
    });
  entry.state = 'pending';
}

async function endAll(work: Work, why: string): Promise<void> {
  for (const entry of unfinished(work.incident))
    await endInstance(work, entry, { outcome: 'unfinished', why, after: null });
}
