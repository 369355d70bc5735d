// An entry as a line on a terminal: time, cloud, level, text; coloured when a person watches. Pure.
import { styleText } from 'node:util';
import type { EventLevel } from '../../shared/documents/events/entry.ts';
import { plain } from '../../shared/ground/plain.ts';
import type { Entry } from '../inbox/entry.ts';
import { wordsOf } from './sentences.ts';

const colours = { debug: 'gray', info: 'green', warning: 'yellow', error: 'red' } as const satisfies Record<
  EventLevel,
  string
>;

/** One entry as a line, further lines of its text indented below it; null: nothing is said. */
export function terminalLine(entry: Entry, coloured: boolean): string | null {
  const words = wordsOf(entry);
  if (words === null) return null;
  const time = localTime(entry.atMs);
  const level = entry.level.toUpperCase().padEnd(7);
  const shown = coloured ? styleText(colours[entry.level], level, { validateStream: false }) : level;
  const from = entry.cloud === null ? '' : `${entry.cloud}: `;
  const text = plain(words).trimEnd().split('\n').join('\n    ');
  return `${time} ${shown} ${plain(from)}${text}`;
}

function localTime(ms: number): string {
  const date = new Date(ms);
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
