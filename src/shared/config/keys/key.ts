// What an entry of the table of configuration keys says, and the settings that follow from such entries.
import type { ValueType } from './value-types.ts';

/** The processes that load settings; each needs other parts of them. */
export type ProcessName = 'ns4' | 'monitor' | 'sonny';

/** What decides whether a key must be set. */
export interface Given {
  readonly process: ProcessName;
  /** The text of a key; null when it is not set. */
  text(section: string, name: string): string | null;
}

/**
 * What is said of one key; load.ts, the warnings, the log's secrets, config.example.ini and README.md follow from it.
 */
interface Facts {
  /** The value that counts where the key is not set, as config.ini would have it. */
  readonly default?: string;
  /** What happens where the key is not set, if the default does not say it: "Without it, ...". */
  readonly without?: string;
  /** For config.example.ini; README.md has the first sentence. */
  readonly about: string;
  /** The value in config.example.ini: commented out, or live as one that must be set. Without both, the default. */
  readonly example?: string;
  readonly shown?: string;
  /** A second name for the same key. */
  readonly also?: string;
  /** No message, log or terminal shows the value. */
  readonly secret?: true;
  /** What is expected where the key is not set and must be; null where it need not be. */
  readonly needed?: (given: Given) => string | null;
}

/** One key; `T` is the type of its setting. */
export interface Key<T> extends Facts {
  /** As config.ini has it, in lower case. */
  readonly name: string;
  readonly type: ValueType<T>;
  /** The setting where the key is not set: the default, or null. */
  readonly unset: T;
}

/** One section of config.ini; its keys by the names of their settings. */
export interface Section {
  readonly name: string;
  /** One sentence on when the section counts, if not always; config.example.ini has it commented out then. */
  readonly onlyFor?: string;
  readonly keys: Readonly<Record<string, Key<unknown>>>;
}

/** The settings of a section. */
export type SettingsOf<S extends Section> = {
  readonly [N in keyof S['keys']]: S['keys'][N] extends Key<infer T> ? T : never;
};

/** An entry of the table. Throws an Error when its default is no value of its type. */
export function key<T>(name: string, type: ValueType<T>, facts: Facts & { default: string }): Key<T>;
export function key<T>(name: string, type: ValueType<T>, facts: Facts): Key<T | null>;
export function key(name: string, type: ValueType<unknown>, facts: Facts): Key<unknown> {
  if (facts.default === undefined) return { name, type, unset: null, ...facts };
  const parsed = type.parse(facts.default);
  if (!('value' in parsed)) throw new Error(`${name}: the default is not ${parsed.expected}`);
  return { name, type, unset: parsed.value, ...facts };
}
