// Where a fence agent's program is: by its name on the PATH and where Debian has agents, or by an absolute path; and
// whether others could have changed it.
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { programProblem } from '../../shared/config/guarded-file.ts';

/** Fence agents live in /usr/sbin, which is on no ordinary user's PATH. */
const alwaysSearched = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The PATH to look on, and to run agents with: they call programs of their own, as ipmitool. */
export function agentPath(path: string): string {
  return [...new Set([...path.split(delimiter).filter(isAbsolute), ...alwaysSearched])].join(delimiter);
}

/** The program of that name, or what should have been there. */
export function findProgram(
  name: string,
  path: string,
): { readonly file: string } | { readonly problem: string } {
  if (isAbsolute(name))
    return mayRun(name) ? trusted(name) : { problem: 'a program there that this user may run' };
  const found = /^[\w.-]+$/.test(name)
    ? agentPath(path)
        .split(delimiter)
        .map((directory) => join(directory, name))
        .find(mayRun)
    : undefined;
  return found === undefined
    ? { problem: 'a program on the PATH or in /usr/sbin (package fence-agents?), or an absolute path' }
    : trusted(found);
}

/** It is handed the passwords of BMCs, and runs as this user. */
function trusted(file: string): { readonly file: string } | { readonly problem: string } {
  const problem = programProblem(file);
  return problem === null
    ? { file }
    : { problem: `a program that nobody else can change (${file}: ${problem})` };
}

function mayRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
