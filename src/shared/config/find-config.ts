// Finds and reads config.ini: -c FILE, else ./config.ini, else ~/.config.ini.
import { join, resolve } from 'node:path';
import { UsageError } from '../ground/errors.ts';
import { readGuarded } from './guarded-file.ts';

/** config.ini as it was found. */
export interface ConfigText {
  readonly file: string;
  readonly text: string;
  /** Who else may read it, as a sentence; null: nobody. */
  readonly exposed: string | null;
}

/**
 * The configuration to use. Throws UsageError when there is none; one that exists but cannot be read is an error too,
 * as the next one might be meant for another cloud.
 */
export function findConfig(named: string | undefined, cwd: string, home: string): ConfigText {
  if (named === undefined) {
    const places = [join(cwd, 'config.ini'), join(home, '.config.ini')];
    for (const file of places) {
      const found = read(file);
      if (found !== null) return found;
    }
    throw new UsageError([
      `no configuration: found neither ${places.join(' nor ')}, expected one of them or -c FILE`,
    ]);
  }
  const file = resolve(cwd, named);
  const found = read(file);
  if (found === null) throw new UsageError([`${file}: no such file, expected the one that -c names`]);
  return found;
}

function read(file: string): ConfigText | null {
  const found = readGuarded(file, { secret: 'none' });
  if ('text' in found) return { file, text: found.text, exposed: found.exposed };
  if (found.missing) return null;
  throw new UsageError([`${file}: ${found.problem}`]);
}
