// YAML as plain values, with the line of each: every scalar stays the text it is, as a password of digits must ("0123"
// would become a number). Follows anchors, aliases and merge keys.
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';

export type Path = readonly PropertyKey[];

/** Each is looked up through the whole file. */
const mostAliases = 1_000;
/** A fleet of ten thousand hosts takes a tenth of it. */
const longestFile = 16 * 1024 * 1024;

// Our own words: the parser's messages quote what it stumbled on, which may be a password.
const complaints = {
  TAB_AS_INDENT: 'a tab indents the line, expected spaces',
  BAD_INDENT: 'wrong indentation, or a bracket that is not closed',
  MISSING_CHAR: 'a colon, a closing quote or a bracket is missing',
  DUPLICATE_KEY: 'a key stands here for the second time, expected it once',
  BLOCK_AS_IMPLICIT_KEY: 'a second colon, or wrong indentation; a text with ": " in it needs quotes',
  BAD_SCALAR_START: 'a text that begins with a special character needs quotes',
  MULTIPLE_DOCS: 'a second document ("---"), expected one',
  TAG_RESOLVE_FAILED: 'a tag ("!…"), expected plain YAML',
  BAD_ALIAS: 'an alias ("*…") without its anchor',
} satisfies Partial<Record<YAMLError['code'], string>>;

const complaintOf = (code: string): string =>
  code in complaints ? complaints[code as keyof typeof complaints] : `this is not YAML (${code})`;

/** Reads YAML: the file, or one sentence with its line for every line that is wrong. */
export function parseYaml(text: string, file: string): YamlFile | { readonly mistakes: string[] } {
  if (text.length > longestFile) return { mistakes: [`${file}: longer than ${longestFile} letters`] };
  const lines = new LineCounter();
  // "failsafe" leaves every scalar a text; "prettyErrors" would quote the source.
  const document = parseDocument(text, {
    schema: 'failsafe',
    merge: true,
    lineCounter: lines,
    prettyErrors: false,
  });
  const errors = document.errors.map((error) => [error.pos[0], complaintOf(error.code)] as const);
  const lineOf = (offset: number): number => Math.max(1, lines.linePos(offset).line);
  // One mistake makes a parser stumble several times over; the first complaint about a line is the useful one.
  const byLine = new Map<number, string>();
  for (const [offset, what] of errors.length > 0 ? errors : refused(document))
    if (!byLine.has(lineOf(offset))) byLine.set(lineOf(offset), what);
  return byLine.size > 0
    ? { mistakes: [...byLine].map(([line, what]) => `${file}:${line}: ${what}`) }
    : new YamlFile(file, document, lineOf);
}

/** What is YAML, but none that plain values can be made of: where, and what it is. */
function refused(document: Document): (readonly [offset: number, what: string])[] {
  const found: (readonly [number, string])[] = [];
  let aliases = 0;
  const refuse = (node: unknown, what: string): void => {
    found.push([isNode(node) ? (node.range?.[0] ?? 0) : 0, what]);
  };
  visit(document, {
    Node: (_, node) => {
      if (!isAlias(node) && node.tag !== undefined && !/:(str|map|seq)$/.test(node.tag))
        refuse(node, complaints.TAG_RESOLVE_FAILED);
    },
    Alias: (_, alias) => {
      aliases += 1;
      if (aliases > mostAliases) {
        refuse(alias, `an alias ("*…") after ${mostAliases} others, expected no more`);
        return visit.BREAK;
      }
      const range = alias.resolve(document)?.range;
      const at = alias.range?.[0] ?? 0;
      if (!range) refuse(alias, complaints.BAD_ALIAS);
      else if (range[0] <= at && at < range[2]) refuse(alias, 'an alias ("*…") that contains itself');
    },
    Pair: (_, { key, value }) => {
      const merged = isMergeKey(key) ? sourcesOf(value, document) : [];
      if (!isScalar(resolved(key, document))) refuse(key, 'a key that is no text');
      if (!merged.every(isMap)) refuse(key, 'a merge ("<<") of what is no mapping');
    },
  });
  return found;
}

export class YamlFile {
  readonly file: string;
  /** Texts, lists and objects of them; null where the file is empty. Aliases share what they name. */
  readonly value: unknown;
  readonly #document: Document;
  readonly #lineOf: (offset: number) => number;

  constructor(file: string, document: Document, lineOf: (offset: number) => number) {
    this.file = file;
    this.#document = document;
    this.#lineOf = lineOf;
    // Without a limit on aliases: a small file cannot grow into huge values, as they share what they name.
    this.value = document.toJS({ maxAliasCount: -1 });
  }

  /** The line of what stands at a path, or of the last step to it that is there (`whole` is false then). */
  lineOf(path: Path): { readonly line: number; readonly whole: boolean } {
    let node: unknown = this.#document.contents;
    let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    for (const step of path) {
      const next = this.#step(node, step);
      if (next === null) return { line: this.#lineOf(offset), whole: false };
      node = next.value;
      offset = next.key.range?.[0] ?? offset;
    }
    return { line: this.#lineOf(offset), whole: true };
  }

  /** One step into a list or mapping: its key (or item) and value. */
  #step(from: unknown, step: PropertyKey): { readonly key: Node; readonly value: unknown } | null {
    const node = resolved(from, this.#document);
    if (isSeq(node)) {
      const item = node.items[Number(step)];
      return isNode(item) ? { key: item, value: item } : null;
    }
    if (!isMap(node)) return null;
    for (const { key, value } of node.items) {
      const name = resolved(key, this.#document);
      if (isNode(key) && isScalar(name) && name.value === step) return { key, value };
    }
    // Over merged maps the keys of the map itself count, and of several the first that has it.
    const merged = node.items.flatMap(({ key, value }) =>
      isMergeKey(key) ? sourcesOf(value, this.#document) : [],
    );
    for (const source of merged) {
      const found = this.#step(source, step);
      if (found !== null) return found;
    }
    return null;
  }
}

const resolved = (node: unknown, document: Document): unknown =>
  isAlias(node) ? node.resolve(document) : node;

/** The parser makes a symbol of a merge key. */
const isMergeKey = (key: unknown): boolean => isScalar(key) && typeof key.value === 'symbol';

function sourcesOf(value: unknown, document: Document): unknown[] {
  const node = resolved(value, document);
  return isSeq(node) ? node.items.map((item) => resolved(item, document)) : [node];
}
