// A text as one more reader would see it: its escapes undone once, with the place in the original that each letter came
// from. In one pass, so that a hostile text costs no more than its length.
import { letterOf } from './entities.ts';

/** Letters and where each came from; without places: the text itself. */
export interface View {
  readonly text: string;
  /** Of each letter: where its source begins and ends in the original text. */
  readonly places: { readonly begin: Int32Array; readonly end: Int32Array } | null;
}

const hash = 0x23;
const semicolon = 0x3b;
const [lowerU, upperU, lowerX, upperX] = [0x75, 0x55, 0x78, 0x58];
/** "&CounterClockwiseContourIntegral;" is longer, and no letter of a password. */
const longestName = 12;
const control: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, b: 8, f: 12 };

/** The escape that begins at a place: what it stands for and how long it is. */
interface Escape {
  readonly code: number;
  readonly length: number;
}

/** Backslashes (JSON, Python, shells), those of URLs, those of HTML. */
export const escapings = ['backslash', 'url', 'html'] as const;
type Escaping = (typeof escapings)[number];

/** The view with its escapes of one kind undone once; null where it has none. */
export function undone(view: View, kind: Escaping): View | null {
  const { text, places } = view;
  const { mark, read } = readers[kind];
  if (!text.includes(mark)) return null;
  const letters = new Uint16Array(text.length);
  const begin = new Int32Array(text.length);
  const end = new Int32Array(text.length);
  let count = 0;
  let found = false;
  const add = (unit: number, from: number, to: number) => {
    letters[count] = unit;
    begin[count] = places === null ? from : (places.begin[from] ?? 0);
    end[count] = places === null ? to : (places.end[to - 1] ?? 0);
    count += 1;
  };
  for (let at = 0; at < text.length; ) {
    const undoing = text.charAt(at) === mark ? read(text, at) : null;
    if (undoing === null) {
      add(text.charCodeAt(at), at, at + 1);
      at += 1;
      continue;
    }
    found = true;
    const to = at + undoing.length;
    if (undoing.code > 0xffff) {
      add(0xd800 + ((undoing.code - 0x10000) >> 10), at, to);
      add(0xdc00 + ((undoing.code - 0x10000) & 0x3ff), at, to);
    } else add(undoing.code, at, to);
    at = to;
  }
  if (!found) return null;
  return { text: textOf(letters.subarray(0, count)), places: { begin, end } };
}

/** How an escape begins, and what reads the one that begins at a place. */
const readers: Readonly<
  Record<Escaping, { readonly mark: string; readonly read: (text: string, at: number) => Escape | null }>
> = {
  backslash: { mark: '\\', read: afterBackslash },
  url: {
    mark: '%',
    read: (text, at) => (text.charCodeAt(at + 1) === lowerU ? byHex(text, at, 2, 4) : byHex(text, at, 1, 2)),
  },
  html: {
    mark: '&',
    read: (text, at) => (text.charCodeAt(at + 1) === hash ? byNumber(text, at) : byName(text, at)),
  },
};

function afterBackslash(text: string, at: number): Escape | null {
  const next = text.charCodeAt(at + 1);
  if (next === lowerU) return byHex(text, at, 2, 4);
  if (next === upperU) return byHex(text, at, 2, 8);
  if (next === lowerX) return byHex(text, at, 2, 2);
  if (next >= 0x30 && next <= 0x37) return byOctal(text, at);
  const letter = control[text.charAt(at + 1)];
  if (letter !== undefined) return { code: letter, length: 2 };
  // A quote, a slash, another backslash, whatever the shell guards.
  return next >= 0x20 && !isLetterOrDigit(next) ? { code: next, length: 2 } : null;
}

/** `digits` hexadecimal digits behind `skip` letters. */
function byHex(text: string, at: number, skip: number, digits: number): Escape | null {
  let code = 0;
  for (let i = 0; i < digits; i += 1) {
    const digit = hexDigit(text.charCodeAt(at + skip + i));
    if (digit < 0) return null;
    code = code * 16 + digit;
  }
  return code > 0x10ffff ? null : { code, length: skip + digits };
}

function byOctal(text: string, at: number): Escape | null {
  let code = 0;
  for (let i = 1; i <= 3; i += 1) {
    const digit = text.charCodeAt(at + i) - 0x30;
    if (!(digit >= 0 && digit <= 7)) return null;
    code = code * 8 + digit;
  }
  return { code, length: 4 };
}

/** "&#65;", "&#x41;", with leading zeros and without the semicolon, as browsers take it. */
function byNumber(text: string, at: number): Escape | null {
  const marker = text.charCodeAt(at + 2);
  const isHex = marker === lowerX || marker === upperX;
  const from = at + (isHex ? 3 : 2);
  let code = 0;
  let to = from;
  for (; to < from + longestName; to += 1) {
    const digit = hexDigit(text.charCodeAt(to));
    if (digit < 0 || (!isHex && digit > 9)) break;
    code = code * (isHex ? 16 : 10) + digit;
  }
  if (to === from || code > 0x10ffff) return null;
  return { code, length: to - at + (text.charCodeAt(to) === semicolon ? 1 : 0) };
}

function byName(text: string, at: number): Escape | null {
  let to = at + 1;
  while (to <= at + longestName && isLetterOrDigit(text.charCodeAt(to))) to += 1;
  if (text.charCodeAt(to) !== semicolon) return null;
  const letter = letterOf(text.slice(at + 1, to));
  return letter === null ? null : { code: letter, length: to + 1 - at };
}

/** The value of a hexadecimal digit by its code; -1: it is none. */
export function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** An ASCII letter or digit? */
export const isLetterOrDigit = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a);

/** In pieces, as one call takes no more arguments. */
function textOf(letters: Uint16Array): string {
  const parts: string[] = [];
  for (let at = 0; at < letters.length; at += 8_192)
    parts.push(String.fromCharCode(...letters.subarray(at, at + 8_192)));
  return parts.join('');
}
