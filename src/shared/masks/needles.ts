// The texts to look for, all at once: one pass over a text finds every place of each, whatever their number.
import { isLetterOrDigit } from './view.ts';

/** Where something stands in a text. */
export interface Span {
  readonly begin: number;
  readonly end: number;
}

/** No needle is shorter. */
export const shortestNeedle = 4;

const slots = 1 << 16;
const [backslash, percent, ampersand] = [0x5c, 0x25, 0x26];
/** As many stand together in base64 of four bytes. */
const encodedLetters = 6;

/** The needles that begin alike. */
interface Alike {
  readonly texts: Set<string>;
  /** Of the texts, each once, the longest first. */
  lengths: readonly number[];
}

export class Needles {
  /** By their first four letters. */
  readonly #byStart = new Map<number, Alike>();
  /** Which starts there are, by the lower half of their keys: nearly every place of a text ends here. */
  readonly #known = new Uint8Array(slots);

  /** Of the shortest needle; without any, more than a text is long. */
  readonly shortest: number;

  constructor(texts: Iterable<string>) {
    let shortest = Number.MAX_SAFE_INTEGER;
    for (const text of texts) {
      if (text.length < shortestNeedle) continue;
      shortest = Math.min(shortest, text.length);
      const key = keyAt(text, 0);
      this.#known[key & (slots - 1)] = 1;
      const alike = this.#byStart.get(key) ?? { texts: new Set<string>(), lengths: [] };
      alike.texts.add(text);
      this.#byStart.set(key, alike);
    }
    this.shortest = shortest;
    for (const alike of this.#byStart.values())
      alike.lengths = [...new Set([...alike.texts].map(({ length }) => length))].sort((a, b) => b - a);
  }

  get isEmpty(): boolean {
    return this.#byStart.size === 0;
  }

  /**
   * May these bytes hold one? Cheap, for what is nonsense most of the time. True where one may begin, where an escape
   * may, and where letters stand that may be encoded once more.
   */
  mayStandIn(bytes: Uint8Array): boolean {
    let letters = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === backslash || byte === percent || byte === ampersand) return true;
      letters = isLetterOrDigit(byte) ? letters + 1 : 0;
      if (letters >= encodedLetters) return true;
      const key = keyOf(byte, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0, bytes[at + 3] ?? 0);
      if (this.#known[key & (slots - 1)] === 1 && at + shortestNeedle <= bytes.length) return true;
    }
    return false;
  }

  /** Every place where one stands, in order; of several that begin at one place the longest. */
  *find(text: string): Generator<Span> {
    for (let at = 0; at + shortestNeedle <= text.length; at += 1) {
      const key = keyAt(text, at);
      if (this.#known[key & (slots - 1)] === 0) continue;
      // By their lengths: a thousand passwords that begin alike cost what one does.
      const alike = this.#byStart.get(key);
      const length = alike?.lengths.find(
        (one) => at + one <= text.length && alike.texts.has(text.slice(at, at + one)),
      );
      if (length !== undefined) yield { begin: at, end: at + length };
    }
  }
}

const keyOf = (a: number, b: number, c: number, d: number): number =>
  (Math.imul(Math.imul(Math.imul(a, 31) + b, 31) + c, 31) + d) | 0;

const keyAt = (text: string, at: number): number =>
  keyOf(text.charCodeAt(at), text.charCodeAt(at + 1), text.charCodeAt(at + 2), text.charCodeAt(at + 3));
