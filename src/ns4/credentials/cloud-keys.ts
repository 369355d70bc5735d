// The keys of one cloud, looked up as openstacksdk does (dashes as underscores, beside auth before within auth), and
// the mistakes found among them.
import { z } from 'zod';
import { quote } from '../../shared/config/keys/quote.ts';
import type { Path } from '../../shared/config/yaml-file.ts';
import * as yaml from '../../shared/config/yaml-issues.ts';
import { UsageError } from '../../shared/ground/errors.ts';
import type { CloudPart } from './clouds-file.ts';

export const text = z.string(yaml.expected('one text'));

/** A key that is set; the label names it as the file has it: "auth.username". */
interface SetKey {
  readonly label: string;
  readonly path: Path;
  readonly value: unknown;
}

/** With what was made of it. */
interface FoundKey<T> extends SetKey {
  readonly made: T;
}

/** Looks up keys and collects mistakes; `wrong` and `missing` return null for the convenience of their callers. */
export class CloudKeys {
  readonly #part: CloudPart;
  readonly #mistakes: yaml.Mistake[] = [];
  readonly #complained = new Set<string>();
  readonly #own = new Map<string, SetKey>();
  readonly #auth = new Map<string, SetKey>();

  constructor(part: CloudPart) {
    this.#part = part;
    this.apply(part.value, []);
  }

  /** Lays the keys of a mapping at a path over those known so far. */
  apply({ auth = {}, ...own }: yaml.Mapping, path: Path): void {
    const lay = (into: Map<string, SetKey>, values: yaml.Mapping, at: Path, prefix: string): void => {
      for (const [key, value] of Object.entries(values)) {
        const name = key.replaceAll('-', '_');
        into.set(name, { label: prefix + name, path: [...at, key], value });
      }
    };
    lay(this.#own, own, path, '');
    if (yaml.isMapping(auth)) lay(this.#auth, auth, [...path, 'auth'], 'auth.');
    else this.#say('auth', [...path, 'auth'], yaml.found(auth, 'a mapping with auth_url and the login'));
  }

  /**
   * What the schema makes of the first of these keys that is set, beside auth or within; null: none is, or not rightly.
   */
  read<T>(names: readonly string[], schema: z.ZodType<T>): FoundKey<T> | null {
    for (const key of names.flatMap((name) => [this.#own.get(name), this.#auth.get(name)])) {
      if (key === undefined || yaml.isNothing(key.value)) continue;
      const parsed = schema.safeParse(key.value);
      if (parsed.success) return { ...key, made: parsed.data };
      for (const { path, message } of parsed.error.issues)
        this.#say(key.label, [...key.path, ...path], message);
      if (typeof key.value === 'string') return null;
    }
    return null;
  }

  /** The text of the first of these keys that is set. */
  text(...names: readonly string[]): string | null {
    return this.read(names, text)?.made ?? null;
  }

  /** Notes that the text of a key, which is no secret, is not what it should be. */
  wrong({ value, label, path }: SetKey, expected: string): null {
    return this.#say(label, path, `found ${quote(String(value))}, expected ${expected}`);
  }

  /** A wrong value was reported as such; it is not missing. */
  missing(label: string, expected: string): null {
    return this.complained(label) ? null : this.#say(label, null, `missing, expected ${expected}`);
  }

  /** True once something was said about a key, wherever it stands. */
  complained(label: string): boolean {
    return this.#complained.has(bare(label));
  }

  /** Throws UsageError with all mistakes, if there are any. */
  throwMistakes(): void {
    if (this.#mistakes.length > 0) throw new UsageError(yaml.sentencesOf(this.#mistakes));
  }

  #say(label: string, path: Path | null, what: string): null {
    const place = path === null ? { file: this.#part.file, line: null } : this.#part.placeOf(path);
    this.#mistakes.push({ ...place, what: `cloud "${this.#part.cloud}": ${label}: ${what}` });
    this.#complained.add(bare(label));
    return null;
  }
}

/** A key's name alone, wherever it stands. */
const bare = (label: string): string => label.replace(/^auth\./, '');
