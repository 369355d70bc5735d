// Every way in which Redis can be away, or refuse: a server (or none) that behaves so, and the [REDIS] section of
// config.ini that leads to it.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { acceptQueueLength, listenerThreadSource } from '../../simulator/network/listener-thread.ts';
import { freePort, masterName, startRedis, startSentinel } from './redis.ts';

/** The section, as keys and values. */
export type RedisSection = Record<string, string | number>;

export interface Trouble {
  readonly ini: RedisSection;
  /** What the one line says of it. */
  readonly says: RegExp;
  stop(): Promise<unknown>;
}

const on = (port: number): RedisSection => ({ host: '127.0.0.1', port });
const nobody = async () => undefined;
const passwords = { servers: 'servers-pass', sentinels: 'sentinels-pass' };

/** A server that takes connections and says nothing, whatever it is told. */
async function mute(): Promise<Trouble> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    ini: on((server.address() as AddressInfo).port),
    says: /no answer within \d+ s/,
    stop: async () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

/** A port whose SYNs the kernel drops, as the queue of its blocked listener is full. */
async function swallowed(): Promise<Trouble> {
  const port = await freePort();
  const flag = new SharedArrayBuffer(4);
  const thread = new Worker(listenerThreadSource, { eval: true, workerData: { address: '127.0.0.1', flag } });
  thread.postMessage({ ports: [port], block: true });
  await once(thread, 'message');
  const fillers = Array.from({ length: acceptQueueLength }, () => connect(port, '127.0.0.1'));
  await Promise.all(fillers.map((filler) => once(filler, 'connect')));
  return {
    ini: on(port),
    says: /ETIMEDOUT|no answer within \d+ s/,
    stop: async () => {
      for (const filler of fillers) filler.destroy();
      Atomics.store(new Int32Array(flag), 0, 0);
      Atomics.notify(new Int32Array(flag), 0);
      await thread.terminate();
    },
  };
}

/** A server that wants a password, and what config.ini says instead. */
const locked = (pass: RedisSection, says: RegExp) => async () => {
  const { port, stop } = await startRedis({ password: passwords.servers });
  return { ini: { ...on(port), ...pass }, says, stop };
};

async function loading(): Promise<Trouble> {
  const { port, stop } = await startRedis({ loadingForS: 120 });
  return { ini: on(port), says: /is loading its data/, stop };
}

async function replica(): Promise<Trouble> {
  const master = await startRedis();
  const { port, stop } = await startRedis({ replicaOf: master });
  return {
    ini: on(port),
    says: /is a replica of 127\.0\.0\.1:\d+, which takes no writes/,
    stop: () => Promise.all([stop(), master.stop()]),
  };
}

/** A master that lost its replicas and takes no writes (min-replicas-to-write): it answers every read. */
async function unfollowed(): Promise<Trouble> {
  const { port, stop } = await startRedis({ config: 'min-replicas-to-write 1' });
  return { ini: on(port), says: /NOREPLICAS/, stop };
}

async function tlsOnPlain(): Promise<Trouble> {
  const { port, stop } = await startRedis();
  return {
    ini: { ...on(port), tls: 'yes' },
    says: /no answer within \d+ s; does it speak TLS on this port\?/,
    stop,
  };
}

async function noSuchDatabase(): Promise<Trouble> {
  const { port, stop } = await startRedis();
  return { ini: { ...on(port), db: 99 }, says: /DB index is out of range/, stop };
}

/** A sentinel that answers, and watches somebody else. */
async function masterUnknown(): Promise<Trouble> {
  const master = await startRedis({ password: passwords.servers });
  const sentinel = await startSentinel(master, passwords);
  return {
    ini: {
      sentinels: `127.0.0.1:${sentinel.port}`,
      master: 'another',
      pass: passwords.servers,
      sentinel_password: passwords.sentinels,
    },
    says: /no sentinel names it; 127\.0\.0\.1:\d+: knows no master "another"/,
    stop: () => Promise.all([sentinel.stop(), master.stop()]),
  };
}

/** A sentinel that names a master which is gone, and nobody who could follow it. */
async function masterGone(): Promise<Trouble> {
  const master = await startRedis({ password: passwords.servers });
  const sentinel = await startSentinel(master, passwords);
  await master.kill9();
  return {
    ini: {
      sentinels: `127.0.0.1:${sentinel.port}, 127.0.0.1:${await freePort()}`,
      master: masterName,
      pass: passwords.servers,
      sentinel_password: passwords.sentinels,
    },
    says: /Redis master "sonny" at 127\.0\.0\.1:\d+ .*ECONNREFUSED/,
    stop: () => Promise.all([sentinel.stop(), master.stop()]),
  };
}

/** By name; each is opened for itself. */
export const redisTroubles: Readonly<Record<string, () => Promise<Trouble>>> = {
  'connection refused': async () => ({
    ini: on(await freePort()),
    says: /ECONNREFUSED/,
    stop: nobody,
  }),
  'takes the connection and never answers': mute,
  'the SYN is swallowed': swallowed,
  'another password': locked({ pass: 'not-the-one' }, /WRONGPASS/),
  'a password, and none is configured': locked({}, /NOAUTH/),
  'is loading its data': loading,
  'is a replica': replica,
  'a name that does not resolve': async () => ({
    ini: { host: 'redis.invalid', port: 6379 },
    says: /redis\.invalid/,
    stop: nobody,
  }),
  'speaks no TLS': tlsOnPlain,
  'has no such database': noSuchDatabase,
  'sentinels know no such master': masterUnknown,
  'the master is gone': masterGone,
};

/** Answers every read and refuses to write, which only a command that writes can notice. */
export const redisThatTakesNoWrites = unfollowed;
