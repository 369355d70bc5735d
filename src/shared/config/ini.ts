// Reads INI text exactly as Python 3's configparser.ConfigParser() does, so that the original's config.ini keeps its
// meaning. It knows syntax and interpolation only; which sections and keys exist is not its business.

/** A syntax error: where, and what was expected there. Never quotes the line, which may hold a password. */
interface IniMistake {
  readonly line: number;
  readonly message: string;
}

interface IniEntry {
  /** As written, before interpolation. */
  readonly raw: string;
  readonly line: number;
}

interface IniSection {
  readonly line: number;
  readonly keys: ReadonlyMap<string, IniEntry>;
}

/** A file as read. With any mistakes Python would have rejected it whole; what could be read is there nevertheless. */
export interface IniFile {
  readonly mistakes: readonly IniMistake[];
  /** [DEFAULT] among them, always; the others as the file has them. Keys are in lower case. */
  readonly sections: ReadonlyMap<string, IniSection>;
}

/** One value after interpolation, or what is wrong with it. Python, too, complains only when the value is asked for. */
type IniValue =
  | { readonly state: 'value'; readonly text: string; readonly line: number }
  | {
      readonly state: 'broken';
      readonly line: number;
      readonly problem: 'lone-percent' | 'unknown-reference' | 'too-deep';
      /** The key that %(key)s names and nobody sets; null with the other problems. */
      readonly reference: string | null;
    };

/** The section whose keys all others inherit. */
export const defaultSection = 'DEFAULT';

/** Python's own limit on values that refer to values that refer to values. */
const maxDepth = 10;
/** Letters of a value; Python knows no limit, and fills the memory. */
const maxLength = 100_000;

// What Python calls white space. JavaScript's \s differs: it has U+FEFF and lacks U+001C to U+001F and U+0085.
const space = String.raw`[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]`;
const leadingSpace = new RegExp(`^${space}*`);
const isSpace = new RegExp(`^${space}$`);
/** From the end, letter by letter: a regular expression would begin anew at each of many blanks. */
function stripEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
const strip = (text: string): string => stripEnd(text).replace(leadingSpace, '');
const indentOf = (line: string): number => leadingSpace.exec(line)?.[0].length ?? 0;

interface OpenEntry {
  readonly lines: string[];
  readonly line: number;
}
interface OpenSection {
  readonly line: number;
  readonly keys: Map<string, OpenEntry>;
}

/** Reads a whole file. All mistakes are collected; of two keys or sections of one name the first stands. */
export function parseIni(text: string): IniFile {
  const reader = new IniReader();
  // Universal newlines, as Python opens text files. The empty rest behind the last newline is no line.
  for (const line of text.split(/\r\n|\r|\n/)) reader.take(line);
  const sections = new Map<string, IniSection>();
  for (const [name, { line, keys }] of reader.sections) {
    const entries = [...keys].map(
      ([key, entry]) => [key, { raw: stripEnd(entry.lines.join('\n')), line: entry.line }] as const,
    );
    sections.set(name, { line, keys: new Map(entries) });
  }
  return { mistakes: reader.mistakes, sections };
}

class IniReader {
  readonly mistakes: IniMistake[] = [];
  readonly sections = new Map<string, OpenSection>([[defaultSection, { line: 1, keys: new Map() }]]);
  #lineNumber = 0;
  #sectionName = '';
  #section: OpenSection | null = null;
  #entry: OpenEntry | null = null;
  #indent = 0;
  #headerMissed = false;

  take(line: string): void {
    this.#lineNumber += 1;
    const value = strip(line);
    // Comments fill a line of their own: in "pass = ab;cd" the semicolon belongs to the password.
    if (value.startsWith('#') || value.startsWith(';')) return;
    if (value === '') this.#entry?.lines.push('');
    else if (this.#entry !== null && indentOf(line) > this.#indent) this.#entry.lines.push(value);
    else {
      this.#indent = indentOf(line);
      this.#open(value);
    }
  }

  #open(value: string): void {
    const close = value.lastIndexOf(']');
    if (value.startsWith('[') && close >= 2) this.#openSection(value.slice(1, close));
    else if (this.#section === null) this.#missHeader(value);
    else this.#openEntry(value, this.#section);
  }

  #openSection(name: string): void {
    const known = this.sections.get(name);
    // Only [DEFAULT] may be opened again and again; Python does not count it among the sections.
    if (known !== undefined && name !== defaultSection)
      this.#mistake(`section [${name}] stands here again (first in line ${known.line}), expected it once`);
    const section = known ?? { line: this.#lineNumber, keys: new Map() };
    this.sections.set(name, section);
    this.#section = section;
    this.#sectionName = name;
    this.#entry = null;
  }

  #missHeader(value: string): void {
    // Said once: every further line up to the first section would be the same mistake.
    if (this.#headerMissed) return;
    this.#headerMissed = true;
    this.#mistake(
      value.startsWith('\ufeff')
        ? 'the file begins with a byte order mark, expected UTF-8 without one'
        : 'expected a section, such as [REDIS], before anything else',
    );
  }

