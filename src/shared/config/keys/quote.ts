// How messages about the configuration show what they found: on one line, bounded, without a URL's password.

/** A value in quotes. Never for the values of secret keys: those are not shown at all. */
export function quote(value: string): string {
  const bounded = value.length > 80 ? `${value.slice(0, 80)}…` : value;
  return JSON.stringify(bounded.replace(/\/\/[^@/]{0,80}@/, '//***@'));
}
