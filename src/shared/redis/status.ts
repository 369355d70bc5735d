// Reads the status that the monitor publishes with every save.
import { type Status, statusSchema } from '../documents/status.ts';
import type { Db } from './db.ts';
import type { Keys } from './keys.ts';

/** What is known of the status of a cloud: none was published yet, or one of another version. */
export type FoundStatus =
  | { readonly kind: 'found'; readonly status: Status }
  | { readonly kind: 'none' }
  | { readonly kind: 'not-understood' };

export async function readStatus(redis: Db, keys: Pick<Keys, 'status'>): Promise<FoundStatus> {
  const text = await redis.get(keys.status);
  if (text === null) return { kind: 'none' };
  try {
    return { kind: 'found', status: statusSchema.parse(JSON.parse(text)) };
  } catch {
    return { kind: 'not-understood' };
  }
}
