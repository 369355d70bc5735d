// What was said of a cloud, read from its stream as a whole.
import type { Redis } from 'ioredis';
import { eventSchema, type SonnyEvent } from '../../src/shared/documents/events/events.ts';
import { jsonOrNull } from '../../src/shared/redis/json.ts';
import type { Keys } from '../../src/shared/redis/keys.ts';

/** All events that are kept, oldest first, but those that this version does not understand. */
export async function readEvents(redis: Redis, keys: Pick<Keys, 'events'>): Promise<SonnyEvent[]> {
  const entries = await redis.xrange(keys.events, '-', '+');
  return entries.flatMap(([, fields]) => eventSchema.safeParse(jsonOrNull(fields[1] ?? '')).data ?? []);
}
