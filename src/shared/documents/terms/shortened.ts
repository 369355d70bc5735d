// Lists of names in sentences, cut where they would get long. Pure.

/** At most `most` names, and how many more there are. */
export const shortened = (names: readonly string[], most: number): string =>
  names.length <= most
    ? names.join(', ')
    : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
