// What waits to be said: facts, not sentences. How it is said is decided where it is rendered.
import type { EventLevel } from '../../shared/documents/events/entry.ts';
import type { EventFacts } from '../../shared/documents/events/events.ts';
import type { Position } from './position.ts';

/** Events that were trimmed away unread. */
export interface Lost {
  /** Null: nobody knows how many. */
  readonly count: number | null;
  readonly afterMs: number;
  readonly beforeMs: number;
}

export type Message =
  /** An event; without facts that this version knows, `text` is all there is to say. */
  | { readonly kind: 'event'; readonly facts: EventFacts | null; readonly text: string }
  /** Sonny missed events. */
  | { readonly kind: 'lost'; readonly lost: Lost }
  /** Sonny's own words. */
  | { readonly kind: 'own'; readonly text: string };

/** Something that waits to be said. */
export interface Entry {
  /** Null for what sonny says of itself. */
  readonly cloud: string | null;
  /** Where the cursor of the cloud stands once this is said; null: it stays where it is. */
  readonly position: Position | null;
  readonly atMs: number;
  readonly level: EventLevel;
  /** Ids of the incidents it is about. */
  readonly incidents: readonly string[];
  /** Null: nothing is said, only the cursor passes it. */
  readonly message: Message | null;
}

/** An entry in which sonny speaks of itself. */
export const ownWords = (text: string, atMs: number): Entry => ({
  cloud: null,
  position: null,
  atMs,
  level: 'info',
  incidents: [],
  message: { kind: 'own', text },
});
