// A connection of the test's own: every command of Redis, for arranging and looking at what the stores hold.
import { Redis } from 'ioredis';
import type { RedisSettings } from '../../src/shared/config/settings.ts';
import { redisOptions } from '../../src/shared/redis/connect.ts';

/** To the database of a cloud; it waits for a server that is away, as the connections of the processes do. */
export function redisClient(settings: RedisSettings, cloud: string): Redis {
  const redis = new Redis({ ...redisOptions(settings, cloud), protocol: 2, maxRetriesPerRequest: null });
  redis.on('error', () => {});
  return redis;
}

/** Settings that lead to a server of the tests. */
export const settingsOf = ({ host, port }: { host: string; port: number }): RedisSettings => ({
  host,
  port,
  username: null,
  password: null,
  tls: null,
  db: null,
  sentinels: null,
  signing: null,
});
