// Lua scripts: read from `scripts/` once, and run by their digest, so that their text goes over the line once per
// server.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Db } from './db.ts';

/** A script of `scripts/`. Its first lines there say its KEYS, its ARGV and what it returns. */
export interface Script {
  readonly name: string;
  /** How many keys it takes: the number in its file's name; null ("-n"): as many as there are. */
  readonly keys: number | null;
  /** Read when it is run for the first time. */
  read(): { readonly text: string; readonly digest: string };
}

const textOf = (file: string): string => readFileSync(new URL(`./scripts/${file}`, import.meta.url), 'utf8');

/**
 * The script in `scripts/{name}.lua`, with what it includes by lines `-- include other.lua`. The name ends with its
 * count of keys ("renew-1"), or "-n".
 */
export function loadScript(name: string): Script {
  const count = /-(\d{1,3}|n)$/.exec(name)?.[1];
  if (count === undefined)
    throw new Error(`${name}: the name of a script ends with its count of keys, or "n"`);
  let known: { text: string; digest: string } | null = null;
  const read = () => {
    const text = textOf(`${name}.lua`).replaceAll(/^-- include (\S+)$/gm, (_, file: string) => textOf(file));
    return { text, digest: createHash('sha1').update(text).digest('hex') };
  };
  return {
    name,
    keys: count === 'n' ? null : Number(count),
    read: () => {
      known ??= read();
      return known;
    },
  };
}

/** Runs it in one step on the server; its reply as Redis sent it. Rejects as every command of a Db does. */
export async function runScript(
  db: Db,
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  if (script.keys !== null && keys.length !== script.keys)
    throw new Error(`${script.name} got ${keys.length} keys`);
  const { text, digest } = script.read();
  try {
    return await db.evalsha(digest, keys.length, ...keys, ...args);
  } catch (error) {
    // Nothing was done: this server does not know it yet (it was restarted, or is a new master).
    if (!(error instanceof Error && /\bNOSCRIPT\b/.test(error.message))) throw error;
    return db.eval(text, keys.length, ...keys, ...args);
  }
}
