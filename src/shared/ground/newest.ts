// The newest of several moments, of which some never came.

/** Null when there is none. */
export const newest = (times: readonly (number | null)[]): number | null =>
  times.reduce((best, atMs) => (best === null ? atMs : atMs === null ? best : Math.max(best, atMs)), null);
