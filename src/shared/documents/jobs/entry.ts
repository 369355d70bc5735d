// What is known of one job: what goes in and out, its queue, its limits. Producer, worker, the monitor's state and the
// simulation are typed by it.
import { z } from 'zod';

/** What an entry says of a job with data `D` and result `R`. */
interface JobFacts<D extends z.ZodType, R extends z.ZodType> {
  readonly data: D;
  /** Expected failures are result values; a job that throws broke an assumption. */
  readonly result: R;
  /** How long the worker lets it run before it aborts it. */
  readonly timeoutMs: number;
  /** How long whoever asked waits, counted from the request, before it calls the job lost. */
  readonly waitMs: number;
  /** Asked of every vantage point by a queue of its own, and answered together; else any ns4 takes it. */
  readonly ofEachVantagePoint: boolean;
  /** Jobs that one ns4 works on at once. */
  readonly concurrency: number;
  /** How long finished ones are kept for people who look, and for requests repeated with the same id. */
  readonly keep: { readonly ageSeconds: number; readonly count: number };
}

/** One job under its name; the queue's name is `queue`. */
interface JobEntry<
  N extends string = string,
  Q extends string = string,
  D extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
> extends JobFacts<D, R> {
  readonly name: N;
  readonly queue: Q;
  /** A job asked for, or to be asked for. */
  readonly request: z.ZodObject<{ name: z.ZodLiteral<N>; id: z.ZodString; data: D }>;
}

/** Describes a job. */
export function job<const N extends string, const Q extends string, D extends z.ZodType, R extends z.ZodType>(
  name: N,
  queue: Q,
  facts: JobFacts<D, R>,
): JobEntry<N, Q, D, R> {
  const request = z.object({ name: z.literal(name), id: z.string(), data: facts.data });
  return { name, queue, request, ...facts };
}

/** A failure that was expected: one line. */
export const failureSchema = z.object({ ok: z.literal(false), detail: z.string() });
