// Nova's database, for `evacuate = database` only: hands instances to another host in one transaction of conditional
// updates, and says what became of each even when the answer to its COMMIT was lost.

import { z } from 'zod';
import type { MysqlSettings } from '../../shared/config/settings.ts';
import { type Clock, systemClock } from '../../shared/ground/clock.ts';
import { OperationalError } from '../../shared/ground/errors.ts';
import { type RetryPolicy, retry } from '../../shared/ground/retry.ts';
import { hostName, orNone } from '../cloud/outside.ts';
import {
  MysqlError,
  type MysqlLimits,
  mysqlLimits,
  mysqlPlace,
  type Session,
  withSession,
} from './mysql-session.ts';

/** A hypervisor as Nova's tables name it: `host` is the service's host, `node` the hypervisor's name. */
export interface NovaHost {
  readonly host: string;
  readonly node: string;
}

export interface InstanceMove {
  /** UUIDs. */
  readonly ids: readonly string[];
  readonly from: NovaHost;
  readonly to: NovaHost;
}

/** What became of the instances asked for; those in none of the lists are deleted. */
export interface MoveResult {
  /** Written by this call. */
  readonly moved: string[];
  /** Were on the target before it. */
  readonly already: string[];
  /** On a third host, and left there; "no host" when Nova has none for it. */
  readonly elsewhere: { id: string; host: string }[];
}

export interface NovaDatabase {
  /**
   * Moves all instances that are still on `from` to `to`, or none: it resolves after the COMMIT and rejects with an
   * OperationalError otherwise. Safe to repeat, which after an error is the way to learn what is true.
   */
  moveInstances(move: InstanceMove, signal: AbortSignal): Promise<MoveResult>;
  /** Sees that we may log in and change instances, changing none; a line about the server, or an OperationalError. */
  check(): Promise<string>;
  /** Ends what is under way; it rejects. */
  close(): Promise<void>;
}

export interface NovaDatabaseOptions {
  readonly clock?: Clock;
  readonly limits?: Partial<MysqlLimits>;
}

/** Deadlock (also how Galera refuses a COMMIT) and lock wait: someone else was at the rows; all is rolled back. */
const inOurWay: ReadonlySet<number | null> = new Set([1213, 1205]);
const unknownColumn = 1054;
const whenInOurWay: RetryPolicy = { limit: { attempts: 5 }, firstMs: 250, mostMs: 2_000 };

/** Connects for each call only: calls are rare, and a connection kept for weeks is dead when it is needed. */
export function createNovaDatabase(settings: MysqlSettings, options: NovaDatabaseOptions = {}): NovaDatabase {
  const clock = options.clock ?? systemClock;
  const limits = { ...mysqlLimits, ...options.limits };
  const closing = new AbortController();
  return {
    async moveInstances(move, signal) {
      const stop = AbortSignal.any([signal, closing.signal]);
      // Sorted: two Sonnys at the same instances wait for each other instead of deadlocking.
      const ids = [...new Set(move.ids)].sort();
      if (ids.length === 0) return { moved: [], already: [], elsewhere: [] };
      const unanswered = new Set<string>();
      const again = (error: unknown) =>
        error instanceof MysqlError && (inOurWay.has(error.errno) || unanswered.size > 0);
      let attempts = 0;
      try {
        return await retry(whenInOurWay, { clock, signal: stop, again }, (attempt) => {
          attempts = attempt;
          return withSession(settings, limits, stop, (session) =>
            moveOnce(session, { ...move, ids }, unanswered),
          );
        });
      } catch (error) {
        stop.throwIfAborted();
        if (!(error instanceof OperationalError)) throw error;
        throw final(settings, error, attempts, unanswered.size);
      }
    },
    check: () => withSession(settings, limits, closing.signal, (session) => check(session, settings)),
    close: async () => closing.abort(new OperationalError(`${mysqlPlace(settings)}: closed`)),
  };
}

/**
 * One transaction. When the COMMIT gets no answer, the ids it wrote are added to `unanswered`; the next call locks
 * their rows first, and thus waits until the server has finished with that transaction, before it reads where they are.
 */
async function moveOnce(session: Session, move: InstanceMove, unanswered: Set<string>): Promise<MoveResult> {
  const withComputeId = await hasComputeId(session);
  await session.command('START TRANSACTION');
  let result: MoveResult;
  let written: string[];
  try {
    const hosts = await lockedHosts(session, move.ids, [move.from.host, move.to.host]);
    const on = (host: string) => [...hosts.keys()].filter((id) => hosts.get(id) === host);
    const there = on(move.to.host);
    written = move.from.host === move.to.host ? [] : on(move.from.host);
    if (written.length > 0)
      await rewrite(session, move, written, withComputeId ? await computeNodeId(session, move.to) : null);
    result = {
      moved: [...written, ...there.filter((id) => unanswered.has(id))].sort(),
      already: there.filter((id) => !unanswered.has(id)),
      elsewhere: [...hosts]
        .filter(([, host]) => host !== move.from.host && host !== move.to.host)
        .map(([id, host]) => ({ id, host: host ?? 'no host' })),
    };
  } catch (error) {
    // Frees the rows before we try again; the server does it anyway when the connection ends.
    await session.command('ROLLBACK').catch(() => {});
    throw error;
  }
  try {
    await session.command('COMMIT');
  } catch (error) {
    if (!(error instanceof MysqlError && inOurWay.has(error.errno)))
      for (const id of written) unanswered.add(id);
    throw error;
  }
  return result;
}

