// A redis-server for the demo alone: a free port on 127.0.0.1, nothing on disk, ended with the demo.
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { OperationalError } from '../../src/shared/ground/errors.ts';

const startLimitMs = 5_000;

interface PrivateRedis {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts redis-server (or valkey-server) from PATH; says what to install when there is none. */
export async function startPrivateRedis(): Promise<PrivateRedis> {
  const port = await freePort();
  const child = await spawnFirst(['redis-server', 'valkey-server']);
  child.stdin?.end(`bind 127.0.0.1\nport ${port}\nsave ""\nappendonly no\nmaxmemory-policy noeviction\n`);
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await Promise.race([gone, delay(2_000)]);
    child.kill('SIGKILL');
  };
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on('error', () => {});
  const up = await Promise.race([client.ping(), delay(startLimitMs, null)]);
  client.disconnect();
  if (up === null) {
    await stop();
    throw new OperationalError(`redis-server does not answer on port ${port} after ${startLimitMs / 1000} s`);
  }
  return { port, stop };
}

async function spawnFirst(names: readonly string[]): Promise<ChildProcess> {
  for (const name of names) {
    const child = spawn(name, ['-'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const started = await new Promise<boolean>((resolve) => {
      child.once('spawn', () => resolve(true));
      child.once('error', () => resolve(false));
    });
    if (started) return child;
  }
  throw new OperationalError(
    'no redis-server on this machine: run scripts/setup, or "apt-get install redis-server"',
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a listening server without a port');
  return address.port;
}
