// Is Redis there, does it let us in, and does it take writes? Asked once, and told in one line within seconds: for
// `--check`, and for every command before it begins.
import { Redis } from 'ioredis';
import type { ProcessName } from '../config/keys/key.ts';
import type { RedisSettings } from '../config/settings.ts';
import type { Endpoint } from '../documents/jobs/scan.ts';
import { answerWithin, systemClock } from '../ground/clock.ts';
import { ServiceError } from '../ground/errors.ts';
import type { Log } from '../ground/log.ts';
import { timings } from '../ground/timings.ts';
import { connectOnce, connectRedis, placeOf, redisOptions } from './connect.ts';
import type { Db } from './db.ts';
import { databaseNumber, keysOf } from './keys.ts';
import { redisErrorText } from './login-words.ts';
import { askSentinels } from './sentinel-votes.ts';
import { endpointText } from './sentinels.ts';

const probeLimitMs = timings.redis.probeMs;

/** How long the key lives that is written as a trial: nobody has to take it away, which not every user may. */
const trialMs = 1;

/**
 * What was found, as one line; throws a ServiceError of one line when Redis cannot be worked with by this process: a full
 * one, say, that answers and takes no writes.
 */
export async function probeRedis(settings: RedisSettings, cloud: string, by: ProcessName): Promise<string> {
  const { where: place, endpoint } = await findRedis(settings);
  const where = `${place}, database ${settings.db ?? databaseNumber(cloud)}`;
  const direct = { ...settings, host: endpoint.address, port: endpoint.port, sentinels: null };
  const redis = new Redis({ ...redisOptions(direct, cloud), ...connectOnce, connectTimeout: probeLimitMs });
  // What the server said of it: a failed command tells only that the connection is closed.
  let refusal: unknown = null;
  redis.on('error', (error) => {
    refusal = error;
  });
  const ask = async () => {
    await redis.connect();
    const info = await redis.info();
    // A database that does not exist, say.
    const useless = refusal ?? whyUseless(info);
    if (useless !== null) throw useless;
    await redis.set(keysOf(cloud).probes[by], '1', 'PX', trialMs).catch((error: unknown) => {
      throw refusal ?? new ServiceError(`it takes no writes: ${redisErrorText(error)}`);
    });
    return info;
  };
  try {
    const info = await answerWithin(systemClock, probeLimitMs, ask());
    const version = field(info, 'redis_version') ?? 'of unknown version';
    return [`${where}: Redis ${version}`, ...troubleIn(info, settings.sentinels !== null)].join('; ');
  } catch (error) {
    const why = redisErrorText(refusal ?? error);
    // A server without TLS waits for the end of what it takes for a line.
    const doubt =
      settings.tls !== null && why.startsWith('no answer') ? '; does it speak TLS on this port?' : '';
    throw new ServiceError(`${where}: ${why}${doubt}`);
  } finally {
    redis.disconnect();
  }
}

/** Where it is; with sentinels the address of the master and how many of them say so. Throws when none names one. */
async function findRedis(settings: RedisSettings): Promise<{ where: string; endpoint: Endpoint }> {
  const { host, port, sentinels } = settings;
  if (sentinels === null) return { where: placeOf(settings), endpoint: { address: host, port } };
  const { master, agree, others } = await askSentinels(settings, sentinels);
  const dissent = others.length === 0 ? '' : `; ${others.join('; ')}`;
  if (master === null) throw new ServiceError(`${placeOf(settings)}: no sentinel names it${dissent}`);
  const all = sentinels.endpoints.length;
  const where = `${placeOf(settings)} at ${endpointText(master)} (named by ${agree} of ${all} sentinels${dissent})`;
  return { where, endpoint: master };
}

/** A connection for a command: it begins only when Redis can be worked with, and then waits as any other does. */
export async function reachRedis(
  settings: RedisSettings,
  cloud: string,
  by: ProcessName,
  log: Log,
): Promise<Db> {
  await probeRedis(settings, cloud, by);
  return connectRedis(settings, cloud, log);
}

const longestField = 200;

/** What INFO says of one thing, "name:value" on a line. */
function field(info: string, name: string): string | null {
  const line = info.split('\n').find((one) => one.startsWith(`${name}:`));
  return line?.slice(name.length + 1, name.length + 1 + longestField).trim() || null;
}

/** Why it answers and still is of no use; null when it is. */
function whyUseless(info: string): string | null {
  if (field(info, 'loading') === '1') return 'it is loading its data';
  if (field(info, 'role') !== 'slave') return null;
  return `it is a replica of ${field(info, 'master_host')}:${field(info, 'master_port')}, which takes no writes`;
}

/** What of the server's own account an operator should change. */
function troubleIn(info: string, sentinels: boolean): string[] {
  const policy = field(info, 'maxmemory_policy') ?? 'noeviction';
  return [
    ...(policy === 'noeviction' ? [] : [`maxmemory-policy is ${policy}; set noeviction`]),
    ...(sentinels && field(info, 'connected_slaves') === '0'
      ? ['no replica follows it: it cannot fail over']
      : []),
  ];
}
