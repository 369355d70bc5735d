// A master, a replica that follows it, and three sentinels, all real, on 127.0.0.1.
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { RedisSettings } from '../../src/shared/config/settings.ts';
import { masterName, startRedis, startSentinel, type TestRedis } from './redis.ts';

const passwords = { servers: 'servers-pass', sentinels: 'sentinels-pass' };

export class RedisSet {
  /** As long as nothing happened to it. */
  readonly master: TestRedis;
  readonly replica: TestRedis;
  readonly sentinels: readonly TestRedis[];

  private constructor(master: TestRedis, replica: TestRedis, sentinels: readonly TestRedis[]) {
    this.master = master;
    this.replica = replica;
    this.sentinels = sentinels;
  }

  /** Started, and ready to fail over. */
  static async start(): Promise<RedisSet> {
    const options = { aof: true, password: passwords.servers };
    const master = await startRedis(options);
    const replica = await startRedis({ ...options, replicaOf: master });
    const sentinels = await Promise.all([1, 2, 3].map(() => startSentinel(master, passwords)));
    const set = new RedisSet(master, replica, sentinels);
    await set.#ready();
    return set;
  }

  /** [REDIS] of config.ini. */
  get ini() {
    return {
      sentinels: this.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(', '),
      master: masterName,
      pass: passwords.servers,
      sentinel_password: passwords.sentinels,
    };
  }

  /** The same, as read. */
  get settings(): RedisSettings {
    return {
      host: '',
      port: 6379,
      username: null,
      password: passwords.servers,
      tls: null,
      signing: null,
      db: null,
      sentinels: {
        endpoints: this.sentinels.map(({ host, port }) => ({ address: host, port })),
        master: masterName,
        username: null,
        password: passwords.sentinels,
      },
    };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, this.replica, this.master].map((server) => server.stop()));
  }

  /** Each sentinel knows the others and the replica, and the replica has all data. */
  async #ready(): Promise<void> {
    const clients = this.sentinels.map(({ port }) => new Redis(port, '127.0.0.1', clientOptions));
    try {
      for (let attempt = 0; attempt < 300; attempt += 1) {
        const all = await Promise.all(clients.map(readyToFailOver));
        if (all.every(Boolean)) return;
        await delay(50);
      }
      throw new Error('the sentinels do not find each other and the replica');
    } finally {
      for (const client of clients) client.disconnect();
    }
  }
}

const clientOptions = { password: passwords.sentinels, protocol: 2 as const };

async function readyToFailOver(sentinel: Redis): Promise<boolean> {
  const usable = await sentinel.call('SENTINEL', 'CKQUORUM', masterName).catch(() => '');
  const replicas = (await sentinel.call('SENTINEL', 'REPLICAS', masterName)) as string[][];
  const [fields = []] = replicas;
  const linked = fields[fields.indexOf('master-link-status') + 1] === 'ok';
  return String(usable).startsWith('OK 3 ') && linked;
}
