// Connections to Redis: options from settings, bounded waits, reconnection with a capped pause. Only this file and
// queue.ts (through BullMQ) open connections to it; sentinels.ts and sentinel-votes.ts open those to its sentinels.
import { Redis, type RedisOptions } from 'ioredis';
import type { RedisSettings } from '../config/settings.ts';
import { errorText } from '../ground/errors.ts';
import type { Log } from '../ground/log.ts';
import { type Pauses, pauseMs } from '../ground/retry.ts';
import { timings } from '../ground/timings.ts';
import { type Db, dbOver } from './db.ts';
import { databaseNumber, keysOf } from './keys.ts';
import { redisErrorText } from './login-words.ts';
import { endpointText, sentinelOptions, tlsOptions } from './sentinels.ts';

const reconnectPauses: Pauses = { firstMs: 100, mostMs: 1_000 };

/** The options every connection of a process shares, BullMQ's included. */
export function redisOptions(settings: RedisSettings, cloud: string) {
  const { host, port, sentinels } = settings;
  return {
    connectTimeout: timings.redis.connectMs,
    ...(sentinels === null ? { host, port } : sentinelOptions(sentinels, settings.tls)),
    ...(settings.username === null ? {} : { username: settings.username }),
    ...(settings.password === null ? {} : { password: settings.password }),
    ...(settings.tls === null ? {} : { tls: tlsOptions(settings.tls) }),
    db: settings.db ?? databaseNumber(cloud),
    // Notices a peer that vanished without a FIN (a firewall, a cut cable) instead of waiting for the kernel's hours.
    keepAlive: 10_000,
    // And one that hangs, though its kernel answers.
    socketTimeout: timings.redis.hangMs,
    reconnectOnError: leaveReplica,
    retryStrategy: (failures: number) => pauseMs(failures, reconnectPauses),
  } satisfies RedisOptions;
}

/** For connections whose commands have their time limit: what is late is given up, and the connection with it. */
export const boundedCommands = {
  commandTimeout: timings.redis.commandMs,
  socketTimeout: timings.redis.commandMs,
} satisfies RedisOptions;

/**
 * From a former master, which became a replica: nothing was done, so it is asked again of whoever is found at the address
 * now, or of whom the sentinels name.
 */
const leaveReplica = (error: Error) => (/^(READONLY|MASTERDOWN) /.test(error.message) ? (2 as const) : false);

/** For a connection that is tried once, and has nobody wait for it. */
export const connectOnce = {
  lazyConnect: true,
  enableReadyCheck: false,
  retryStrategy: () => null,
  maxRetriesPerRequest: 0,
  protocol: 2 as const,
} satisfies RedisOptions;

/**
 * A connection that reconnects by itself for as long as the process lives. A command that got no answer within 8 s
 * rejects: nothing waits on Redis without a bound. Lost and regained connections are logged once each.
 */
export function connectRedis(settings: RedisSettings, cloud: string, log: Log): Db {
  return dbOver(connection(settings, cloud, log), placeOf(settings));
}

function connection(settings: RedisSettings, cloud: string, log: Log): Redis {
  const redis = new Redis({
    ...redisOptions(settings, cloud),
    ...boundedCommands,
    // null: commands wait (for commandTimeout at most) instead of failing at the first reconnection attempts.
    maxRetriesPerRequest: null,
    // RESP2 replies: arrays where RESP3 would send maps, so that parsing does not depend on the server's version.
    protocol: 2 as const,
  });
  let away = false;
  redis.on('error', (error) => {
    if (!away) log.warn({ error: redisErrorText(error) }, `${placeOf(settings)} is away`);
    away = true;
  });
  let server: string | null = null;
  redis.on('ready', () => {
    const { remoteAddress: address = '', remotePort: port = 0 } = redis.stream;
    const [before, now] = [server, endpointText({ address, port })];
    server = now;
    if (settings.sentinels !== null && before !== null && before !== now)
      log.warn(`${placeOf(settings)} was ${before} and is ${now} now`);
    else if (away) log.warn(`${placeOf(settings)} is back`);
    away = false;
  });
  return redis;
}

/**
 * Calls back at every event of these clouds, and each time they are heard anew, as what was said in between is lost.
 * Pub/sub channels are not per database: the first cloud's connection hears all of them.
 */
export function hearClouds(
  settings: RedisSettings,
  clouds: readonly [string, ...string[]],
  hear: () => void,
  log: Log,
): { close(): void } {
  const channels = clouds.map((cloud) => keysOf(cloud).channel);
  const redis = connection(settings, clouds[0], log);
  redis.on('message', hear);
  redis.on('ready', () => {
    redis
      .subscribe(...channels)
      .then(hear)
      .catch((error: unknown) =>
        log.warn(`no word of new events, looking from time to time: ${errorText(error)}`),
      );
  });
  return { close: () => redis.disconnect() };
}

/** How messages name it. */
export const placeOf = ({ host, port, sentinels }: RedisSettings): string =>
  sentinels === null ? `Redis at ${host}:${port}` : `Redis master "${sentinels.master}"`;
