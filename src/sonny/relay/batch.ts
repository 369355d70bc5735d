// What to post next, of everything that waits: at most one post in a while, a line for each event, whole events as
// long as they fit. Pure: time is passed in.
import type { EventLevel } from '../../shared/documents/events/entry.ts';
import { escapeWithin, visible } from '../render/mrkdwn.ts';

/** A place in the event stream of a cloud. */
export interface Position {
  /** Redis' id of the event. */
  readonly id: string;
  /** The how-manieth event of the stream it is, to count what was lost; null when that is not known. */
  readonly number: number | null;
}

/** Something that waits to be said. */
export interface Entry {
  /** Null for what sonny says of itself. */
  readonly cloud: string | null;
  /** Where the cursor of the cloud stands once this is said; null: it stays where it is. */
  readonly position: Position | null;
  readonly atMs: number;
  readonly level: EventLevel;
  /** Null: nothing is said, only the cursor passes it. */
  readonly text: string | null;
}

export interface Pacing {
  /** From one post to the next, at least. */
  readonly pauseMs: number;
  /** Characters of a post, at most. */
  readonly longest: number;
}

/** Slack takes a message a second per channel; texts above 4,000 characters are cut or split by it. */
export const slackPacing: Pacing = { pauseMs: 1_000, longest: 3_500 };

export interface Post {
  readonly text: string;
  /** Everything it says or passes over, in order. */
  readonly entries: readonly Entry[];
}

export type Step =
  | { readonly kind: 'idle' }
  /** Too early for another post. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** Nothing of it is to be said. */
  | { readonly kind: 'pass'; readonly entries: readonly Entry[] }
  | { readonly kind: 'post'; readonly post: Post };

/** The next step with what waits, in the order it is to be said. */
export function nextStep(
  waiting: readonly Entry[],
  pacing: Pacing,
  lastPostAtMs: number | null,
  nowMs: number,
): Step {
  if (waiting.length === 0) return { kind: 'idle' };
  if (waiting.every((entry) => entry.text === null)) return { kind: 'pass', entries: waiting };
  const early = lastPostAtMs === null ? 0 : lastPostAtMs + pacing.pauseMs - nowMs;
  // A clock that was set back must not silence us for longer than one pause.
  if (early > 0) return { kind: 'wait', ms: Math.min(early, pacing.pauseMs) };
  return { kind: 'post', post: fill(waiting, pacing.longest) };
}

function fill(waiting: readonly Entry[], longest: number): Post {
  const entries: Entry[] = [];
  const lines: string[] = [];
  let length = 0;
  for (const entry of waiting) {
    if (entry.text !== null) {
      const line = lineOf(entry.cloud, entry.text, longest);
      if (lines.length > 0 && length + 1 + line.length > longest) break;
      lines.push(line);
      length += line.length + 1;
    }
    entries.push(entry);
  }
  return { text: lines.join('\n'), entries };
}

/** `CLOUD: text`, escaped; further lines of one text are indented, so that each line at the margin is an event. */
export function lineOf(cloud: string | null, text: string, longest: number): string {
  const whole = cloud === null ? text : `${cloud}: ${text}`;
  const [first = '', ...more] = visible(whole).trimEnd().split('\n');
  // What sonny says of itself (a status) is laid out already.
  const indent = cloud === null ? '' : '    ';
  return escapeWithin([first, ...more.map((line) => `${indent}${line}`)].join('\n'), longest);
}
