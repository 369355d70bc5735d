// Where a text has what may be base64 or hexadecimal digits, and what the bytes say. Where such a run begins in the
// middle of a word nobody knows, so it is read from each place it may begin at.
import { hexDigit, isLetterOrDigit } from './view.ts';

/** A stretch of a text, and the bytes that it may stand for. */
export interface Run {
  readonly begin: number;
  readonly end: number;
  readonly readings: () => Iterable<Buffer>;
}

/** Encoders break lines at 64 or 76; words that stand below each other are shorter. */
const shortestLine = 60;

const lineFeed = 10;
const carriageReturn = 13;

/** Is this a letter of base64, of either alphabet? */
const isBase64 = (code: number): boolean =>
  isLetterOrDigit(code) || code === 0x2b || code === 0x2f || code === 0x2d || code === 0x5f;

/** Every stretch of base64 that may hold so many bytes, over the line breaks of its encoder. */
export function* base64Runs(text: string, leastBytes: number): Generator<Run> {
  const least = Math.ceil((leastBytes * 4) / 3);
  for (let at = 0; at < text.length; ) {
    if (!isBase64(text.charCodeAt(at))) {
      at += 1;
      continue;
    }
    const begin = at;
    let lineBegin = at;
    for (;;) {
      while (isBase64(text.charCodeAt(at))) at += 1;
      const next = afterLineBreak(text, at);
      if (next === at || at - lineBegin < shortestLine || !isBase64(text.charCodeAt(next))) break;
      at = next;
      lineBegin = at;
    }
    const end = at;
    if (end - begin < least) continue;
    yield {
      begin,
      end,
      *readings() {
        // Buffer knows both alphabets, and skips line breaks.
        for (let skip = 0; skip < 4; skip += 1) yield Buffer.from(text.slice(begin + skip, end), 'base64');
      },
    };
  }
}

/** The same of hexadecimal digits, also in pairs with ":", "-" or a blank between them. */
export function* hexRuns(text: string, leastBytes: number): Generator<Run> {
  for (let at = 0; at < text.length; ) {
    if (hexDigit(text.charCodeAt(at)) < 0) {
      at += 1;
      continue;
    }
    const begin = at;
    let digits = '';
    let from = at;
    let between: number | null = null;
    for (;;) {
      while (hexDigit(text.charCodeAt(at)) >= 0) at += 1;
      digits += text.slice(from, at);
      const next = text.charCodeAt(at);
      if (at - from !== 2 || !isBetween(next) || (between ?? next) !== next) break;
      if (hexDigit(text.charCodeAt(at + 1)) < 0) break;
      between = next;
      at += 1;
      from = at;
    }
    if (digits.length < leastBytes * 2) continue;
    const found = digits;
    yield {
      begin,
      end: at,
      *readings() {
        for (const skip of [0, 1]) {
          const even = (found.length - skip) & ~1;
          yield Buffer.from(found.slice(skip, skip + even), 'hex');
        }
      },
    };
  }
}

const isBetween = (code: number): boolean => code === 0x3a || code === 0x2d || code === 0x20;

function afterLineBreak(text: string, at: number): number {
  const feed = text.charCodeAt(at) === carriageReturn ? at + 1 : at;
  return text.charCodeAt(feed) === lineFeed ? feed + 1 : at;
}
