// The port through which sonny speaks: Slack, or the terminal.
import type { Entry } from '../inbox/entry.ts';

export interface Post {
  readonly text: string;
  /** Everything it says or passes over, in order. */
  readonly entries: readonly Entry[];
}

/** What became of a post. `give-up`: this very post will never be taken; others may be. */
export type Delivery =
  | { readonly kind: 'sent' }
  /** `afterMs` as the other side asked for; null: it did not say. */
  | { readonly kind: 'retry'; readonly afterMs: number | null; readonly reason: string }
  | { readonly kind: 'give-up'; readonly reason: string };

/** What an outlet can take. */
export interface Pacing {
  /** From one post to the next, at least. */
  readonly pauseMs: number;
  /** Characters of a post, at most. */
  readonly longest: number;
}

/** Where posts go. */
export interface Outlet {
  readonly name: string;
  readonly pacing: Pacing;
  /** Never both takes a post and throws. */
  deliver(post: Post): Promise<Delivery>;
}
