// Is proof demanded before a recovery? The monitor publishes it in its status, so that sonny needs no setting for it.
import { z } from 'zod';

export const fencingModeSchema = z.enum(['none', 'required']);
/** `required`: no instance moves before its host is proven to be off. `none`: silence is the only proof. */
export type FencingMode = z.infer<typeof fencingModeSchema>;

/** What the mode means, for people. */
export function fencingText(mode: FencingMode): string {
  return mode === 'none'
    ? 'fencing: none, silence is the only proof that a host is dead'
    : 'fencing: required, no instance moves before its host is proven to be off';
}

/** Of an ns4 with `[SCAN] fences = no`, for people. */
export const fencesElsewhereText =
  '[SCAN] fences is no: vantage points that fence ask and tell the devices in the stead of this one';
