// Small pieces of the refusals' sentences.

export const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

export const utc = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** At most eight names, and how many more there are. */
export const list = (names: readonly string[]): string =>
  names.length <= 8 ? names.join(', ') : `${names.slice(0, 8).join(', ')} and ${names.length - 8} more`;
