// One guard of the real code, and how to take it out: the simulation must notice.
import type { RefusalName } from '../../../src/shared/documents/refusals/refusals.ts';
import type { Edit } from '../run/bundle.ts';

export interface Guard {
  readonly name: string;
  /** What it sees to. */
  readonly duty: string;
  readonly edits: readonly Edit[];
  /** Others make up for it, or it matters in few histories: it takes very many to miss it, so they are not demanded. */
  readonly isRare: boolean;
  /** The histories that lead to where it matters; null: all kinds. */
  readonly focus: string | null;
}

/** Each edit: file below src, text that stands there once, text instead. */
export const guard = (
  name: string,
  duty: string,
  ...edits: (readonly [string, string, string])[]
): Guard => ({
  ...{ name, duty },
  isRare: false,
  focus: null,
  edits: edits.map(([file, find, replace]) => ({ file, find, replace })),
});

export const rarely = (seldom: Guard): Guard => ({ ...seldom, isRare: true });

/** Looked for in the histories of this focus only. */
export const inFocus = (focus: string, wanted: Guard): Guard => ({ ...wanted, focus });

/** The edit that takes a gate out, wherever it is asked. */
export const withoutGate = (name: RefusalName): readonly [string, string, string] => [
  'shared/rules/gates/gate.ts',
  'for (const gate of gates) {',
  `for (const gate of gates) {\n    if (gate.name === '${name}') continue;`,
];
