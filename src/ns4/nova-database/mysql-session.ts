// One connection to MySQL or MariaDB for one piece of work: TLS with the host name checked, a bound on every wait, an
// end as soon as the signal says so. Knows nothing of Nova; nova-database.ts is its user.
import { isIP, type Socket, connect as tcpConnect } from 'node:net';
import {
  authPlugins,
  type Connection,
  type ConnectionOptions,
  createConnection,
  type ResultSetHeader,
  type RowDataPacket,
} from 'mysql2';
import { readGuarded } from '../../shared/config/guarded-file.ts';
import type { MysqlSettings } from '../../shared/config/settings.ts';
import { errorText, OperationalError } from '../../shared/ground/errors.ts';
import { plainLine } from '../../shared/ground/plain.ts';

/** How long to wait for what; the server's own limits lie below ours, so that it usually ends a statement itself. */
export interface MysqlLimits {
  /** From the first packet to the end of the login. */
  readonly connectMs: number;
  /** One statement's answer, after which the connection is given up. */
  readonly statementMs: number;
  readonly serverStatementS: number;
  readonly lockWaitS: number;
  /** After this long without a word from us the server rolls back and frees the rows (a cut cable sends no FIN). */
  readonly idleTransactionS: number;
}

export const mysqlLimits: MysqlLimits = {
  connectMs: 5_000,
  statementMs: 10_000,
  serverStatementS: 8,
  lockWaitS: 5,
  idleTransactionS: 10,
};

const quitMs = 1_000;
/** All that a server may send in one session: what is asked for has some hundred bytes a row. */
const mostBytes = 64 * 1024 * 1024;
const countEveryMs = 100;
/** Of what a server says went wrong. */
const mostOfError = 500;
const unknownVariable = 1193;

/** MySQL refused, was late or is away: one line that says where and why. */
export class MysqlError extends OperationalError {
  /** The server's error number; null when no answer came (not reached, connection lost, too late). */
  readonly errno: number | null;
  constructor(message: string, errno: number | null) {
    super(message);
    this.name = 'MysqlError';
    this.errno = errno;
  }
}

type SqlValue = string | number;

/** What work gets to do on a connection; every method rejects with a MysqlError, or with the signal's reason. */
export interface Session {
  /** A SELECT, prepared on the server, so that no value is ever part of the SQL whatever the sql_mode. */
  rows(sql: string, values?: readonly SqlValue[]): Promise<Record<string, unknown>[]>;
  /** A change; how many rows matched its condition. */
  change(sql: string, values?: readonly SqlValue[]): Promise<number>;
  /** A statement without values or result. */
  command(sql: string): Promise<void>;
}

/** "MySQL at db.example.org:3306", as every message about this server begins. */
export function mysqlPlace(settings: MysqlSettings): string {
  return `MySQL at ${isIP(settings.host) === 6 ? `[${settings.host}]` : settings.host}:${settings.port}`;
}

/** Connects, lets `work` do its part, and disconnects whatever comes of it. An open transaction is then rolled back. */
export async function withSession<T>(
  settings: MysqlSettings,
  limits: MysqlLimits,
  signal: AbortSignal,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const tls = tlsOf(settings);
  // A socket of our own: mysql2's destroy() only says goodbye, and would wait for a silent server for ever.
  const socket = tcpConnect({ host: settings.host, port: settings.port, noDelay: true, keepAlive: true });
  const connection = createConnection({ ...connectionOptions(settings), ...tls, stream: socket });
  let usable = false;
  let loggedIn = false;
  const cut = () => {
    usable = false;
    connection.destroy();
    socket.destroy();
  };
  // Each wait reports its own error; without a listener mysql2's second report would end the process.
  connection.on('error', () => {
    usable = false;
  });

  const bounded = <R>(limitMs: number, late: string, start: (done: Done<R>) => void) =>
    new Promise<R>((resolve, reject) => {
      signal.throwIfAborted();
      const stop = () => {
        settle();
        cut();
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        settle();
        cut();
        reject(new MysqlError(`${mysqlPlace(settings)}: ${late} within ${limitMs / 1000} s`, null));
      }, limitMs);
      const count = setInterval(() => {
        if (socket.bytesRead <= mostBytes) return;
        settle();
        cut();
        reject(new MysqlError(`${mysqlPlace(settings)}: it sends without an end`, null));
      }, countEveryMs);
      const settle = () => {
        clearTimeout(timer);
        clearInterval(count);
        signal.removeEventListener('abort', stop);
      };
      signal.addEventListener('abort', stop, { once: true });
      start((error, result) => {
        settle();
        if (error) {
          reject(mysqlError(settings, error, loggedIn));
          if ((error as { fatal?: boolean }).fatal) usable = false;
        } else resolve(result as R);
      });
    });

  const answer = <R>(start: (done: Done<R>) => void) => bounded(limits.statementMs, 'no answer', start);
  const session: Session = {
    rows: (sql, values = []) =>
      answer<RowDataPacket[]>((done) => connection.execute<RowDataPacket[]>(sql, [...values], done)),
    change: async (sql, values = []) => {
      const result = await answer<ResultSetHeader>((done) =>
        connection.execute<ResultSetHeader>(sql, [...values], done),
      );
      return result.affectedRows;
    },
    command: async (sql) => {
      await answer<ResultSetHeader>((done) => connection.query<ResultSetHeader>(sql, done));
    },
  };

  try {
    await bounded<void>(limits.connectMs, 'no connection', (done) => {
      connection.once('connect', () => done(null));
      connection.once('error', done);
    });
    usable = true;
    loggedIn = true;
    await setLimits(session, limits);
    return await work(session);
  } finally {
    if (usable) await quit(connection, socket);
    cut();
  }
}

