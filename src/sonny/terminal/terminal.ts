// Without a Slack token, events go to the terminal: time, cloud, level, text; coloured when a person watches.
import { styleText } from 'node:util';
import type { EventLevel } from '../../shared/documents/events/entry.ts';
import type { Entry, Pacing, Post } from '../relay/batch.ts';
import type { Delivery, Outlet } from '../relay/relay.ts';
import { visible } from '../render/mrkdwn.ts';

/** A terminal takes everything at once. */
export const terminalPacing: Pacing = { pauseMs: 0, longest: Number.MAX_SAFE_INTEGER };

const colours = { debug: 'gray', info: 'green', warning: 'yellow', error: 'red' } as const satisfies Record<
  EventLevel,
  string
>;

/** One event as a line; further lines of its text are indented below it. */
export function terminalLine(entry: Entry, coloured: boolean): string {
  const time = localTime(entry.atMs);
  const level = entry.level.toUpperCase().padEnd(7);
  const shown = coloured ? styleText(colours[entry.level], level, { validateStream: false }) : level;
  const from = entry.cloud === null ? '' : `${entry.cloud}: `;
  const text = visible(entry.text ?? '')
    .trimEnd()
    .split('\n')
    .join('\n    ');
  return `${time} ${shown} ${visible(from)}${text}`;
}

function localTime(ms: number): string {
  const date = new Date(ms);
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** The outlet that writes to a stream (standard output). */
export class Terminal implements Outlet {
  readonly name = 'the terminal';
  readonly #stream: NodeJS.WritableStream & { isTTY?: boolean };

  constructor(stream: NodeJS.WritableStream & { isTTY?: boolean }) {
    this.#stream = stream;
  }

  async deliver(post: Post): Promise<Delivery> {
    const said = post.entries.filter((entry) => entry.text !== null);
    const coloured = this.#stream.isTTY === true && !process.env.NO_COLOR;
    const lines = said.map((entry) => `${terminalLine(entry, coloured)}\n`).join('');
    // Taken when it is written, not when it is buffered: a reader that stalls must not make us move the cursor.
    await new Promise<void>((resolve, reject) =>
      this.#stream.write(lines, (error) => (error ? reject(error) : resolve())),
    );
    return { kind: 'sent' };
  }
}
