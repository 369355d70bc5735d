// What the histories have ready and the code cannot bear yet: faults and demands by name, each with the rule it waits for.
// Ordinary histories go without them; ALL=yes has them all, and a focus that is about some has these. An entry goes when
// its rule is there.

/** Name of a fault, of a trait of the cloud, or of a judge's demand -> the rule that is awaited. */
const notYet: Readonly<Record<string, string>> = {};

/** Does this history have it? */
export type IsOn = (name: string) => boolean;

/** `lifted`: names that it has although their rule is awaited; null: all of them. */
export const isOnWith =
  (lifted: readonly string[] | null): IsOn =>
  (name) =>
    lifted === null || !Object.hasOwn(notYet, name) || lifted.includes(name);

/** Does a focus about these have to wait? */
export const isAwaited = (names: readonly string[]): boolean =>
  names.some((name) => Object.hasOwn(notYet, name));
