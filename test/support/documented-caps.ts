// The caps that a document has an operator give to Sonny's user of Ceph: what its block hands to `ceph`, run by a shell.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

interface Caps {
  readonly mon: string;
  readonly osd: string;
}

/** `document`: its path. @throws Error when it has no such block, or one that is not understood */
export function documentedCaps(document: string): Caps {
  const text = readFileSync(join(root, document), 'utf8');
  const [, block] =
    /^((?:caps=$[^`]*?)?ceph auth get-or-create client\.sonny [^`]*?) \\\n {2}-o /m.exec(text) ?? [];
  if (block === undefined) throw new Error(`${document} has no caps`);
  // Nothing but these lines, and no real `ceph`.
  const script = `ceph() { printf '%s\\n' "$@"; }\n${block}`;
  const words = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\n');
  const after = (word: string) => words[words.indexOf(word) + 1] ?? '';
  return { mon: after('mon'), osd: after('osd') };
}
