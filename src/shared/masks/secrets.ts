// What this process must never say: every secret it read, found in any form that a program may have given it on the way
// (as it is, quoted for JSON, Python, a shell, a URL or HTML, one within another, as base64 or hexadecimal digits), and
// put out of sight. The one masker of the house: all that leaves a process goes through it.
import { base64Runs, hexRuns } from './encoded-runs.ts';
import { Needles, type Span, shortestNeedle } from './needles.ts';
import { escapings, undone, type View } from './view.ts';

/** Puts every secret in a text out of sight. */
export type Mask = (text: string) => string;

/** Shorter ones are not masked: masking "abc" everywhere would make logs unreadable and protect nothing. */
export const shortestSecret = shortestNeedle;

const maskText = '****';

/** What is said of a shorter one, behind its place. */
export const tooShort = `a secret of fewer than ${shortestSecret} letters is not masked in logs, events and messages`;

/** Is a key of some file called like a secret? A path or a script's name is none. */
export const isNamedSecret = (key: string): boolean =>
  /pass(w|phrase|code|$)|pwd|secret|token|api_?key|private_?key|credential$/i.test(key) &&
  !/(script|file|path|url)$/i.test(key);

/**
 * A text is read with its escapes undone in every order, as one quoting lies within another and a secret may look like an
 * escape itself. These are six of one kind, or three of each in any order; who quotes deeper does it on purpose.
 */
const mostViews = 28;
/** base64 within base64 within base64. */
const mostDepth = 3;
/** Logins that are valid for a while (tokens) and still may be quoted when the next ones came. */
const mostPassing = 16;

export class Secrets {
  readonly #kept = new Set<string>();
  #passing: readonly string[] = [];
  /** Of those that are kept, and of those that pass: null when they have to be made anew. */
  #needles: Needles | null = null;
  #passingNeedles: Needles | null = null;

  /** Secrets of a file, for as long as this process lives. What is shorter than `shortestSecret` is left out. */
  learn(values: Iterable<string | null | undefined>): void {
    for (const value of values)
      if (value !== null && value !== undefined) for (const part of partsOf(value)) this.#kept.add(part);
    this.#needles = null;
  }

  /** The passwords of all URLs among these texts that have one; the rest of them is no secret. */
  learnUrls(texts: Iterable<string | null | undefined>): void {
    for (const text of texts) this.learn(passwordsOf(text ?? ''));
  }

  /** One that is replaced by others again and again: the last of them are known. */
  learnPassing(value: string): void {
    this.#passing = [value, ...this.#passing.filter((one) => one !== value)].slice(0, mostPassing);
    this.#passingNeedles = null;
  }

  /** The text with "****" in the place of each secret. Bound to this object. */
  readonly mask: Mask = (text) => {
    this.#needles ??= new Needles([...this.#kept].flatMap(formsOf));
    this.#passingNeedles ??= new Needles(this.#passing.flatMap(formsOf));
    const spans = [this.#needles, this.#passingNeedles].flatMap((needles) =>
      needles.isEmpty ? [] : [...spansIn({ text, places: null }, needles, 0)],
    );
    return covered(text, spans);
  };
}

/** A masker of these secrets alone. */
export function maskOf(values: Iterable<string | null | undefined>): Mask {
  const secrets = new Secrets();
  secrets.learn(values);
  return secrets.mask;
}

/** What is a secret in itself: of a URL also its password and its path, which errors name alone; of a PEM its lines. */
function* partsOf(value: string): Generator<string> {
  const trimmed = value.trim();
  yield trimmed;
  for (const line of trimmed.includes('\n') ? trimmed.split('\n') : [])
    if (line.trim().length >= 16 && !line.startsWith('-----')) yield line.trim();
  if (!trimmed.includes('://') || !URL.canParse(trimmed)) return;
  const url = new URL(trimmed);
  yield* passwordsOf(trimmed);
  const path = `${url.pathname}${url.search}`;
  if (path.length >= 8) yield path;
  for (const step of url.pathname.split('/')) if (step.length >= 16) yield step;
}

/** As it stands in the URL and as it is. A name without a password is a token. */
function passwordsOf(text: string): string[] {
  if (!text.includes('://') || !text.includes('@') || !URL.canParse(text)) return [];
  const { username, password } = new URL(text);
  const secret = password === '' ? username : password;
  return [secret, decoded(secret)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A secret as it may stand in a text whose escapes are undone, or in one where they never stood. */
function formsOf(secret: string): string[] {
  // Escapes of URLs, and of bytes in Python, stand for bytes.
  const bytes = Buffer.from(secret).toString('latin1');
  const plain = [secret, bytes].flatMap((text) => [text, text.replaceAll(' ', '+')]);
  // The three ways in which shells have a quote within quotes; the second is the first with its escape undone.
  return plain.flatMap((text) =>
    text.includes("'")
      ? [text, text.replaceAll("'", `'\\''`), text.replaceAll("'", `'''`), text.replaceAll("'", `'"'"'`)]
      : [text],
  );
}

/** Where secrets stand, by places of the original text; in no order, and over each other. */
function* spansIn(original: View, needles: Needles, depth: number): Generator<Span> {
  for (const { text, places } of viewsOf(original)) {
    const placed = ({ begin, end }: Span): Span =>
      places === null
        ? { begin, end }
        : { begin: places.begin[begin] ?? 0, end: places.end[end - 1] ?? original.text.length };
    for (const span of needles.find(text)) yield placed(span);
    if (depth < mostDepth)
      for (const runs of [base64Runs(text, needles.shortest), hexRuns(text, needles.shortest)])
        for (const run of runs) if (holds(run.readings(), needles, depth + 1)) yield placed(run);
  }
}

/** The text, then all that undoing escapes makes of it, each once. */
function* viewsOf(original: View): Generator<View> {
  const queue = [original];
  const seen = new Set([original.text]);
  for (let view = queue.shift(); view !== undefined; view = queue.shift()) {
    yield view;
    for (const kind of escapings) {
      const next = seen.size < mostViews ? undone(view, kind) : null;
      if (next === null || seen.has(next.text)) continue;
      seen.add(next.text);
      queue.push(next);
    }
  }
}

function holds(readings: Iterable<Buffer>, needles: Needles, depth: number): boolean {
  for (const bytes of readings) {
    if (!needles.mayStandIn(bytes)) continue;
    const text = bytes.toString('latin1');
    if (!spansIn({ text, places: null }, needles, depth).next().done) return true;
  }
  return false;
}

function covered(text: string, spans: Span[]): string {
  if (spans.length === 0) return text;
  spans.sort((a, b) => a.begin - b.begin);
  const parts: string[] = [];
  let done = 0;
  for (let i = 0; i < spans.length; ) {
    const begin = spans[i]?.begin ?? 0;
    let end = 0;
    for (; i < spans.length && (end === 0 || (spans[i]?.begin ?? 0) < end); i += 1)
      end = Math.max(end, spans[i]?.end ?? 0);
    parts.push(text.slice(done, begin), maskText);
    done = end;
  }
  return parts.join('') + text.slice(done);
}
