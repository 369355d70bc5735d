// The keys of one cloud, looked up as openstacksdk does (dashes as underscores, beside auth before within auth), and the
// mistakes found among them.
import { quote } from '../../shared/config/quote.ts';
import { parseTruth } from '../../shared/config/truth.ts';
import type { MapNode, Place, TreeNode } from '../../shared/config/yaml-tree.ts';

/** A text found under a key; the label names the key as the file has it: "auth.username". */
export interface FoundKey extends Place {
  readonly label: string;
  readonly text: string;
}

/** One entry of a cloud's "regions"; its values, where it has some, count before the cloud's own. */
export interface Region {
  readonly name: string;
  readonly values: MapNode | null;
}

const unset = new Set(['', '~', 'null', 'Null', 'NULL']);
/** Looks up keys and collects mistakes; `wrong` and `missing` return null for the convenience of their callers. */
export class CloudKeys {
  readonly mistakes: string[] = [];
  private readonly complaints = new Set<string>();
  private readonly cloud: string;
  private readonly file: string;
  private readonly own = new Map<string, TreeNode>();
  private readonly auth = new Map<string, TreeNode>();

  constructor(cloud: string, file: string, node: MapNode) {
    this.cloud = cloud;
    this.file = file;
    this.apply(node);
  }

  /** Lays keys over those known so far. */
  apply(node: MapNode): void {
    for (const [key, value] of node.entries) {
      if (key !== 'auth') this.own.set(key.replaceAll('-', '_'), value);
      else if (value.kind === 'map')
        for (const [name, inner] of value.entries) this.auth.set(name.replaceAll('-', '_'), inner);
      else this.say(value, 'auth', `found ${shown(value)}, expected a mapping with auth_url and the login`);
    }
  }

  /** The text of a key, beside auth or within; null when it is unset or no text (which is a mistake, said once). */
  find(key: string): FoundKey | null {
    for (const [values, label] of [
      [this.own, key],
      [this.auth, `auth.${key}`],
    ] as const) {
      const node = values.get(key);
      if (node === undefined) continue;
      if (node.kind !== 'text') this.say(node, label, `found ${shown(node)}, expected one text`);
      else if (!unset.has(node.text)) return { file: node.file, line: node.line, label, text: node.text };
    }
    return null;
  }

  findFirst(keys: readonly string[]): FoundKey | null {
    for (const key of keys) {
      const found = this.find(key);
      if (found !== null) return found;
    }
    return null;
  }

  /** The text of a key that must be there, and whose value no message may show. */
  secret(key: string, expected: string): string | null {
    return this.find(key)?.text ?? this.missing(`auth.${key}`, expected);
  }

  boolean(key: string): { readonly found: FoundKey; readonly value: boolean } | null {
    const found = this.find(key);
    if (found === null) return null;
    const value = parseTruth(found.text);
    return value === null ? this.wrong(found, 'true or false') : { found, value };
  }

  regions(): Region[] {
    const node = this.own.get('regions');
    if (node === undefined) return [];
    const regions: Region[] = [];
    for (const item of node.kind === 'list' ? node.items : [node]) {
      const name = item.kind === 'map' ? item.entries.get('name') : item;
      const values = item.kind === 'map' ? item.entries.get('values') : undefined;
      if (name?.kind === 'text' && !unset.has(name.text))
        regions.push({ name: name.text, values: values?.kind === 'map' ? values : null });
      else this.say(item, 'regions', `found ${shown(item)}, expected a list of names`);
    }
    return regions;
  }

  wrong({ label, text, ...place }: FoundKey, expected: string): null {
    return this.say(place, label, `found ${quote(text)}, expected ${expected}`);
  }

  wrongSecret({ label, ...place }: FoundKey, expected: string): null {
    return this.say(place, label, `found a value not shown here, expected ${expected}`);
  }

  missing(label: string, expected: string): null {
    // A value of the wrong kind is not missing as well.
    return this.complaints.has(bare(label))
      ? null
      : this.say({ file: this.file }, label, `missing, expected ${expected}`);
  }

  private say({ file, line }: { file: string; line?: number }, label: string, what: string): null {
    const text = `${file}${line === undefined ? '' : `:${line}`}: cloud "${this.cloud}": ${label}: ${what}`;
    if (!this.mistakes.includes(text)) this.mistakes.push(text);
    this.complaints.add(bare(label));
    return null;
  }
}

/** A key's name alone, wherever it stands. */
const bare = (label: string): string => label.replace(/^auth\./, '');

/** The kind of a node that should have been something else; its text could be a secret in the wrong place. */
function shown(node: TreeNode): string {
  if (node.kind === 'text') return unset.has(node.text) ? 'nothing' : 'a text';
  return node.kind === 'map' ? 'a mapping' : 'a list';
}
