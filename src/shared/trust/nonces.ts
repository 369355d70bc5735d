// Which seals were taken already, for as long as they would count: what is put back by somebody is refused. Kept in the
// memory of the process, where nobody who writes to Redis can forget them; what a restart forgets, the age of a seal
// bounds.

/** Only seals of the right key come in here, so nobody else can fill it. */
const mostKept = 20_000;

export class Nonces {
  /** Until when each is remembered, oldest entry first. */
  readonly #untilMs = new Map<string, number>();

  has(nonce: string): boolean {
    return this.#untilMs.has(nonce);
  }

  remember(nonce: string, untilMs: number, nowMs: number): void {
    this.#untilMs.set(nonce, untilMs);
    if (this.#untilMs.size <= mostKept) return;
    for (const [old, until] of this.#untilMs) if (until < nowMs) this.#untilMs.delete(old);
    for (const [oldest] of this.#untilMs) {
      if (this.#untilMs.size <= mostKept) break;
      this.#untilMs.delete(oldest);
    }
  }
}
