// What ns4's journals of recoveries say, read from Redis.
import type { Redis } from 'ioredis';

interface JournalInRedis {
  readonly dead: string;
  readonly instances: Record<string, { readonly askedAtMs: number | null }>;
}

/**
 * When the first request to evacuate (from this host alone, where one is named) was about to leave, ms since the epoch;
 * null: none was.
 */
export async function firstRequestAtMs(redis: Redis, cloud: string, host?: string): Promise<number | null> {
  const names = await redis.keys(`sonny:{${cloud}}:incident:*`);
  const texts = names.length === 0 ? [] : await redis.mget(names);
  const journals = texts.flatMap((text) => (text === null ? [] : (JSON.parse(text) as JournalInRedis)));
  const times = journals
    .filter(({ dead }) => host === undefined || dead === host)
    .flatMap(({ instances }) => Object.values(instances).flatMap(({ askedAtMs }) => askedAtMs ?? []));
  return times.length === 0 ? null : Math.min(...times);
}
