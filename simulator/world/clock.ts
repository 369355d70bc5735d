// What the world needs from outside: time and chance. It runs alike in real time (real-time.ts) and on a simulation's
// timeline, where an hour takes milliseconds and the same seed gives the same history.

/** Something planned; `cancelled` may be set as long as it is not done. */
export interface Planned {
  cancelled: boolean;
}

/** True time, and what is to happen later. */
export interface WorldClock {
  readonly nowMs: number;
  after(delayMs: number, action: () => void): Planned;
}

/** Whatever is not determined. */
export interface Chance {
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  /** An id nothing else has: of a `kind` of thing, and what it is the id of. */
  newId(kind: string, of: string): string;
}
