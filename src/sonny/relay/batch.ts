// What to post next, of everything that waits: at most one post in a while, a line for each event, whole events as
// long as they fit. Pure: time is passed in.
import type { Entry } from '../inbox/entry.ts';
import type { Pacing, Post } from '../outlet/outlet.ts';
import { postLine } from '../render/post-line.ts';

type Step =
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
  if (waiting.every((entry) => entry.message === null)) return { kind: 'pass', entries: waiting };
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
    const line = postLine(entry, longest);
    if (line !== null) {
      if (lines.length > 0 && length + 1 + line.length > longest) break;
      lines.push(line);
      length += line.length + 1;
    }
    entries.push(entry);
  }
  return { text: lines.join('\n'), entries };
}
