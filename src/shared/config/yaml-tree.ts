// YAML as a tree of texts, each with its file and line: messages can point at a value, and a password of digits stays
// the text it is ("0123" would become a number). Knows anchors, aliases and merge keys; nothing of OpenStack.
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLError,
} from 'yaml';

/** Where a value was written. */
export interface Place {
  readonly file: string;
  readonly line: number;
}
export interface TextNode extends Place {
  readonly kind: 'text';
  readonly text: string;
}
export interface MapNode extends Place {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, TreeNode>;
}
export interface ListNode extends Place {
  readonly kind: 'list';
  readonly items: readonly TreeNode[];
}
export type TreeNode = TextNode | MapNode | ListNode;

// Our own words: the parser's messages quote what it stumbled on, which may be a password.
const complaints: Partial<Record<YAMLError['code'], string>> = {
  TAB_AS_INDENT: 'a tab indents the line, expected spaces',
  BAD_INDENT: 'wrong indentation, or a bracket that is not closed',
  MISSING_CHAR: 'a colon, a closing quote or a bracket is missing',
  DUPLICATE_KEY: 'a key stands here for the second time, expected it once',
  BLOCK_AS_IMPLICIT_KEY: 'a second colon, or wrong indentation; a text with ": " in it needs quotes',
  BAD_SCALAR_START: 'a text that begins with a special character needs quotes',
  MULTIPLE_DOCS: 'a second document ("---"), expected one',
  TAG_RESOLVE_FAILED: 'a tag ("!…"), expected plain YAML',
  BAD_ALIAS: 'an alias ("*…") without its anchor',
};

/** Reads YAML. Null: the text is empty. Otherwise the tree, or one sentence with its line for every line that is wrong. */
export function parseTree(text: string, file: string): TreeNode | null | { mistakes: string[] } {
  const lines = new LineCounter();
  // "failsafe" leaves every scalar a text; "prettyErrors" would quote the source.
  const document = parseDocument(text, { schema: 'failsafe', lineCounter: lines, prettyErrors: false });
  const lineOf = (offset: number): number => Math.max(1, lines.linePos(offset).line);
  const errors = [...document.errors, ...document.warnings.filter((w) => w.code === 'TAG_RESOLVE_FAILED')];
  if (errors.length > 0) {
    // One mistake makes a parser stumble several times over; the first complaint about a line is the useful one.
    const byLine = new Map<number, string>();
    for (const error of errors) {
      const line = lineOf(error.pos[0]);
      if (!byLine.has(line)) byLine.set(line, complaints[error.code] ?? `this is not YAML (${error.code})`);
    }
    return { mistakes: [...byLine].map(([line, what]) => `${file}:${line}: ${what}`) };
  }
  if (document.contents === null) return null;
  const grower = new TreeGrower(document, file, lineOf);
  const tree = grower.grow(document.contents);
  return grower.mistakes.length > 0 ? { mistakes: grower.mistakes } : tree;
}

class TreeGrower {
  readonly mistakes: string[] = [];
  private readonly document: Document;
  private readonly file: string;
  private readonly lineOf: (offset: number) => number;
  // Aliases share what they name: a small file must not grow into a huge tree. Null: still growing.
  private readonly grown = new Map<Node, TreeNode | null>();

  constructor(document: Document, file: string, lineOf: (offset: number) => number) {
    this.document = document;
    this.file = file;
    this.lineOf = lineOf;
  }

  grow(node: Node): TreeNode {
    const known = this.grown.get(node);
    if (known) return known;
    const place = { file: this.file, line: this.lineOf(node.range?.[0] ?? 0) };
    const nothing: TreeNode = { ...place, kind: 'text', text: '' };
    if (known === null) return this.refuse(place, 'an alias ("*…") that contains itself', nothing);
    this.grown.set(node, null);
    const tree = this.convert(node, place, nothing);
    this.grown.set(node, tree);
    return tree;
  }

  private convert(node: Node, place: Place, nothing: TreeNode): TreeNode {
    if (isAlias(node)) {
      const target = node.resolve(this.document);
      return target ? this.grow(target) : this.refuse(place, complaints.BAD_ALIAS ?? '', nothing);
    }
    if (isMap<Node, Node>(node)) return { ...place, kind: 'map', entries: this.entries(node.items, place) };
    if (isSeq<Node>(node))
      return { ...place, kind: 'list', items: node.items.map((item) => this.grow(item)) };
    return isScalar(node) ? { ...place, kind: 'text', text: String(node.value ?? '') } : nothing;
  }

  private entries(pairs: readonly Pair<Node, Node | null>[], place: Place): ReadonlyMap<string, TreeNode> {
    const merged: [string, TreeNode][] = [];
    const own: [string, TreeNode][] = [];
    for (const { key, value } of pairs) {
      const name = this.grow(key);
      const tree: TreeNode = value ? this.grow(value) : { ...place, kind: 'text', text: '' };
      if (name.kind !== 'text') this.refuse(name, 'a key that is no text', name);
      else if (name.text !== '<<') own.push([name.text, tree]);
      else if (tree.kind === 'map') merged.unshift(...tree.entries);
      // Of several merged maps the first wins, and over all of them the keys of the map itself.
      else if (tree.kind === 'list')
        for (const item of [...tree.items].reverse()) if (item.kind === 'map') merged.push(...item.entries);
    }
    return new Map([...merged, ...own]);
  }

  private refuse(place: Place, what: string, instead: TreeNode): TreeNode {
    this.mistakes.push(`${place.file}:${place.line}: ${what}`);
    return instead;
  }
}

/** Lays one map over another, map by map; where both have a value, the upper one's counts. */
export function overlay(lower: MapNode, upper: MapNode): MapNode {
  const entries = new Map(lower.entries);
  for (const [key, value] of upper.entries) {
    const below = entries.get(key);
    entries.set(key, below?.kind === 'map' && value.kind === 'map' ? overlay(below, value) : value);
  }
  return { ...lower, entries };
}
