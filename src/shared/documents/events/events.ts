// Events: what Sonny says. Appended to a capped stream and published by monitor and ns4, relayed by sonny. An event
// carries its facts, and the finished sentence for readers of another version that do not know its kind.
import { z } from 'zod';
import { type EventEntry, type EventLevel, eventLevels } from './entry.ts';
import { recoveryEvents } from './of-recoveries.ts';
import { returnEvents } from './of-returns.ts';
import { suspicionEvents } from './of-suspicion.ts';
import { monitorEvents } from './of-the-monitor.ts';
import { trustEvents } from './of-trust.ts';

const eventEntries = [
  ...monitorEvents,
  ...suspicionEvents,
  ...recoveryEvents,
  ...returnEvents,
  ...trustEvents,
] as const;

type Schemas<T extends readonly EventEntry[]> = { [K in keyof T]: T[K]['schema'] };
const schemas = eventEntries.map((entry) => entry.schema) as unknown as Schemas<typeof eventEntries>;

/** The facts of every kind of event that this version knows. */
const factsSchema = z.discriminatedUnion('kind', schemas);
export type EventFacts = z.infer<(typeof eventEntries)[number]['schema']>;

export const eventSchema = z.object({
  version: z.literal(2),
  cloud: z.string(),
  atMs: z.number(),
  /** Ids of the incidents it is about; none: the cloud. */
  incidents: z.array(z.string()),
  level: z.enum(eventLevels),
  text: z.string(),
  facts: factsSchema,
});
export type SonnyEvent = z.infer<typeof eventSchema>;

const byKind = new Map<string, EventEntry>(eventEntries.map((entry) => [entry.kind, entry]));

/** Level and words of an event. */
export function sentence(facts: EventFacts): { level: EventLevel; text: string } {
  const entry = byKind.get(facts.kind) as EventEntry;
  return { level: entry.level(facts), text: entry.says(facts) };
}

/** The hosts that an event is about, whose incidents it belongs to. */
export const hostsOf = (facts: EventFacts): readonly string[] =>
  (byKind.get(facts.kind) as EventEntry).hosts(facts);

/** The incident that an event names itself; null: see `hostsOf`. */
export const incidentOf = (facts: EventFacts): string | null =>
  (byKind.get(facts.kind) as EventEntry).incident(facts);

/** A complete event from its facts; without `incidents` those that the facts name themselves. */
export function announce(
  cloud: string,
  atMs: number,
  facts: EventFacts,
  incidents: readonly string[] = [incidentOf(facts) ?? []].flat(),
): SonnyEvent {
  return { version: 2, cloud, atMs, incidents: [...incidents], ...sentence(facts), facts };
}
