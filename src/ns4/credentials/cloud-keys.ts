// The keys of one cloud, looked up as openstacksdk does (dashes as underscores, beside auth before within auth), and the
// mistakes found among them.
import type { z } from 'zod';
import { quote } from '../../shared/config/quote.ts';
import type { Path } from '../../shared/config/yaml-file.ts';
import {
  isMapping,
  isNothing,
  kindOf,
  type Mapping,
  type Mistake,
  sentencesOf,
} from '../../shared/config/yaml-issues.ts';
import { UsageError } from '../../shared/ground/errors.ts';
import type { CloudPart } from './clouds-file.ts';

interface Entry {
  readonly value: unknown;
  readonly path: Path;
}

/** What was made of a key; the label names it as the file has it: "auth.username". */
export interface FoundKey<T> extends Entry {
  readonly made: T;
  readonly label: string;
}

/** Looks up keys and collects mistakes; `wrong` and `missing` return null for the convenience of their callers. */
export class CloudKeys {
  readonly #part: CloudPart;
  readonly #mistakes: Mistake[] = [];
  readonly #complained = new Set<string>();
  readonly #own = new Map<string, Entry>();
  readonly #auth = new Map<string, Entry>();

  constructor(part: CloudPart) {
    this.#part = part;
    this.apply(part.value, []);
  }

  /** Lays the keys of a mapping at a path over those known so far. */
  apply(values: Mapping, path: Path): void {
    for (const [key, value] of Object.entries(values)) {
      const entry = { value, path: [...path, key] };
      if (key !== 'auth') this.#own.set(key.replaceAll('-', '_'), entry);
      else if (isMapping(value))
        for (const [name, inner] of Object.entries(value))
          this.#auth.set(name.replaceAll('-', '_'), { value: inner, path: [...entry.path, name] });
      else
        this.#sayAt(entry.path, 'auth', `${kindOf(value)}, expected a mapping with auth_url and the login`);
    }
  }

  /** What the schema makes of the first of these keys that is set, beside auth or within; null: none is, or not rightly. */
  read<T>(names: readonly string[], schema: z.ZodType<T>): FoundKey<T> | null {
    for (const name of names)
      for (const [entries, label] of [
        [this.#own, name],
        [this.#auth, `auth.${name}`],
      ] as const) {
        const entry = entries.get(name);
        if (entry === undefined || isNothing(entry.value)) continue;
        const parsed = schema.safeParse(entry.value);
        if (parsed.success) return { ...entry, label, made: parsed.data };
        for (const { path, message } of parsed.error.issues)
          this.#sayAt([...entry.path, ...path], label, message);
        if (typeof entry.value === 'string') return null;
      }
    return null;
  }

  /** Notes that the text of a key, which is no secret, is not what it should be. */
  wrong({ value, label, path }: FoundKey<unknown>, expected: string): null {
    return this.#sayAt(path, label, `found ${quote(String(value))}, expected ${expected}`);
  }

  missing(label: string, expected: string): null {
    // A wrong value was reported as such; it is not missing.
    return this.complained(label)
      ? null
      : this.#say({ file: this.#part.file, line: null }, label, `missing, expected ${expected}`);
  }

  /** True once something was said about a key, wherever it stands. */
  complained(label: string): boolean {
    return this.#complained.has(bare(label));
  }

  /** Throws UsageError with all mistakes, if there are any. */
  throwMistakes(): void {
    if (this.#mistakes.length > 0) throw new UsageError(sentencesOf(this.#mistakes));
  }

  #sayAt(path: Path, label: string, what: string): null {
    return this.#say(this.#part.placeOf(path), label, what);
  }

  #say(place: Pick<Mistake, 'file' | 'line'>, label: string, what: string): null {
    this.#mistakes.push({ ...place, what: `cloud "${this.#part.cloud}": ${label}: ${what}` });
    this.#complained.add(bare(label));
    return null;
  }
}

/** A key's name alone, wherever it stands. */
const bare = (label: string): string => label.replace(/^auth\./, '');
