// Operators' orders to the monitor: one entry each, with what it asks for. They cross through a list in Redis.
import { z } from 'zod';

const common = { by: z.string(), atMs: z.number() };

export const orderSchema = z.discriminatedUnion('kind', [
  /** `ns4 -r`: the last recovery is forgotten, so that the cooldown ends. */
  z.object({ kind: z.literal('reset-cooldown'), ...common }),
  /** `monitor --accept-empty-state`: Redis lost what was known, and somebody looked. */
  z.object({ kind: z.literal('accept-empty-state'), ...common }),
  /** `ns4 --confirm-fenced HOST`: the host is off by somebody's word. */
  z.object({ kind: z.literal('confirm-fenced'), host: z.string(), ...common }),
  /** `ns4 --copies-gone HOST`: nothing of the instances that were moved from it runs there, by somebody's word. */
  z.object({ kind: z.literal('copies-gone'), host: z.string(), ...common }),
  /** `ns4 -d HOST [-s HOST]`: recover it, whatever the watch thinks of it; the gates are asked all the same. */
  z.object({
    kind: z.literal('recover'),
    /** Tells the events that follow from those that other orders caused. */
    id: z.string(),
    host: z.string(),
    /** The spare; null: the method of its segment chooses. */
    target: z.string().nullable(),
    /** Gates that the operator waives, by name. */
    despite: z.array(z.string()),
    ...common,
  }),
]);
/** An order as it lies in Redis: who gave it, and when (milliseconds since the epoch). */
export type Order = z.infer<typeof orderSchema>;
