// A private redis-server for tests: a port of its own on 127.0.0.1, a temporary directory, stopped for sure.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
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
  /** Starts it again on the same port and data. */
  start(): Promise<void>;
  /** With `aof`: remembers this moment; what is returned kills the server and starts it again as it was then. */
  moment(): () => Promise<void>;
}

/** Starts a server; with `aof` it keeps its data over `kill9` and `shutdown`. */
export async function startRedis(options: { aof?: boolean; password?: string } = {}): Promise<TestRedis> {
  const dir = mkdtempSync(join(tmpdir(), 'sonny-redis-'));
  const port = await freePort();
  let child: ChildProcess | null = null;
  const config = [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir ${dir}`,
    'save ""',
    options.aof ? 'appendonly yes\nappendfsync everysec' : 'appendonly no',
    ...(options.password ? [`requirepass ${options.password}`] : []),
    '',
  ].join('\n');

  const start = async () => {
    // setpriv: the server must not outlive a test run that was killed.
    const started = spawn('setpriv', ['--pdeathsig', 'TERM', 'redis-server', '-'], {
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
    started.stdin?.end(config);
    await Promise.race([failed, answering(port)]);
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

async function answering(port: number): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = tcpConnect(port, '127.0.0.1');
      socket.once('connect', () => socket.write('PING\r\n'));
      // Any reply will do, -NOAUTH too; -LOADING does not.
      socket.once('data', (data) => {
        socket.destroy();
        resolve(!String(data).startsWith('-LOADING'));
      });
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    await delay(25);
  }
  throw new Error(`redis-server does not answer on port ${port}`);
}
