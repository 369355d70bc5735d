// A journal as the version before wrote it, which knew one spare for all instances. It is lifted when it is read, so
// that a recovery that is under way during an upgrade is continued.
import { z } from 'zod';
import { planOntoSpare } from '../../../shared/documents/terms/plan.ts';

/** What is not named here is the same in both versions, and checked there. */
const version1Schema = z.looseObject({
  version: z.literal(1),
  id: z.string(),
  spare: z.string(),
  method: z.string(),
  proof: z.unknown().optional(),
  steps: z.array(z.object({ atMs: z.number(), step: z.string() })),
  instances: z.record(
    z.string(),
    z.looseObject({
      state: z.string(),
      attempts: z.number(),
      report: z.looseObject({ outcome: z.string() }).nullable(),
    }),
  ),
});

/** A journal of version 1 as one of version 2; anything else as it is. */
export function lifted(found: unknown): unknown {
  const old = version1Schema.safeParse(found);
  if (!old.success) return found;
  const { spare, method, steps, instances, ...same } = old.data;
  const target = { kind: 'host', host: spare };
  const entries = Object.entries(instances).map(([id, entry]) => [
    id,
    {
      ...entry,
      wave: 1,
      target,
      otherwise: null,
      perhapsAtTarget: entry.attempts > 0,
      attemptsElsewhere: 0,
      reboot: 'asked',
      report: entry.report && { ...entry.report, to: entry.report.outcome === 'recovered' ? spare : null },
    },
  ]);
  return {
    ...same,
    version: 2,
    incident: old.data.id,
    plan: planOntoSpare(spare),
    mover: method,
    proof: old.data.proof ?? null,
    progress: steps.map(({ atMs, step }) => ({ atMs, progress: step })),
    instances: Object.fromEntries(entries),
  };
}
