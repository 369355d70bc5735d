// Connections to Redis: options from settings, bounded waits, reconnection with a capped pause. Only this file and
// queue.ts (through BullMQ) open connections.
import { Redis, type RedisOptions } from 'ioredis';
import type { RedisSettings } from './config/settings.ts';
import { errorText, OperationalError } from './errors.ts';
import { databaseNumber } from './keys.ts';
import type { Log } from './log.ts';

const reconnectCapMs = 1_000;
/** No command waits longer for its answer, whatever is wrong with Redis. */
export const commandTimeoutMs = 8_000;
const connectTimeoutMs = 5_000;

/** The options every connection of a process shares, BullMQ's included. */
export function redisOptions(settings: RedisSettings, cloud: string) {
  return {
    host: settings.host,
    port: settings.port,
    ...(settings.username === null ? {} : { username: settings.username }),
    ...(settings.password === null ? {} : { password: settings.password }),
    ...(settings.tls ? { tls: {} } : {}),
    db: settings.db ?? databaseNumber(cloud),
    connectTimeout: connectTimeoutMs,
    // Notices a peer that vanished without a FIN (a firewall, a cut cable) instead of waiting for the kernel's hours.
    keepAlive: 10_000,
    retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 10), reconnectCapMs),
  } satisfies RedisOptions;
}

/**
 * A connection that reconnects by itself for as long as the process lives. A command that got no answer within 8 s
 * rejects: nothing waits on Redis without a bound. Lost and regained connections are logged once each.
 */
export function connectRedis(settings: RedisSettings, cloud: string, log: Log): Redis {
  const redis = new Redis({
    ...redisOptions(settings, cloud),
    commandTimeout: commandTimeoutMs,
    // null: commands wait (for commandTimeout at most) instead of failing at the first reconnection attempts.
    maxRetriesPerRequest: null,
    // RESP2 replies: arrays where RESP3 would send maps, so that parsing does not depend on the server's version.
    protocol: 2 as const,
  });
  let away = false;
  redis.on('error', (error) => {
    if (!away) log.warn({ error: errorText(error) }, `Redis at ${settings.host}:${settings.port} is away`);
    away = true;
  });
  redis.on('ready', () => {
    if (away) log.warn(`Redis at ${settings.host}:${settings.port} is back`);
    away = false;
  });
  return redis;
}

/** Connects once to see that Redis answers and lets us in; throws an OperationalError in one line otherwise. */
export async function probeRedis(settings: RedisSettings, cloud: string): Promise<string> {
  const where = `Redis at ${settings.host}:${settings.port}, database ${settings.db ?? databaseNumber(cloud)}`;
  const redis = new Redis({
    ...redisOptions(settings, cloud),
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    protocol: 2 as const,
  });
  let last: unknown;
  redis.on('error', (error) => {
    last = error;
  });
  try {
    await redis.connect();
    const info = await redis.info('server');
    const version = /redis_version:(\S+)/.exec(info)?.[1] ?? 'of unknown version';
    const policy = /maxmemory_policy:(\S+)/.exec(await redis.info('memory'))?.[1];
    const warning =
      policy !== undefined && policy !== 'noeviction'
        ? ` (maxmemory-policy is ${policy}; set noeviction)`
        : '';
    return `${where}: Redis ${version}${warning}`;
  } catch (error) {
    throw new OperationalError(`${where}: ${errorText(last ?? error)}`);
  } finally {
    redis.disconnect();
  }
}
