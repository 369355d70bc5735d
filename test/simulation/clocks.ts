// The wall clocks of the machines of a history: they jump, and are late after a pause of the whole machine.
import type { History } from './history.ts';
import type { Seat } from './setting.ts';

export class Clocks {
  /** How far they were apart, at most; what was stamped before a jump stays so. */
  spreadMs = 0;
  readonly #history: History;

  constructor(history: History) {
    this.#history = history;
  }

  /** A machine's clock jumps. */
  step(seat: Seat<unknown>, byMs: number): void {
    const { workers, monitors, judges, timeline, world } = this.#history;
    world.tell(`the clock of ${seat.name} jumps by ${byMs / 1000} s`);
    seat.machine.offsetMs += byMs;
    const offsets = [...workers, ...monitors].map((other) => other.machine.offsetMs);
    this.spreadMs = Math.max(this.spreadMs, Math.abs(byMs), Math.max(...offsets) - Math.min(...offsets));
    judges.deeds.cooldownBlurredMs = timeline.nowMs;
    judges.disturbedMs = timeline.nowMs;
    this.#history.poke();
  }

  /** The clock of a machine that was paused as a whole is late, until somebody sets it. */
  lag(seat: Seat<unknown>, forMs: number): void {
    if (!seat.machine.isPausable) return;
    const { random, timeline } = this.#history;
    this.step(seat, -forMs);
    const lateMs = random.pick([0, 1_000, 30_000]);
    timeline.after(forMs + lateMs, () => this.step(seat, forMs));
  }
}