/** Where Nova has each instance that exists, none of which anyone can change until we are done. */
async function lockedHosts(
  session: Session,
  ids: readonly string[],
  known: readonly string[],
): Promise<Map<string, string | null>> {
  const hosts = new Map<string, string | null>();
  // One by one: for a long IN list the server may read, and lock, the whole table.
  for (const id of ids) {
    const [row] = await session.rows('SELECT host FROM instances WHERE uuid = ? AND deleted = 0 FOR UPDATE', [
      id,
    ]);
    if (row) hosts.set(id, hostOf(row.host, known));
  }
  return hosts;
}

/**
 * As the API's: what is no name of a host is none that anything is built on. Null: Nova has none for it. The names that
 * were asked for are what they are, to the letter.
 */
function hostOf(found: unknown, known: readonly string[]): string | null {
  const host = orNone(hostName).safeParse(found);
  if (host.success) return host.data;
  return typeof found === 'string' && known.includes(found) ? found : 'a host whose name makes no sense';
}

async function rewrite(
  session: Session,
  { from, to }: InstanceMove,
  ids: readonly string[],
  computeId: string | number | null,
): Promise<void> {
  const more = computeId === null ? '' : ', compute_id = ?';
  const sql = `UPDATE instances SET host = ?, node = ?${more} WHERE uuid = ? AND host = ? AND deleted = 0`;
  for (const id of ids) {
    const values = [to.host, to.node, ...(computeId === null ? [] : [computeId]), id, from.host];
    const changed = await session.change(sql, values);
    if (changed !== 1)
      throw new OperationalError(`instance ${id}: ${changed} rows of Nova's database matched, expected 1`);
  }
}

/** Since 2023.2 Nova also keeps the compute node's id with the instance. Asked of the table, as no release is known. */
async function hasComputeId(session: Session): Promise<boolean> {
  try {
    await session.rows('SELECT compute_id FROM instances WHERE 1 = 0');
    return true;
  } catch (error) {
    if (error instanceof MysqlError && error.errno === unknownColumn) return false;
    throw error;
  }
}

async function computeNodeId(session: Session, { host, node }: NovaHost): Promise<string | number> {
  const [row] = await session.rows(
    'SELECT id FROM compute_nodes WHERE host = ? AND hypervisor_hostname = ? AND deleted = 0',
    [host, node],
  );
  const id = rowNumber.safeParse(row?.id).data;
  if (id !== undefined) return id;
  throw new OperationalError(`Nova's table compute_nodes has no hypervisor ${node} on host ${host}`);
}

/** "10.11.6-MariaDB-0+deb12u1". */
const shownVersion = z.string().regex(/^[\w.:+~-]{1,100}$/);

/** Of a table; a text where it is beyond JavaScript's numbers. */
const rowNumber = z.union([z.number().int().positive(), z.string().regex(/^[1-9]\d{0,19}$/)]);

async function check(session: Session, settings: MysqlSettings): Promise<string> {
  const [server] = await session.rows('SELECT VERSION() AS version');
  const withComputeId = await hasComputeId(session);
  await session.command('START TRANSACTION');
  await lockedHosts(session, [''], []);
  if (withComputeId)
    await session.rows(
      "SELECT id FROM compute_nodes WHERE host = '' AND hypervisor_hostname = '' AND deleted = 0",
    );
  const more = withComputeId ? ', compute_id = compute_id' : '';
  // No instance has an empty uuid: only the right to do this is tried (and that the server is not read-only).
  await session.change(
    `UPDATE instances SET host = host, node = node${more} WHERE uuid = '' AND deleted = 0`,
  );
  await session.command('ROLLBACK');
  const version = shownVersion.safeParse(server?.version).data ?? 'of a version that makes no sense';
  const how = `${withComputeId ? 'with' : 'without'} compute_id, ${settings.ca === null ? 'no TLS' : 'TLS'}`;
  return `${mysqlPlace(settings)}: ${version}, ${settings.user} may move instances in database ${settings.database} (${how})`;
}

function final(
  settings: MysqlSettings,
  error: OperationalError,
  attempts: number,
  unanswered: number,
): OperationalError {
  const place = mysqlPlace(settings);
  const text = error.message.startsWith(place) ? error.message : `${place}: ${error.message}`;
  const tried = attempts > 1 ? ` (${attempts} attempts)` : '';
  return new OperationalError(
    unanswered > 0
      ? `${text}${tried}; a COMMIT got no answer, so ${unanswered} instances may have been moved`
      : `${text}${tried}; nothing was changed`,
  );
}
