// What is known of one event: its facts, how loud it is, and its sentence. Everything else about events is derived from
// such entries.
import { z } from 'zod';

export const eventLevels = ['debug', 'info', 'warning', 'error'] as const;
export type EventLevel = (typeof eventLevels)[number];

/** What an entry says of an event with the facts `F`. */
interface EventDescription<F> {
  /** The hosts it is about, whose incidents it belongs to; none unless it says otherwise. */
  hosts?(facts: F): readonly string[];
  /** The incident it belongs to, where its facts name one. */
  incident?(facts: F): string;
  /** How loud: fixed, or by the facts. */
  readonly level: EventLevel | ((facts: F) => EventLevel);
  /** One sentence for people. */
  says(facts: F): string;
}

/** One event. Its functions take facts of its own kind only; `eventEntry` in events.ts finds the right entry. */
export interface EventEntry<K extends string = string, S extends z.ZodRawShape = z.ZodRawShape> {
  readonly kind: K;
  readonly schema: z.ZodObject<{ kind: z.ZodLiteral<K> } & S>;
  hosts(facts: z.infer<z.ZodObject<{ kind: z.ZodLiteral<K> } & S>>): readonly string[];
  incident(facts: z.infer<z.ZodObject<{ kind: z.ZodLiteral<K> } & S>>): string | null;
  level(facts: z.infer<z.ZodObject<{ kind: z.ZodLiteral<K> } & S>>): EventLevel;
  says(facts: z.infer<z.ZodObject<{ kind: z.ZodLiteral<K> } & S>>): string;
}

/** Describes an event: `facts` is the shape of what it tells. */
export function event<const K extends string, S extends z.ZodRawShape>(
  kind: K,
  facts: S,
  { hosts, incident, level, says }: EventDescription<z.infer<z.ZodObject<{ kind: z.ZodLiteral<K> } & S>>>,
): EventEntry<K, S> {
  return {
    kind,
    schema: z.object({ kind: z.literal(kind), ...facts }),
    hosts: (told) => hosts?.(told) ?? [],
    incident: (told) => incident?.(told) ?? null,
    level: (told) => (typeof level === 'function' ? level(told) : level),
    says,
  };
}
