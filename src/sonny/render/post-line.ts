// An entry as a line of a post in Slack. Pure.
import { plain } from '../../shared/ground/plain.ts';
import type { Entry } from '../inbox/entry.ts';
import { escapeWithin } from './mrkdwn.ts';
import { wordsOf } from './sentences.ts';

/**
 * `CLOUD: text`, escaped, at most `longest` characters; null: nothing is said. Further lines of one text are indented,
 * so that each line at the margin is an event.
 */
export function postLine(entry: Entry, longest: number): string | null {
  const text = wordsOf(entry);
  if (text === null) return null;
  const whole = entry.cloud === null ? text : `${entry.cloud}: ${text}`;
  const [first = '', ...more] = plain(whole).trimEnd().split('\n');
  // What sonny says of itself (a status) is laid out already.
  const indent = entry.cloud === null ? '' : '    ';
  return escapeWithin([first, ...more.map((line) => `${indent}${line}`)].join('\n'), longest);
}
