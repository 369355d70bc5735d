// Is proof demanded before a recovery? The monitor notes it in its state, so that sonny can tell without a config of its own.
import { z } from 'zod';
import type { Db } from '../../redis/db.ts';
import type { Keys } from '../../redis/keys.ts';

export const fencingModeSchema = z.enum(['none', 'required']);
/** `required`: no instance moves before its host is proven to be off. `none`: silence is the only proof. */
export type FencingMode = z.infer<typeof fencingModeSchema>;

/** What the mode means, for people. */
export function fencingText(mode: FencingMode): string {
  return mode === 'none'
    ? 'fencing: none, silence is the only proof that a host is dead'
    : 'fencing: required, no instance moves before its host is proven to be off';
}

const stateSchema = z.object({ fencing: fencingModeSchema });

/** The mode that the monitor of a cloud works with, from its stored state; null when it never said. */
export async function readFencingMode(
  redis: Db,
  keys: Pick<Keys, 'monitorState'>,
): Promise<FencingMode | null> {
  const text = await redis.get(keys.monitorState);
  if (text === null) return null;
  try {
    return stateSchema.parse(JSON.parse(text)).fencing;
  } catch {
    // A state of another version; whoever runs on it says so.
    return null;
  }
}
