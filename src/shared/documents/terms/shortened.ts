// Lists of names in sentences, and of sentences, cut where they would get long. Pure.

/** At most `most` names, and how many more there are. */
export const shortened = (names: readonly string[], most: number): string =>
  names.length <= most
    ? names.join(', ')
    : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;

/** At most `most` sentences; in the place of the others one that counts them. */
export const firstOf = (sentences: readonly string[], most: number): string[] =>
  sentences.length <= most
    ? [...sentences]
    : [...sentences.slice(0, most), `and ${sentences.length - most} more of this kind`];
