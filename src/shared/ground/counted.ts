// Numbers with their nouns, as people write them.

/** `1 port`, `2 ports`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
