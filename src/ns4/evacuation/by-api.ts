// Method `api`: Nova's own evacuate, per instance, in parallel up to a bound. Look at all, end those that are back or
// lost, ask for those that wait, and look again, until every instance has its end.

import { errorText } from '../../shared/errors.ts';
import type { Server } from '../../shared/inventory.ts';
import { CloudError, type EvacuationMigration, type PortBinding } from '../cloud.ts';
import type { JournalEntry } from './journal.ts';
import { look, type Sight } from './look.ts';
import { endInstance, type Method, unfinished, type Work } from './work.ts';

/** Pause between two looks. A look is four list calls whatever the number of instances. */
const pollMs = 500;
/** Requests per instance, when Nova gave up on the ones before. */
const mostRequests = 3;
/** From the (last) request to its end; a large image or a slow storage takes minutes, never an hour. */
const instanceLimitMs = 900_000;
/** On the spare but with a port that found no network, or in a state it should not stay in. */
const settleLimitMs = 60_000;
/** Nova (or Neutron) away for so long ends the waiting; what is unfinished is said so. */
const awayLimitMs = 600_000;
/** Clocks of the cloud and of ns4 may differ by this much beyond the correction. */
const clockMarginMs = 5_000;

interface Picture {
  readonly servers: ReadonlyMap<string, Server>;
  readonly migrations: ReadonlyMap<string, readonly EvacuationMigration[]>;
  readonly ports: ReadonlyMap<string, readonly PortBinding[]>;
}

export const byApi: Method = {
  name: 'api',
  async move(work) {
    const settlingSince = new Map<string, number>();
    let awaySinceMs: number | null = null;
    while (unfinished(work.incident).length > 0) {
      work.signal.throwIfAborted();
      try {
        const picture = await takePicture(work);
        awaySinceMs = null;
        await turn(work, picture, settlingSince);
      } catch (error) {
        if (!(error instanceof CloudError)) throw error;
        awaySinceMs ??= work.clock.nowMs();
        work.log.warn({ error: errorText(error) }, 'cannot see what became of the instances');
        if (work.clock.nowMs() - awaySinceMs > awayLimitMs)
          return endAll(work, `OpenStack is away: ${error.message}`);
      }
      if (unfinished(work.incident).length > 0) await work.clock.sleep(pollMs, work.signal);
    }
  },
};

/** Everything Nova and Neutron show of the instances, in a handful of list calls. */
async function takePicture({ cloud, incident, signal }: Work): Promise<Picture> {
  const [onDead, onSpare, migrations] = await Promise.all([
    cloud.listServers(signal, incident.dead),
    cloud.listServers(signal, incident.spare),
    cloud.listEvacuations(incident.dead, signal),
  ]);
  // Instances on the spare are read after those on the dead host by Nova's clock or not at all: the later word counts.
  const servers = new Map([...onDead, ...onSpare].map((server) => [server.id, server]));
  const waiting = unfinished(incident);
  // One that is on neither host moved between the two lists, went elsewhere or is gone: it is asked about by itself.
  for (const { id } of waiting) {
    if (servers.has(id)) continue;
    const server = await cloud.readServer(id, signal);
    if (server !== null) servers.set(id, server);
  }
  const arrived = waiting.filter(({ id }) => servers.get(id)?.host === incident.spare);
  const ports = new Map<string, readonly PortBinding[]>();
  await Promise.all(
    arrived.map(async ({ id }) => {
      ports.set(id, await cloud.listPorts({ instanceId: id }, signal));
    }),
  );
  return { servers, ports, migrations: byInstance(migrations) };
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
async function turn(work: Work, picture: Picture, settlingSince: Map<string, number>): Promise<void> {
  const { incident, clock, cloud } = work;
  const ready: JournalEntry[] = [];
  let busy = 0;
  for (const entry of unfinished(incident)) {
    const sight = look({
      entry,
      server: picture.servers.get(entry.id) ?? null,
      migrations: picture.migrations.get(entry.id) ?? [],
      ports: picture.ports.get(entry.id) ?? null,
      dead: incident.dead,
      spare: incident.spare,
      sinceMs: incident.openedAtMs + cloud.clockSkewMs() - clockMarginMs,
      nowMs: clock.nowMs(),
    });
    if (sight.kind !== 'settling') settlingSince.delete(entry.id);
    const next = await follow(work, entry, sight, settlingSince);
    if (next === 'ask') ready.push(entry);
    if (next === 'busy') busy += 1;
  }
  const room = Math.max(0, work.concurrency - busy);
  const results = await Promise.allSettled(ready.slice(0, room).map((entry) => ask(work, entry)));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Ends the instance, or says whether it may be asked for now or occupies a place. */
async function follow(
  work: Work,
  entry: JournalEntry,
  sight: Sight,
  settlingSince: Map<string, number>,
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
      const sinceMs = settlingSince.get(entry.id) ?? nowMs;
      settlingSince.set(entry.id, sinceMs);
      return nowMs - sinceMs > settleLimitMs ? end('failed', sight.detail, null) : 'busy';
    }
    case 'under-way':
      // Never asked again: Nova may still carry it out, however late. A person has to look.
      return entry.askedAtMs !== null && nowMs - entry.askedAtMs > instanceLimitMs
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
  const before = { attempts: entry.attempts, askedAtMs: entry.askedAtMs };
  entry.state = 'asking';
  entry.attempts += 1;
  entry.askedAtMs = clock.nowMs();
  incident.acted = true;
  await ownership.save(incident);
  work.signal.throwIfAborted();
  try {
    await cloud.evacuate(entry.id, incident.spare, work.signal);
    entry.state = 'asked';
    work.log.info({ instance: entry.id, name: entry.name }, `Nova took the evacuation of ${entry.name}`);
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    work.log.warn({ instance: entry.id, error: errorText(error) }, `evacuation of ${entry.name}`);
    switch (error.outcome) {
      case 'unknown':
        // Stays "asking": the next looks tell what Nova made of it.
        return;
      case 'not-done':
        Object.assign(entry, before, { state: 'pending' });
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