type Done<R> = (error: Error | null, result?: R) => void;

function connectionOptions(settings: MysqlSettings): ConnectionOptions {
  return {
    host: settings.host,
    port: settings.port,
    user: settings.user,
    password: settings.password,
    database: settings.database,
    connectTimeout: 0, // ours covers the login too
    supportBigNumbers: true,
    // The server must not be able to ask for our files.
    flags: ['-LOCAL_FILES'],
  };
}

/** What a server says to a client whose password it does not remember: send it, as clear text or encrypted. */
const sendPassword = Buffer.from([4]);

/**
 * Without TLS the password is never encrypted for the server with a key that the server itself hands out: whoever sits
 * in the path would hand out one of his own, and read it. mysql2 would take any (MySQL's own clients do not:
 * allowPublicKeyRetrieval). Logins whose scramble suffices still work.
 */
const plainPlugins: NonNullable<ConnectionOptions['authPlugins']> = {
  caching_sha2_password: (parts) => {
    const login = authPlugins.caching_sha2_password()(parts);
    return (data) => (sendPassword.equals(data) ? refuseKey() : login(data));
  },
  sha256_password: () => refuseKey,
};

function refuseKey(): never {
  throw new Error('the server wants the password itself, which is sent with TLS only: set [MYSQL] ca');
}

function tlsOf(settings: MysqlSettings): ConnectionOptions {
  if (settings.ca === null) return { authPlugins: plainPlugins };
  const read = readGuarded(settings.ca, { secret: 'none', pem: true });
  if ('problem' in read)
    throw new MysqlError(`${mysqlPlace(settings)}: the CA file cannot be read: ${read.problem}`, null);
  return {
    // For an address mysql2 gives TLS no name, which Node then takes for "localhost". With a final dot (which Node
    // drops before it compares) mysql2 takes it for a name, so that the certificate must name the address itself.
    host: isIP(settings.host) ? `${settings.host}.` : settings.host,
    ssl: { ca: read.text, rejectUnauthorized: true, verifyIdentity: true },
  };
}

/** Limits that the server keeps even when it no longer hears of us. MySQL lacks some of MariaDB's. */
async function setLimits(session: Session, limits: MysqlLimits): Promise<void> {
  const settings = [
    `innodb_lock_wait_timeout = ${limits.lockWaitS}`,
    `max_statement_time = ${limits.serverStatementS}`,
    `idle_transaction_timeout = ${limits.idleTransactionS}`,
    // In a Galera cluster: read only after all that was committed on the other nodes before.
    'wsrep_sync_wait = 1',
  ];
  for (const setting of settings) {
    try {
      await session.command(`SET SESSION ${setting}`);
    } catch (error) {
      if (!(error instanceof MysqlError && error.errno === unknownVariable)) throw error;
    }
  }
}

/** A proper goodbye, as the server logs connections that just end. */
async function quit(connection: Connection, socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, quitMs);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    connection.end();
  });
}

/** Of a refused login only the number and a known sentence: the server's own words may quote it. */
const refusals: Readonly<Record<number, string>> = {
  1040: 'too many connections',
  1044: 'Access denied to the database',
  1045: 'Access denied: the user or password is refused',
  1049: 'there is no such database',
  1129: 'this machine is blocked after too many failed connections',
  1130: 'this machine may not connect',
};

function mysqlError(settings: MysqlSettings, error: Error, loggedIn: boolean): MysqlError {
  const { errno } = error as NodeJS.ErrnoException;
  if (!loggedIn && errno !== undefined && errno > 0) {
    const about = errno === 1044 || errno === 1049 ? ` '${settings.database}'` : '';
    const why = `${refusals[errno] ?? 'the login is refused'}${about}`;
    return new MysqlError(`${mysqlPlace(settings)}: ${why} (error ${errno})`, errno);
  }
  const text = errorText(error).startsWith("Can't add new command")
    ? 'the connection was lost'
    : plainLine(errorText(error).slice(0, mostOfError)).trim();
  // The system's own numbers (ECONNREFUSED) are negative.
  return new MysqlError(`${mysqlPlace(settings)}: ${text}`, errno !== undefined && errno > 0 ? errno : null);
}
