// What ns4's journals of recoveries say, read from Redis.
import type { Redis } from 'ioredis';

interface JournalInRedis {
  readonly instances: Record<string, { readonly askedAtMs: number | null }>;
}

/** When the first request to evacuate was about to leave, ms since the epoch; null: none was. */
export async function firstRequestAtMs(redis: Redis, cloud: string): Promise<number | null> {
  const names = await redis.keys(`sonny:{${cloud}}:incident:*`);
  const texts = names.length === 0 ? [] : await redis.mget(names);
  const times = texts.flatMap((text) => {
    const { instances } = JSON.parse(text ?? '{"instances":{}}') as JournalInRedis;
    return Object.values(instances).flatMap(({ askedAtMs }) => askedAtMs ?? []);
  });
  return times.length === 0 ? null : Math.min(...times);
}
