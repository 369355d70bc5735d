// Redis over TLS with a CA of one's own, a client's certificate and another name; and one address behind which another
// server is found after a while: a former master that is a replica now, and one that hangs.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RedisTls } from '../../src/shared/config/settings.ts';
import { connectRedis } from '../../src/shared/redis/connect.ts';
import { probeRedis } from '../../src/shared/redis/probe.ts';
import { makeCertificates } from '../support/certificates.ts';
import { until } from '../support/raw-api.ts';
import { freePort, startRedis } from '../support/redis.ts';
import { redisClient, settingsOf } from '../support/redis-client.ts';

const log = pino({ level: 'silent' });

describe('TLS', () => {
  let dir: string;
  let port: number;
  let server: ChildProcess;
  let pem: { ca: string; otherCa: string; cert: string; key: string };
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'sonny-redis-tls-'));
    const files = makeCertificates(dir, 'DNS:redis.example.org');
    const read = (path: string) => readFileSync(path, 'utf8');
    pem = {
      ca: read(files.ca),
      otherCa: read(files.otherCa),
      cert: read(files.server.cert),
      key: read(files.server.key),
    };
    port = await freePort();
    // The server's certificate serves as the client's as well: it is of the same CA.
    const args = ['--port 0', `--tls-port ${port}`, '--bind 127.0.0.1', `--dir ${dir}`, '--save ""'];
    const tls = [`--tls-ca-cert-file ${files.ca}`, '--tls-auth-clients yes'];
    const own = [`--tls-cert-file ${files.server.cert}`, `--tls-key-file ${files.server.key}`];
    const words = [...args, ...tls, ...own].flatMap((line) => line.split(' '));
    server = spawn('setpriv', ['--pdeathsig', 'TERM', 'redis-server', ...words], { stdio: 'ignore' });
    await until(
      () => opens(port),
      (isOpen) => isOpen,
    );
  });
  afterAll(async () => {
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
    rmSync(dir, { recursive: true, force: true });
  });
  const client = () => ({ cert: pem.cert, key: pem.key });
  const settings = (tls: Partial<RedisTls>) => ({
    ...settingsOf({ host: '127.0.0.1', port }),
    tls: { ca: null, client: null, serverName: null, ...tls },
  });

  test('the CA, the name and what the server asks for: all of it, and it works', async () => {
    const whole = settings({ ca: pem.ca, client: client(), serverName: 'redis.example.org' });
    expect(await probeRedis(whole, 'cloud1', 'ns4')).toContain('Redis 7');
    const redis = connectRedis(whole, 'cloud1', log);
    await redis.set('a', 'b');
    expect(await redis.get('a')).toBe('b');
    redis.disconnect();
  });

  test.each<[string, () => Partial<RedisTls>, RegExp]>([
    ['no CA', () => ({ client: client(), serverName: 'redis.example.org' }), /certificate/],
    [
      'another CA',
      () => ({ ca: pem.otherCa, client: client(), serverName: 'redis.example.org' }),
      /certificate/,
    ],
    ['another name', () => ({ ca: pem.ca, client: client() }), /IP: 127\.0\.0\.1 is not in the cert/],
    [
      'nothing to show',
      () => ({ ca: pem.ca, serverName: 'redis.example.org' }),
      /certificate|alert|closed|EPIPE|ECONNRESET/i,
    ],
  ])('%s: refused, in one line', async (_, tls, says) => {
    await expect(probeRedis(settings(tls()), 'cloud1', 'ns4')).rejects.toThrow(says);
  });

  test('the environment cannot switch the check off', async () => {
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      const wrong = settings({ ca: pem.otherCa, client: client(), serverName: 'redis.example.org' });
      await expect(probeRedis(wrong, 'cloud1', 'ns4')).rejects.toThrow(/certificate/);
    } finally {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    }
  });
});

describe('one address', () => {
  test('behind which the master became a replica: the command is asked again of whoever is there now', async () => {
    const [first, second] = await Promise.all([startRedis(), startRedis()]);
    const address = await Address.at(first.port);
    const redis = connectRedis(settingsOf({ host: '127.0.0.1', port: address.port }), 'cloud1', log);
    const admin = redisClient(settingsOf(first), 'cloud1');
    try {
      await redis.set('word', 'before');
      await admin.replicaof('127.0.0.1', second.port);
      address.leadTo(second.port);
      await redis.set('word', 'after');
      const now = redisClient(settingsOf(second), 'cloud1');
      expect(await now.get('word')).toBe('after');
      now.disconnect();
    } finally {
      redis.disconnect();
      admin.disconnect();
      await address.close();
      await Promise.all([first.stop(), second.stop()]);
    }
  }, 30_000);

  test('behind which the server hangs: the connection is dropped, and the next one leads to the other', async () => {
    const [first, second] = await Promise.all([startRedis(), startRedis()]);
    const address = await Address.at(first.port);
    const redis = connectRedis(settingsOf({ host: '127.0.0.1', port: address.port }), 'cloud1', log);
    try {
      await redis.set('word', 'before');
      first.freeze();
      address.leadTo(second.port);
      await expect(redis.set('word', 'late')).rejects.toThrow('Command timed out');
      await until(
        () => redis.set('word', 'after').catch(() => null),
        (answer) => answer === 'OK',
        5_000,
      );
    } finally {
      redis.disconnect();
      first.thaw();
      await address.close();
      await Promise.all([first.stop(), second.stop()]);
    }
  }, 40_000);
});

/** An address as of a virtual IP or a balancer: new connections lead to whoever has it now, open ones stay. */
class Address {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #to: number;

  private constructor(to: number) {
    this.#to = to;
    this.#server = createServer((near) => {
      const far = connect(this.#to, '127.0.0.1');
      for (const [from, into] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('data', (chunk) => into.write(chunk));
        from.on('close', () => into.destroy());
        from.on('error', () => {});
      }
    });
  }

  static async at(to: number): Promise<Address> {
    const address = new Address(to);
    address.#server.listen(0, '127.0.0.1');
    await once(address.#server, 'listening');
    return address;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  leadTo(port: number): void {
    this.#to = port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await delay(0);
  }
}

async function opens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
