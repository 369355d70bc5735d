// Connections to Redis: options from settings, bounded waits, reconnection with a capped pause. Only this file and
// queue.ts (through BullMQ) open connections to it; sentinels.ts and sentinel-votes.ts open those to its sentinels.
import { Redis, type RedisOptions } from 'ioredis';
import type { RedisSettings } from '../config/settings.ts';
import { errorText, OperationalError } from '../ground/errors.ts';
import type { Log } from '../ground/log.ts';
import { databaseNumber } from './keys.ts';
import { askSentinels } from './sentinel-votes.ts';
import { endpointText, sentinelOptions } from './sentinels.ts';

const reconnectCapMs = 1_000;
/** No command waits longer for its answer, whatever is wrong with Redis. */
export const commandTimeoutMs = 8_000;
const connectTimeoutMs = 5_000;

/** The options every connection of a process shares, BullMQ's included. */
export function redisOptions(settings: RedisSettings, cloud: string) {
  const { host, port, sentinels } = settings;
  return {
    connectTimeout: connectTimeoutMs,
    ...(sentinels === null ? { host, port } : sentinelOptions(sentinels, settings.tls)),
    ...(settings.username === null ? {} : { username: settings.username }),
    ...(settings.password === null ? {} : { password: settings.password }),
    ...(settings.tls ? { tls: {} } : {}),
    db: settings.db ?? databaseNumber(cloud),
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
    if (!away) log.warn({ error: errorText(error) }, `${placeOf(settings)} is away`);
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

/** How messages name it. */
const placeOf = ({ host, port, sentinels }: RedisSettings): string =>
  sentinels === null ? `Redis at ${host}:${port}` : `Redis master "${sentinels.master}"`;

/** Connects once to see that Redis answers and lets us in; throws an OperationalError in one line otherwise. */
export async function probeRedis(settings: RedisSettings, cloud: string): Promise<string> {
  const where = `${await findRedis(settings)}, database ${settings.db ?? databaseNumber(cloud)}`;
  const redis = new Redis({
    ...redisOptions(settings, cloud),
    lazyConnect: true,
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
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
    const info = await redis.info();
    const version = /redis_version:(\S+)/.exec(info)?.[1] ?? 'of unknown version';
    return [`${where}: Redis ${version}`, ...troubleIn(info, settings.sentinels !== null)].join('; ');
  } catch (error) {
    throw new OperationalError(`${where}: ${errorText(last ?? error)}`);
  } finally {
    redis.disconnect();
  }
}

/** Where it is; with sentinels the address of the master and how many of them say so. Throws when none names one. */
async function findRedis(settings: RedisSettings): Promise<string> {
  const { sentinels } = settings;
  if (sentinels === null) return placeOf(settings);
  const { master, agree, others } = await askSentinels(settings, sentinels);
  const dissent = others.length === 0 ? '' : `; ${others.join('; ')}`;
  if (master === null) throw new OperationalError(`${placeOf(settings)}: no sentinel names it${dissent}`);
  const all = sentinels.endpoints.length;
  return `${placeOf(settings)} at ${master} (named by ${agree} of ${all} sentinels${dissent})`;
}

/** What of the server's own account an operator should change. */
function troubleIn(info: string, sentinels: boolean): string[] {
  const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1] ?? 'noeviction';
  return [
    ...(policy === 'noeviction' ? [] : [`maxmemory-policy is ${policy}; set noeviction`]),
    ...(sentinels && /connected_slaves:0\b/.test(info) ? ['no replica follows it: it cannot fail over'] : []),
  ];
}
