// Mover `api`: Nova's own evacuate, per instance, in parallel up to a bound. Look at all, end those that are back or
// lost, ask for those that wait, and look again, until every instance has its end.

import pLimit from 'p-limit';
import type { Server } from '../../../../shared/documents/inventory.ts';
import { errorText } from '../../../../shared/ground/errors.ts';
import { groupBy } from '../../../../shared/ground/group-by.ts';
import { CloudError, type EvacuationMigration, type PortBinding } from '../../../cloud/cloud.ts';
import { type JournalEntry, ofTheirTurn, unfinished } from '../../journal/journal.ts';
import { type InstanceProgress, isUnderWay, mayHaveArrived, progressOf } from '../instance-progress.ts';
import { endInstance, type Mover, type Moving } from '../mover.ts';
import { awayLimitMs, awayPauseMs } from '../retry.ts';
import { ask, mayAskAgain, turnElsewhere } from './request.ts';

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
/** From the (last) request to its end; a large image or a slow storage takes minutes, never an hour. */
const instanceLimitMs = 900_000;
/** At its target but with a port that found no network, or in a state it should not stay in. */
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
  shortcoming: () => null,
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
  const read = async (entry: JournalEntry) => {
    const { id } = entry;
    // One that is not on the dead host has moved, or is gone: it is asked about by itself.
    if (!servers.has(id)) servers.set(id, await cloud.readServer(id, signal));
    if (mayHaveArrived(entry, journal.dead, servers.get(id)?.host ?? null))
      ports.set(id, await cloud.listPorts({ instanceId: id }, signal));
  };
  const isMoving = ({ id }: JournalEntry) => (migrations.get(id) ?? []).some(isUnderWay);
  const entries = ofTheirTurn(journal);
  const resting = entries.filter((entry) => !isMoving(entry));
  const begun = resting.filter((entry) => entry.state !== 'pending');
  const room = Math.max(0, moving.concurrency - (entries.length - resting.length) - begun.length);
  const next = resting.filter((entry) => entry.state === 'pending').slice(0, full ? entries.length : room);
  await Promise.all(
    [...begun, ...next, ...(full ? entries.filter(isMoving) : [])].map((entry) => limit(() => read(entry))),
  );
  return { servers, ports, migrations };
}

const byInstance = (migrations: readonly EvacuationMigration[]): Map<string, EvacuationMigration[]> =>
  groupBy(migrations, ({ instanceId }) => instanceId);

/** One look at every unfinished instance, and what follows from it. */
async function followAll(moving: Moving, sighting: Sighting, watch: Watch): Promise<void> {
  const { journal, cloud } = moving;
  const ready: JournalEntry[] = [];
  let busy = 0;
  for (const entry of ofTheirTurn(journal)) {
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
    case 'failed':
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
