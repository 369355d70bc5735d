// How far the cloud's clock is from ours, from the Date headers of its answers. A Date header is cut to the second and
// was stamped somewhere between sending and receiving, so each answer only bounds the skew: one that took 4 s says
// little, and would seem to be 2 s off if its middle were taken. The bounds of consecutive answers are intersected.

/** A clock that was set, or another controller with a clock of its own, shows after this long at the latest. */
const FORGET_AFTER_MS = 60_000;

interface Bounds {
  readonly low: number;
  readonly high: number;
  readonly sinceMs: number;
}

export class ClockSkew {
  #bounds: Bounds | null = null;

  /**
   * Takes one answer's Date header (RFC 9110; anything else is ignored), with our clock when the request left and when
   * the head of its answer came.
   */
  observe(dateHeader: string, sentAtMs: number, receivedAtMs: number): void {
    const dateMs = Date.parse(dateHeader);
    if (Number.isNaN(dateMs)) return;
    const seen = { low: dateMs - receivedAtMs, high: dateMs + 1000 - sentAtMs, sinceMs: receivedAtMs };
    const known = this.#bounds;
    const age = known === null ? 0 : receivedAtMs - known.sinceMs;
    if (known === null || age < 0 || age > FORGET_AFTER_MS) {
      this.#bounds = seen;
      return;
    }
    const low = Math.max(seen.low, known.low);
    const high = Math.min(seen.high, known.high);
    this.#bounds = low <= high ? { low, high, sinceMs: known.sinceMs } : seen;
  }

  /** Cloud clock minus ours, in ms; 0 before the first answer. */
  ms(): number {
    return this.#bounds === null ? 0 : Math.round((this.#bounds.low + this.#bounds.high) / 2);
  }
}
