// A private mariadbd for tests: a port of its own on 127.0.0.1, a socket and data in a temporary directory, stopped for
// sure; and in it a cut-down `nova` database, its columns typed as in the real one.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import type { MysqlSettings } from '../../src/shared/config/settings.ts';
import { type Certificates, makeCertificates, remakeServerCertificate } from './certificates.ts';
import { freePort } from './redis.ts';

/** What the tables hold of an instance. */
interface InstanceRow {
  readonly uuid: string;
  readonly host: string | null;
  readonly node: string | null;
  readonly deleted?: number;
  readonly vmState?: string;
}

/** A database as Nova's, empty at first. */
export interface TestNova {
  /** Login of Nova's user, without TLS. */
  readonly settings: MysqlSettings;
  addInstances(rows: readonly InstanceRow[]): Promise<void>;
  /** Adds a hypervisor and gives its id. */
  addComputeNode(host: string, node: string): Promise<number>;
  /** "host/node" by uuid, of the instances that are not deleted; with the compute_id behind it where there is one. */
  places(): Promise<Record<string, string>>;
}

export interface TestMariadb {
  readonly host: string;
  readonly port: number;
  /** The CA that signed the server's certificate, which is for the name `localhost` only at first; and a foreign CA. */
  readonly certificates: Certificates;
  /** Makes the database; with `computeId`, as Nova has it since 2023.2. */
  createNova(name?: string, options?: { computeId?: boolean }): Promise<TestNova>;
  /** A connection as root over the socket, ended by `stop` at the latest. */
  root(database?: string): Promise<Connection>;
  /** Gives the server a certificate for other names, as OpenSSL writes them ("IP:127.0.0.1"). */
  certify(names: string): Promise<void>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
  /** SIGKILL, as a power cut. */
  kill9(): Promise<void>;
  /** Starts it again on the same port and data. */
  start(): Promise<void>;
}

const user = 'nova';
const password = 'se"cr\'et\\%';
const startMs = 20_000;

/** Starts a server (about 3 s). */
export async function startMariadb(): Promise<TestMariadb> {
  const mariadbd = program('mariadbd');
  const installer = program('mariadb-install-db');
  const dir = mkdtempSync(join(tmpdir(), 'sonny-mariadb-'));
  const tlsDir = join(dir, 'tls');
  const remove = () => rmSync(dir, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    const certificates = makeCertificates(tlsDir, 'DNS:localhost');
    const port = await freePort();
    const socketPath = join(dir, 'socket');
    const common = [
      '--no-defaults',
      `--datadir=${join(dir, 'data')}`,
      '--innodb-log-file-size=4M',
      // mariadbd refuses to run as root unless told so.
      ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    ];
    install(installer, common);

    let child: ChildProcess | null = null;
    const start = async () => {
      // setpriv: the server must not outlive a test run that was killed.
      const started = spawn(
        'setpriv',
        [
          ...['--pdeathsig', 'KILL', mariadbd, ...common],
          ...['--bind-address=127.0.0.1', `--port=${port}`, `--socket=${socketPath}`, '--skip-name-resolve'],
          ...[`--pid-file=${join(dir, 'pid')}`, '--innodb-flush-log-at-trx-commit=0'],
          ...[`--ssl-cert=${certificates.server.cert}`, `--ssl-key=${certificates.server.key}`],
        ],
        { stdio: ['ignore', 'ignore', 'pipe'] },
      );
      child = started;
      let words = '';
      started.stderr?.on('data', (chunk) => {
        words = (words + chunk).slice(-4_000);
      });
      const failed = new Promise<never>((_, reject) => {
        started.once('error', (error) =>
          reject(new Error(`setpriv (Debian package util-linux): ${error.message}`)),
        );
        started.once('exit', (code, by) => reject(new Error(`mariadbd ended with ${code ?? by}: ${words}`)));
      });
      failed.catch(() => {});
      await Promise.race([failed, answering(socketPath)]);
    };
    const kill9 = async () => {
      const ending = child;
      child = null;
      if (ending === null || ending.exitCode !== null || ending.signalCode !== null) return;
      const gone = new Promise((resolve) => ending.once('exit', resolve));
      ending.kill('SIGKILL');
      await gone;
    };
    const connections: Connection[] = [];
    const root = async (database?: string) => {
      const connection = await createConnection({
        socketPath,
        user: 'root',
        multipleStatements: true,
        ...(database === undefined ? {} : { database }),
      });
      connections.push(connection);
      return connection;
    };
    await start();
    return {
      host: '127.0.0.1',
      port,
      certificates,
      createNova: async (name = 'nova', options = {}) =>
        createNova(await root(), { name, port, computeId: options.computeId ?? false }),
      root,
      certify: async (names) => {
        remakeServerCertificate(tlsDir, names);
        await (await root()).query('FLUSH SSL');
      },
      start,
      kill9,
      stop: async () => {
        for (const connection of connections) connection.destroy();
        await kill9();
        process.off('exit', remove);
        remove();
      },
    };
  } catch (error) {
    process.off('exit', remove);
    remove();
    throw error;
  }
}

