// What many histories came to, added up.
import type { Outcome } from '../run-history.ts';

export interface Totals {
  runs: number;
  /** Each figure of the histories, added up. */
  readonly figures: Record<string, number>;
  /** How often each refusal was said. */
  readonly refusals: Record<string, number>;
  /** By invariant: how many histories violated it, and the first few seeds. */
  readonly violations: Record<string, { count: number; seeds: number[] }>;
}

const mostSeeds = 5;

export const nothingYet = (): Totals => ({ runs: 0, figures: {}, refusals: {}, violations: {} });

export function addOutcome(totals: Totals, { seed, violation, figures }: Outcome): void {
  totals.runs += 1;
  const { refusals, ...numbers } = figures;
  addNumbers(totals.figures, numbers);
  addNumbers(totals.refusals, refusals);
  if (violation !== null) addViolation(totals, violation.rule, { count: 1, seeds: [seed] });
}

export function addTotals(totals: Totals, more: Totals): void {
  totals.runs += more.runs;
  addNumbers(totals.figures, more.figures);
  addNumbers(totals.refusals, more.refusals);
  for (const [rule, violation] of Object.entries(more.violations)) addViolation(totals, rule, violation);
}

/** The smallest seed known to violate something; null when none does. */
export function firstViolation({ violations }: Totals): { seed: number; rule: string } | null {
  const all = Object.entries(violations).flatMap(([rule, { seeds }]) =>
    seeds.map((seed) => ({ rule, seed })),
  );
  return all.sort((a, b) => a.seed - b.seed)[0] ?? null;
}

function addNumbers(sums: Record<string, number>, numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) sums[name] = (sums[name] ?? 0) + value;
}

function addViolation(totals: Totals, rule: string, more: { count: number; seeds: number[] }): void {
  const known = totals.violations[rule] ?? { count: 0, seeds: [] };
  known.count += more.count;
  known.seeds = [...known.seeds, ...more.seeds].sort((a, b) => a - b).slice(0, mostSeeds);
  totals.violations[rule] = known;
}
