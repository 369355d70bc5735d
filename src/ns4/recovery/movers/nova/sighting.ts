// One look at Nova and Neutron during a recovery: at all its instances, or only at those that may have news.
import pLimit from 'p-limit';
import type { Server } from '../../../../shared/documents/inventory.ts';
import { groupBy } from '../../../../shared/ground/group-by.ts';
import type { MigrationRecord, PortBinding } from '../../../cloud/cloud.ts';
import { type JournalEntry, ofTheirTurn } from '../../journal/journal.ts';
import { mayHaveArrived } from '../instance-progress.ts';
import { cloudAheadMs } from '../last-look.ts';
import { type Moving, sinceMsOf } from '../mover.ts';
import { isEvacuationOf, isUnfinished } from '../under-way.ts';

export interface Sighting {
  /** Absent: not looked at this time (its migration is under way, or it waits for room); null: Nova knows none. */
  readonly servers: ReadonlyMap<string, Server | null>;
  /** Of any type, newest first. */
  readonly migrations: ReadonlyMap<string, readonly MigrationRecord[]>;
  readonly ports: ReadonlyMap<string, readonly PortBinding[]>;
  /** Migrations that are no evacuations from the dead host, as the last full look showed them. */
  readonly others: readonly MigrationRecord[];
  /** See `cloudAheadMs`. */
  readonly aheadMs: number;
}

/** An evacuation that began in this recovery; what an older record is worth only its instance tells. */
export const isOnItsWay = (record: MigrationRecord, dead: string, sinceMs: number): boolean =>
  isUnfinished(record) && isEvacuationOf(dead, record) && record.createdAtMs >= sinceMs;

/**
 * What Nova and Neutron show of the instances that may have news: with `others`, which are then taken for what they
 * were, those whose evacuation moved on; without, all of them.
 */
export async function lookAtNova(
  moving: Moving,
  others: readonly MigrationRecord[] | null,
): Promise<Sighting> {
  const { cloud, clock, journal, signal } = moving;
  const { dead } = journal;
  const isFull = others === null;
  const [read, onDead] = await Promise.all([
    isFull ? cloud.listMigrations(dead, signal) : cloud.listEvacuations(dead, signal),
    isFull ? cloud.listServers(signal, dead) : [],
  ]);
  const aheadMs = cloudAheadMs(clock, cloud);
  const all = isFull ? read : [...read, ...others].sort((a, b) => b.createdAtMs - a.createdAtMs);
  const migrations = groupBy(all, ({ instanceId }) => instanceId);
  const sinceMs = sinceMsOf(moving);
  const isMoving = ({ id }: JournalEntry) =>
    (migrations.get(id) ?? []).some((m) => isOnItsWay(m, dead, sinceMs));
  const servers = new Map<string, Server | null>(onDead.map((server) => [server.id, server]));
  const ports = new Map<string, readonly PortBinding[]>();
  const limit = pLimit(moving.concurrency);
  const readOne = async (entry: JournalEntry) => {
    const { id } = entry;
    // One that is not on the dead host has moved, or is gone: it is asked about by itself.
    if (!servers.has(id)) servers.set(id, await cloud.readServer(id, signal));
    if (mayHaveArrived(entry, dead, servers.get(id)?.host ?? null))
      ports.set(id, await cloud.listPorts({ instanceId: id }, signal));
  };
  const wanted = whomToRead(moving, isMoving, isFull);
  await Promise.all(wanted.map((entry) => limit(() => readOne(entry))));
  return {
    ...{ servers, ports, migrations, aheadMs },
    others: isFull ? read.filter((m) => !isEvacuationOf(dead, m)) : others,
  };
}

/** A server costs Nova a call to Neutron: none is read that is certainly on its way, or has no place yet. */
function whomToRead(
  { journal, concurrency }: Moving,
  isMoving: (entry: JournalEntry) => boolean,
  isFull: boolean,
): JournalEntry[] {
  const entries = ofTheirTurn(journal);
  if (isFull) return entries;
  const resting = entries.filter((entry) => !isMoving(entry));
  const begun = resting.filter((entry) => entry.state !== 'pending');
  // Somebody else's evacuations take no place, however long they last.
  const own = entries.filter((entry) => entry.attempts > 0 && isMoving(entry));
  const room = Math.max(0, concurrency - own.length - begun.length);
  return [...begun, ...resting.filter((entry) => entry.state === 'pending').slice(0, room)];
}