async function createNova(
  root: Connection,
  { name, port, computeId }: { name: string; port: number; computeId: boolean },
): Promise<TestNova> {
  await root.query(`CREATE DATABASE \`${name}\` CHARACTER SET utf8mb3; USE \`${name}\`; ${schema}`);
  if (computeId) await root.query('ALTER TABLE instances ADD COLUMN compute_id BIGINT DEFAULT NULL');
  await root.query(`CREATE USER IF NOT EXISTS ? IDENTIFIED BY ?; GRANT ALL ON \`${name}\`.* TO ?`, [
    user,
    password,
    user,
  ]);
  return {
    settings: { host: '127.0.0.1', port, user, password, database: name, ca: null },
    async addInstances(rows) {
      for (const { uuid, host, node, deleted = 0, vmState = 'active' } of rows)
        await root.query(
          'INSERT INTO instances (created_at, uuid, host, node, deleted, vm_state) VALUES (UTC_TIMESTAMP(), ?, ?, ?, ?, ?)',
          [uuid, host, node, deleted, vmState],
        );
    },
    async addComputeNode(host, node) {
      await root.query(
        `INSERT INTO compute_nodes (host, hypervisor_hostname, deleted, vcpus, memory_mb, local_gb, vcpus_used,
           memory_mb_used, local_gb_used, hypervisor_type, hypervisor_version, cpu_info)
         VALUES (?, ?, 0, 8, 8192, 100, 0, 0, 0, 'QEMU', 1, '')`,
        [host, node],
      );
      const [rows] = await root.query<RowDataPacket[]>('SELECT LAST_INSERT_ID() AS id');
      return Number(rows[0]?.id);
    },
    async places() {
      const [rows] = await root.query<RowDataPacket[]>('SELECT * FROM instances WHERE deleted = 0');
      return Object.fromEntries(
        rows.map((row) => [
          row.uuid,
          [row.host, row.node, ...(row.compute_id == null ? [] : [row.compute_id])].join('/'),
        ]),
      );
    },
  };
}

/** Debian keeps mariadbd in /usr/sbin, which is not in every user's PATH. */
function program(name: string): string {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/bin']) {
    const path = join(folder || '.', name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  throw new Error(`no ${name} here: these tests need the Debian package mariadb-server`);
}

function install(installer: string, common: readonly string[]): void {
  const result = spawnSync(
    installer,
    [...common, '--auth-root-authentication-method=normal', '--skip-test-db', '--skip-name-resolve'],
    { encoding: 'utf8', timeout: startMs },
  );
  if (result.status !== 0)
    throw new Error(
      `mariadb-install-db ended with ${result.status ?? result.signal}: ${result.error?.message ?? ''}${result.stdout}${result.stderr}`,
    );
}

async function answering(socketPath: string): Promise<void> {
  let last: unknown;
  for (const endMs = Date.now() + startMs; Date.now() < endMs; await delay(50)) {
    try {
      const connection = await createConnection({ socketPath, user: 'root' });
      await connection.end();
      return;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`mariadbd does not answer on ${socketPath}`, { cause: last });
}

/** The columns that matter here and their keys, out of the real tables (SHOW CREATE TABLE of Nova 26). */
const schema = `
CREATE TABLE instances (
  created_at datetime DEFAULT NULL,
  updated_at datetime DEFAULT NULL,
  deleted_at datetime DEFAULT NULL,
  id int(11) NOT NULL AUTO_INCREMENT,
  vm_state varchar(255) DEFAULT NULL,
  task_state varchar(255) DEFAULT NULL,
  host varchar(255) DEFAULT NULL,
  launched_on mediumtext DEFAULT NULL,
  uuid varchar(36) NOT NULL,
  cleaned int(11) DEFAULT NULL,
  node varchar(255) DEFAULT NULL,
  deleted int(11) DEFAULT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uniq_instances0uuid (uuid),
  UNIQUE KEY uuid (uuid),
  KEY instances_uuid_deleted_idx (uuid, deleted),
  KEY instances_host_node_deleted_idx (host, node, deleted),
  KEY instances_host_deleted_cleaned_idx (host, deleted, cleaned)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3;
CREATE TABLE compute_nodes (
  id int(11) NOT NULL AUTO_INCREMENT,
  service_id int(11) DEFAULT NULL,
  vcpus int(11) NOT NULL,
  memory_mb int(11) NOT NULL,
  local_gb int(11) NOT NULL,
  vcpus_used int(11) NOT NULL,
  memory_mb_used int(11) NOT NULL,
  local_gb_used int(11) NOT NULL,
  hypervisor_type mediumtext NOT NULL,
  hypervisor_version int(11) NOT NULL,
  cpu_info mediumtext NOT NULL,
  hypervisor_hostname varchar(255) DEFAULT NULL,
  deleted int(11) DEFAULT NULL,
  host varchar(255) DEFAULT NULL,
  uuid varchar(36) DEFAULT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uniq_compute_nodes0host0hypervisor_hostname0deleted (host, hypervisor_hostname, deleted),
  UNIQUE KEY compute_nodes_uuid_idx (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3;`;
