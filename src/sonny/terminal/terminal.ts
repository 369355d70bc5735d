// Without a Slack token, events go to the terminal.
import type { Delivery, Outlet, Pacing, Post } from '../outlet/outlet.ts';
import { terminalLine } from '../render/terminal-line.ts';

/** The outlet that writes to a stream (standard output). */
export class Terminal implements Outlet {
  readonly name = 'the terminal';
  /** A terminal takes everything at once. */
  readonly pacing: Pacing = { pauseMs: 0, longest: Number.MAX_SAFE_INTEGER };
  readonly #stream: NodeJS.WritableStream & { isTTY?: boolean };

  constructor(stream: NodeJS.WritableStream & { isTTY?: boolean }) {
    this.#stream = stream;
  }

  async deliver({ entries }: Post): Promise<Delivery> {
    const coloured = this.#stream.isTTY === true && !process.env.NO_COLOR;
    const lines = entries.flatMap((entry) => terminalLine(entry, coloured) ?? []);
    const text = lines.map((line) => `${line}\n`).join('');
    // Taken when it is written, not when it is buffered: a reader that stalls must not make us move the cursor.
    await new Promise<void>((resolve, reject) =>
      this.#stream.write(text, (error) => (error ? reject(error) : resolve())),
    );
    return { kind: 'sent' };
  }
}
