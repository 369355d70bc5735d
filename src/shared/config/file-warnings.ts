// What an operator should know about a config.ini that is right as far as it is understood: keys and sections that
// nobody reads, and passwords that others may read.
import type { ConfigText } from './find-config.ts';
import { type IniFile, referencedKeys } from './ini.ts';
import { unknownKeyHint, unknownSectionHint } from './known-keys.ts';

/** One line for each warning; values are never part of it. */
export function fileWarnings(config: ConfigText, ini: IniFile, holdsSecrets: boolean): string[] {
  return [...permissionWarnings(config, holdsSecrets), ...unknownWarnings(config.file, ini)];
}

function unknownWarnings(file: string, ini: IniFile): string[] {
  const warnings: string[] = [];
  const references = referencedKeys(ini);
  for (const [name, { line, keys }] of ini.sections) {
    const hint = unknownSectionHint(name);
    if (hint !== null) {
      warnings.push(`${file}:${line}: [${name}]: ${hint}`);
      continue;
    }
    for (const [key, entry] of keys) {
      // A key that only serves others by %(key)s is the author's own.
      const keyHint = references.has(key) ? null : unknownKeyHint(name, key);
      if (keyHint !== null) warnings.push(`${file}:${entry.line}: [${name}] ${key}: ${keyHint}`);
    }
  }
  return warnings;
}

function permissionWarnings({ file, exposed }: ConfigText, holdsSecrets: boolean): string[] {
  return holdsSecrets && exposed !== null ? [`${file}: ${exposed}`] : [];
}
