// What was said of a cloud, read from its stream as a whole.
import type { Redis } from 'ioredis';
import { eventSchema, type SonnyEvent } from '../../src/shared/documents/events/events.ts';
import type { Keys } from '../../src/shared/redis/keys.ts';

/** All events that are kept, oldest first, but those that this version does not understand. */
export async function readEvents(redis: Redis, keys: Pick<Keys, 'events'>): Promise<SonnyEvent[]> {
  const entries = await redis.xrange(keys.events, '-', '+');
  return entries.flatMap(([, fields]) => eventSchema.safeParse(JSON.parse(fields[1] ?? '')).data ?? []);
}
