// A private redis-server for tests: a port of its own on 127.0.0.1, a temporary directory, stopped for sure.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, connect as tcpConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface TestRedis {
  readonly host: string;
  readonly port: number;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
  /** SIGKILL, as a power cut. */
  kill9(): Promise<void>;
  /** SIGTERM, as an operator's restart. */
  shutdown(): Promise<void>;
  /** SIGSTOP: connections to it stay and nobody answers, as on a machine that hangs or lost its network. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /** Starts it again on the same port and data. */
  start(): Promise<void>;
  /** With `aof`: remembers this moment; what is returned kills the server and starts it again as it was then. */
  moment(): () => Promise<void>;
}

export interface RedisOptions {
  /** It keeps its data over `kill9` and `shutdown`. */
  readonly aof?: boolean;
  readonly password?: string;
  readonly replicaOf?: TestRedis;
  /** So long it answers everybody -LOADING, as after a start with much data. */
  readonly loadingForS?: number;
  /** A further line of its configuration. */
  readonly config?: string;
}

/** Starts a server; with `loadingForS` it is loading when this returns. */
export async function startRedis(options: RedisOptions = {}): Promise<TestRedis> {
  const dir = mkdtempSync(join(tmpdir(), 'sonny-redis-'));
  const port = await freePort();
  const config = [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir ${dir}`,
    'save ""',
    ...(options.config ? [options.config] : []),
    options.aof ? 'appendonly yes\nappendfsync everysec' : 'appendonly no',
    ...(options.password ? [`requirepass ${options.password}`, `masterauth ${options.password}`] : []),
    // No pause in which replicas may gather for one transfer.
    'repl-diskless-sync-delay 0',
    ...(options.replicaOf ? [`replicaof 127.0.0.1 ${options.replicaOf.port}`] : []),
    '',
  ].join('\n');

  if (options.loadingForS === undefined) return serve(dir, port, ['-'], config);
  await fillWith(options.loadingForS, dir, port, config);
  return serve(
    dir,
    port,
    ['-'],
    `${config}key-load-delay 1000000\nloading-process-events-interval-bytes 1024\n`,
    true,
  );
}

/** Writes so many keys, large enough for the server to listen between two of them when it loads them. */
async function fillWith(keys: number, dir: string, port: number, config: string): Promise<void> {
  const filled = await serve(dir, port, ['-'], config);
  const client = tcpConnect(port, '127.0.0.1');
  const value = randomBytes(1_024).toString('hex');
  for (let key = 0; key < keys; key += 1) client.write(`SET key${key} ${value}\r\n`);
  client.write('SAVE\r\nQUIT\r\n');
  await once(client.resume(), 'close');
  await filled.kill9();
}

/**
 * Starts a sentinel that watches a master as "sonny", with two of its kind needed to call it down, after a second
 * without an answer.
 */
export async function startSentinel(
  master: TestRedis,
  passwords: { readonly servers: string; readonly sentinels: string },
): Promise<TestRedis> {
  const dir = mkdtempSync(join(tmpdir(), 'sonny-sentinel-'));
  const port = await freePort();
  const config = [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir ${dir}`,
    `sentinel monitor ${masterName} 127.0.0.1 ${master.port} 2`,
    `sentinel down-after-milliseconds ${masterName} 1000`,
    `sentinel failover-timeout ${masterName} 10000`,
    `sentinel auth-pass ${masterName} ${passwords.servers}`,
    `requirepass ${passwords.sentinels}`,
    `sentinel sentinel-pass ${passwords.sentinels}`,
    '',
  ].join('\n');
  // A file of its own, as a sentinel writes down there what it finds.
  const file = join(dir, 'sentinel.conf');
  writeFileSync(file, config);
  return serve(dir, port, [file, '--sentinel']);
}

export const masterName = 'sonny';

async function serve(
  dir: string,
  port: number,
  args: readonly string[],
  input = '',
  isLoading = false,
): Promise<TestRedis> {
  let child: ChildProcess | null = null;
  const start = async () => {
    // setpriv: the server must not outlive a test run that was killed.
    const started = spawn('setpriv', ['--pdeathsig', 'TERM', 'redis-server', ...args], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    child = started;
    let trouble = '';
    started.stderr?.on('data', (chunk) => {
      trouble += chunk;
    });
    const failed = new Promise<never>((_, reject) => {
      started.once('error', (error) =>
        reject(new Error(`setpriv (Debian package util-linux): ${error.message}`)),
      );
      started.once('exit', (code) =>
        reject(new Error(`redis-server ended with ${code} (Debian package redis-server): ${trouble}`)),
      );
    });
    failed.catch(() => {});
    started.stdin?.end(input);
    await Promise.race([failed, answering(port, isLoading)]);
  };
  const end = async (signal: NodeJS.Signals) => {
    const ending = child;
    child = null;
    if (ending === null || ending.exitCode !== null || ending.signalCode !== null) return;
    const gone = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill(signal);
    await gone;
  };
  await start();
  return {
    host: '127.0.0.1',
    port,
    start,
    kill9: () => end('SIGKILL'),
    shutdown: () => end('SIGTERM'),
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    moment: () => {
      const log = readdirSync(join(dir, 'appendonlydir')).find((name) => name.endsWith('.incr.aof'));
      const file = join(dir, 'appendonlydir', log ?? '');
      const { size } = statSync(file);
      return async () => {
        await end('SIGKILL');
        truncateSync(file, size);
        await start();
      };
    },
    stop: async () => {
      await end('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A port nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function answering(port: number, isLoading: boolean): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = tcpConnect(port, '127.0.0.1');
      socket.once('connect', () => socket.write('PING\r\n'));
      // Any reply will do, -NOAUTH too; -LOADING only of one that is to be loading.
      socket.once('data', (data) => {
        socket.destroy();
        resolve(isLoading === String(data).startsWith('-LOADING'));
      });
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    await delay(25);
  }
  throw new Error(`redis-server does not answer on port ${port}`);
}
