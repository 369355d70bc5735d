// The progress display of an evacuation by hand: a line per event, and on a terminal a last line that counts on.

import type { EventFacts } from '../../shared/documents/events/events.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import { plain } from '../../shared/ground/plain.ts';

const redrawMs = 200;
const clearLine = '\r\u001b[2K';
const spinner = '|/-\\';

export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #clock: Clock;
  readonly #sinceMs: number;
  #ended = 0;
  #recovered = 0;
  #total: number | null = null;
  #frame = 0;
  readonly #timer: NodeJS.Timeout | null;

  constructor(out: NodeJS.WriteStream, clock: Clock) {
    this.#out = out;
    this.#clock = clock;
    this.#sinceMs = clock.nowMs();
    this.#timer = out.isTTY ? setInterval(() => this.#draw(), redrawMs) : null;
    this.#timer?.unref();
  }

  /** A line that stays, with the seconds since the start before it. */
  line(text: string): void {
    const seconds = ((this.#clock.nowMs() - this.#sinceMs) / 1000).toFixed(1).padStart(6);
    this.#out.write(`${this.#timer ? clearLine : ''}${seconds} s  ${plain(text)}\n`);
  }

  /** An event of the evacuation: its sentence, and the count. */
  event(facts: EventFacts, text: string): void {
    if (facts.kind === 'instance-ended') {
      this.#ended += 1;
      if (facts.instance.outcome === 'recovered') this.#recovered += 1;
    }
    if (facts.kind === 'progress' && facts.progress.step === 'moving') this.#total = facts.progress.instances;
    this.line(text);
  }

  #draw(): void {
    this.#frame += 1;
    const mark = spinner[this.#frame % spinner.length];
    const seconds = Math.round((this.#clock.nowMs() - this.#sinceMs) / 1000);
    const counts =
      this.#total === null
        ? 'checking'
        : `${this.#recovered} of ${this.#total} back, ${this.#total - this.#ended} under way, ${this.#ended - this.#recovered} not recovered`;
    this.#out.write(`${clearLine}${mark} ${counts} (${seconds} s)`);
  }

  /** Stops counting and leaves the cursor on a fresh line. */
  end(): void {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#out.write(clearLine);
  }
}
