// How the monitors of a cloud stand, as anybody may read it: who leads (the lease runs out by itself), and whether the
// leader holds.
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

const holdSchema = z.object({ hold: z.object({ why: z.string() }).nullable() });

/** Why nothing is recovered until an operator accepts it; null when it is. */
export async function readHold(redis: Db, keys: Pick<Keys, 'monitorState'>): Promise<string | null> {
  const text = await redis.get(keys.monitorState);
  try {
    return holdSchema.parse(JSON.parse(text ?? '')).hold?.why ?? null;
  } catch {
    // None, or a state of another version.
    return null;
  }
}
