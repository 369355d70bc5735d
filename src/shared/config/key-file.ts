// The key file of [REDIS] key_file: made once, read at each start. A line for each key; the first one signs, all of them
// are believed. Lines that begin with "#" are notes.
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fsyncSync, openSync, writeSync } from 'node:fs';
import { errorText, OperationalError } from '../ground/errors.ts';
import { readGuarded } from './guarded-file.ts';

/** 256 bits, as SHA-256 has. */
const keyBytes = 32;
const keyForm = /^[A-Za-z0-9_-]{43}$/;
/** One that signs, one that is on its way in or out, and some for whoever forgets to end that. */
const mostKeys = 4;

/** Writes a new key. @throws OperationalError when the file is there already, or cannot be written */
export function makeKeyFile(path: string): void {
  const key = randomBytes(keyBytes).toString('base64url');
  try {
    // Whoever has the file open has the key: it is never another one that was there before.
    const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      writeSync(file, `${key}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new OperationalError(
      code === 'EEXIST'
        ? `${path} is there already and is not overwritten: what is signed by its key would not be believed any more`
        : `${path}: ${errorText(error)}`,
    );
  }
}

/** The keys of a file, or what is wrong with it: no sentence has any of what stands in it. */
export function readKeyFile(
  path: string,
): { readonly keys: readonly [string, ...string[]] } | { readonly problem: string } {
  // Whoever reads it may order anything.
  const read = readGuarded(path, { secret: 'refuse' });
  return 'problem' in read ? { problem: read.problem } : keysIn(read.text);
}

function keysIn(text: string): ReturnType<typeof readKeyFile> {
  const lines = text.split('\n').map((line) => line.trim());
  const found = lines.flatMap((line, i) =>
    line === '' || line.startsWith('#') ? [] : [{ line, at: i + 1 }],
  );
  const odd = found.find(({ line }) => !keyForm.test(line));
  if (odd !== undefined)
    return { problem: `line ${odd.at} is no key, expected one that "ns4 --make-key FILE" made` };
  const [first, ...others] = found.map(({ line }) => line);
  if (first === undefined) return { problem: 'holds no key, expected one that "ns4 --make-key FILE" made' };
  if (found.length > mostKeys) return { problem: `holds ${found.length} keys, expected ${mostKeys} at most` };
  return { keys: [first, ...others] };
}