  #openEntry(value: string, section: OpenSection): void {
    const end = value.search(/[=:]/);
    const key = stripEnd(value.slice(0, Math.max(end, 0))).toLowerCase();
    if (end < 0)
      this.#mistake(
        value.startsWith('[')
          ? 'expected "]" behind the name of the section'
          : 'expected "key = value" or "key: value"',
      );
    else if (key === '') this.#mistake(`expected a key before "${value.charAt(end)}"`);
    // What cannot be read still ends the value above it: nothing indented below may be added to that one.
    this.#entry = key === '' ? null : { lines: [strip(value.slice(end + 1))], line: this.#lineNumber };
    if (this.#entry === null) return;
    const known = section.keys.get(key);
    if (known === undefined) section.keys.set(key, this.#entry);
    else
      this.#mistake(
        `[${this.#sectionName}] ${key} is set here again (first in line ${known.line}), expected it once`,
      );
  }

  #mistake(message: string): void {
    this.mistakes.push({ line: this.#lineNumber, message });
  }
}

/** Every key that some value refers to by %(key)s: set for the sake of others, whether or not anybody reads it. */
export function referencedKeys(ini: IniFile): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { keys } of ini.sections.values())
    for (const { raw } of keys.values()) for (const name of referencesIn(raw)) names.add(name);
  return names;
}

/** Scanned, not searched by a regular expression: "%(" without an end would cost the square of its number. */
function* referencesIn(raw: string): Generator<string> {
  for (let at = raw.indexOf('%('); at >= 0; at = raw.indexOf('%(', at + 2)) {
    const end = raw.indexOf(')', at);
    if (end < 0) return;
    if (end > at + 2 && raw.startsWith(')s', end)) yield raw.slice(at + 2, end).toLowerCase();
  }
}

/** The value of a key, inherited from [DEFAULT] if need be; null when neither sets it or there is no such section. */
export function readIni(ini: IniFile, section: string, key: string): IniValue | null {
  const own = ini.sections.get(section)?.keys;
  const defaults = ini.sections.get(defaultSection)?.keys;
  const find = (name: string): IniEntry | undefined => own?.get(name) ?? defaults?.get(name);
  const entry = own && find(key);
  if (entry === undefined) return null;
  const { line } = entry;
  const result = interpolate(entry.raw, (name) => find(name)?.raw, 1);
  return typeof result === 'string' ? { state: 'value', text: result, line } : { ...result, line };
}

type Broken = Omit<Extract<IniValue, { state: 'broken' }>, 'line'>;
const broken = (problem: Broken['problem'], reference: string | null = null): Broken => ({
  state: 'broken',
  problem,
  reference,
});

function interpolate(raw: string, find: (key: string) => string | undefined, depth: number): string | Broken {
  if (depth > maxDepth) return broken('too-deep');
  let done = '';
  let rest = raw;
  for (let at = rest.indexOf('%'); at >= 0; at = rest.indexOf('%')) {
    done += rest.slice(0, at);
    rest = rest.slice(at);
    if (rest.startsWith('%%')) {
      done += '%';
      rest = rest.slice(2);
      continue;
    }
    const reference = /^%\(([^)]+)\)s/.exec(rest);
    if (reference === null) return broken('lone-percent');
    const name = (reference[1] ?? '').toLowerCase();
    const value = find(name);
    if (value === undefined) return broken('unknown-reference', name);
    const part = value.includes('%') ? interpolate(value, find, depth + 1) : value;
    if (typeof part !== 'string') return part;
    if (done.length + part.length > maxLength) return broken('too-deep');
    done += part;
    rest = rest.slice(reference[0].length);
  }
  return done + rest;
}
