// When the slots of a pass begin, and whom that leads to: who is new at once, everybody else with his slot.
import { type Rounds, slotsPerPass, type Turn } from './rounds.ts';

/** Everybody has his turn once in this time; where asking takes longer, so does the pass. */
const passMs = 300_000;
const slotMs = passMs / slotsPerPass;

export class Turns {
  readonly #rounds: Rounds;
  #due: Turn[] = [];
  #nextSlotAtMs: number;

  /** The first slot begins at `nowMs`, in steady time. */
  constructor(rounds: Rounds, nowMs: number) {
    this.#rounds = rounds;
    this.#nextSlotAtMs = nowMs;
  }

  /** Does a slot begin with the next turns? Those of the one before were all handed out. */
  isSlotDue(nowMs: number): boolean {
    return this.#due.length === 0 && nowMs >= this.#nextSlotAtMs;
  }

  /** Up to `most` whose turn it is, of those that are still known. */
  next(nowMs: number, most: number): { readonly isAny: boolean; readonly turns: readonly Turn[] } {
    if (this.isSlotDue(nowMs)) {
      this.#nextSlotAtMs = Math.max(this.#nextSlotAtMs + slotMs, nowMs);
      this.#due = this.#rounds.nextSlot();
    }
    const fresh = this.#rounds.outOfTurn(nowMs, most);
    const turns = fresh.length > 0 ? fresh : this.#due.splice(0, most);
    return { isAny: turns.length > 0, turns: turns.filter(({ address }) => this.#rounds.has(address)) };
  }
}
