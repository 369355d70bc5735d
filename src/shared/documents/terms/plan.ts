// The plan of a recovery: which instances of a dead hypervisor go where, and in which order. A method of the monitor
// makes it; ns4 carries it out and knows no method.
import { z } from 'zod';

/** Where instances go: to one host, or to wherever Nova's scheduler sends each. */
export const targetSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('host'), host: z.string() }),
  z.object({ kind: z.literal('scheduler') }),
]);
export type Target = z.infer<typeof targetSchema>;

const placeSchema = z.object({
  target: targetSchema,
  /** Tried when the first target certainly runs nothing of the instance; null: none. */
  otherwise: targetSchema.nullable(),
  /** A wave begins when every instance of the one before has its end; from 1. */
  wave: z.number().int().min(1),
});
/** Where one instance goes, and when. */
type Place = z.infer<typeof placeSchema>;

const moveSchema = placeSchema.extend({
  /** Ids of instances; others: every one on the host that no other move names. */
  instances: z.union([z.array(z.string()), z.literal('others')]),
});

export const planSchema = z.object({
  /** Who made it, for people. */
  method: z.enum(['reserved_host']),
  moves: z.array(moveSchema).min(1),
  /** Compute services that are enabled before the first instance moves: spares are disabled until they are needed. */
  enable: z.array(z.string()),
});
export type Plan = z.infer<typeof planSchema>;

/** All targets of a plan, each once. */
export function targetsOf({ moves }: Pick<Plan, 'moves'>): Target[] {
  const all = moves.flatMap(({ target, otherwise }) => (otherwise === null ? [target] : [target, otherwise]));
  return [...new Map(all.map((target) => [targetText(target), target])).values()];
}

/** The hosts that a plan names. */
export const targetHosts = (plan: Pick<Plan, 'moves'>): string[] =>
  targetsOf(plan).flatMap((target) => (target.kind === 'host' ? [target.host] : []));

/** Every hypervisor that the plan names, those to enable included, each once. */
export const namedHosts = (plan: Pick<Plan, 'moves' | 'enable'>): string[] => [
  ...new Set([...targetHosts(plan), ...plan.enable]),
];

/** All instances to one spare, which is enabled first: what an order of a version without plans means. */
export const planOntoSpare = (spare: string): Plan => ({
  method: 'reserved_host',
  moves: [{ instances: 'others', target: { kind: 'host', host: spare }, otherwise: null, wave: 1 }],
  enable: [spare],
});

/** Where the plan puts an instance: the move that names it, else the move of the others; null: nowhere. */
export function placeOf({ moves }: Pick<Plan, 'moves'>, instanceId: string): Place | null {
  const named = moves.find(({ instances }) => instances !== 'others' && instances.includes(instanceId));
  const move = named ?? moves.find(({ instances }) => instances === 'others');
  return move === undefined ? null : { target: move.target, otherwise: move.otherwise, wave: move.wave };
}

/** Do both mean the same? */
export const isSameTarget = (a: Target, b: Target): boolean => targetText(a) === targetText(b);

/** For people: the host, or "wherever Nova has room". */
export const targetText = (target: Target): string =>
  target.kind === 'host' ? target.host : 'wherever Nova has room';

/** For people: "hv04", "hv04, hv05", "wherever Nova has room". */
export const targetsText = (targets: readonly Target[]): string => targets.map(targetText).join(', ');
