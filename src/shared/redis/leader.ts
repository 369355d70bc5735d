// Who leads a cloud's monitors, as anybody may read it: the lease, which runs out by itself.
import { z } from 'zod';
import type { Db } from './db.ts';
import type { Keys } from './keys.ts';

/** `who` is for people (host/pid), `token` tells two lives of one process apart. */
const leaseSchema = z.object({ who: z.string(), token: z.string() });

export const leaseText = (who: string, token: string): string => JSON.stringify({ who, token });

/** The leading monitor's name; null when nobody leads. */
export async function readLeader(redis: Db, keys: Pick<Keys, 'monitorLease'>): Promise<string | null> {
  const text = await redis.get(keys.monitorLease);
  if (text === null) return null;
  try {
    return leaseSchema.parse(JSON.parse(text)).who;
  } catch {
    return 'somebody of another version';
  }
}
