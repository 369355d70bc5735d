// An event as sonny takes it from a stream. Its writer may be older or newer than this sonny: facts that this version
// does not know leave its finished sentence. Pure.
import { z } from 'zod';
import { eventLevels } from '../../shared/documents/events/entry.ts';
import { type EventFacts, eventSchema, type SonnyEvent } from '../../shared/documents/events/events.ts';

/** A whole event, of whichever version. */
export interface ReceivedEvent extends Omit<SonnyEvent, 'version' | 'facts'> {
  readonly version: number;
  /** Null: of a kind or version that this sonny does not know, or larger than it holds; `text` says it all the same. */
  readonly facts: EventFacts | null;
}

/**
 * Facts of an event that is longer than this are not held, in characters of its JSON: its sentence and incidents are.
 * So the facts that wait are bounded by the number of entries that wait. The report on 200 instances is half as long.
 */
export const longestWithFacts = 100_000;

/** Of an entry that is longer nothing is read. */
const longestEvent = 4_000_000;
/** Of its sentence: posts are shorter. */
const longestText = 20_000;
const mostIncidents = 1_000;
const short = z.string().transform((text) => text.slice(0, 255));

/** What events of all versions have in common. */
const envelopeSchema = z.object({
  version: z.number(),
  cloud: short,
  atMs: z.number(),
  /** Version 1 knows none. */
  incidents: z.array(short).max(mostIncidents).catch([]),
  /** A level that this version does not know is no reason to keep silent. */
  level: z.enum(eventLevels).catch('warning'),
  text: z.string().transform((text) => text.slice(0, longestText)),
});

const knownSchema = eventSchema.pick({ version: true, facts: true });

/** Reads the JSON of one event; null: it is none. */
export function parseEvent(text: string): ReceivedEvent | null {
  const json = text.length > longestEvent ? null : jsonOrNull(text);
  const envelope = envelopeSchema.safeParse(json).data;
  if (envelope === undefined) return null;
  const known = text.length > longestWithFacts ? undefined : knownSchema.safeParse(json).data;
  return { ...envelope, facts: known?.facts ?? null };
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
