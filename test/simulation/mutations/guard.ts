// One guard of the real code, and how to take it out: the simulation must notice.
import type { Edit } from '../run/bundle.ts';

export interface Guard {
  readonly name: string;
  /** What it sees to. */
  readonly duty: string;
  readonly edits: readonly Edit[];
}

/** Each edit: file below src, text that stands there once, text instead. */
export const guard = (
  name: string,
  duty: string,
  ...edits: (readonly [string, string, string])[]
): Guard => ({
  ...{ name, duty },
  edits: edits.map(([file, find, replace]) => ({ file, find, replace })),
});
