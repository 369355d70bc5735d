// Reads the sections of config.ini by the table of keys and collects what is wrong with them, so that one start shows
// all mistakes. A key has a setting even after a mistake: the caller throws at the end, never half-way.
import { type IniFile, readIni } from './ini.ts';
import type { Given, Key, ProcessName, Section, SettingsOf } from './keys/key.ts';
import { quote } from './keys/quote.ts';
import { isSecret } from './known-keys.ts';

/** False for what counts as not set: people wrote "None" in the original. */
export const isSet = (text: string): boolean => text !== '' && text !== 'None';

export class SettingsReader implements Given {
  /** What stands in the file and is wrong. */
  readonly mistakes: string[] = [];
  /** What should stand in the file and does not. */
  readonly gaps: string[] = [];
  readonly warnings: string[] = [];
  readonly process: ProcessName;
  readonly #file: string;
  readonly #ini: IniFile;

  constructor(process: ProcessName, file: string, ini: IniFile) {
    this.process = process;
    this.#file = file;
    this.#ini = ini;
  }

  /** All settings of a section. */
  read<S extends Section>({ name, keys }: S): SettingsOf<S> {
    const settings = Object.entries(keys).map(([setting, key]) => [setting, this.#value(name, key)]);
    return Object.fromEntries(settings) as SettingsOf<S>;
  }

  /** The text of a key; null when it is not set. */
  readonly text = (section: string, name: string): string | null => {
    const value = readIni(this.#ini, section, name);
    if (value === null) return null;
    if (value.state === 'value') return isSet(value.text) ? value.text : null;
    const reference = isSecret(name) ? 'a key' : `%(${value.reference})s, a key`;
    const said = {
      'lone-percent': 'found a "%" by itself, expected "%%" for a percent sign',
      'unknown-reference': `found a reference to ${reference} that is not set, expected "%%" for a percent sign`,
      'too-deep': 'found references that lead too far or in a circle, expected at most 10 in a row',
    }[value.problem];
    const mistake = `${this.#place(section, name)}: ${said}`;
    if (!this.mistakes.includes(mistake)) this.mistakes.push(mistake);
    return null;
  };

  /** Notes that a key's value is not what it should be. */
  wrong(section: string, name: string, expected: string, what?: string): void {
    const value = this.text(section, name) ?? '';
    const found = what ?? (isSecret(name) ? 'a value not shown here' : quote(value));
    const hint = value.includes('\n') ? ' (an indented line continues the value above it)' : '';
    this.mistakes.push(`${this.#place(section, name)}: found ${found}${hint}, expected ${expected}`);
  }

  warn(section: string, name: string, what: string): void {
    this.warnings.push(`${this.#place(section, name)}: ${what}`);
  }

  #value(section: string, { name, also, type, unset, needed }: Key<unknown>): unknown {
    const texts = (also === undefined ? [name] : [name, also]).map((one) => this.text(section, one));
    const set = texts.filter((one) => one !== null);
    const [text, second] = set;
    if (also !== undefined && second !== undefined && text !== second)
      this.wrong(section, also, `the same as ${name}, or only one of the two`);
    if (text === undefined) {
      const expected = needed?.(this) ?? null;
      // A value that could not be read was reported as such; it is not missing.
      if (expected !== null && readIni(this.#ini, section, name)?.state !== 'broken')
        this.gaps.push(`${this.#file}: [${section}] ${name}: missing, expected ${expected}`);
      return unset;
    }
    const parsed = type.parse(text);
    if ('value' in parsed) {
      if (parsed.warning !== undefined) this.warn(section, name, parsed.warning);
      return parsed.value;
    }
    this.wrong(section, name, parsed.expected, parsed.found);
    return unset;
  }

  #place(section: string, name: string): string {
    const line = readIni(this.#ini, section, name)?.line;
    return `${this.#file}${line === undefined ? '' : `:${line}`}: [${section}] ${name}`;
  }
}
