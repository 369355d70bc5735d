// Reads a text file for the configuration: the text, or one sentence on why there is none.
import { readFileSync, statSync } from 'node:fs';
import { errorText } from '../ground/errors.ts';

const problems: Record<string, string> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'permission denied, expected a file this user may read',
  EISDIR: 'is a directory, expected a file',
};

/** What an error of the file system means to people. */
export function fileProblem(error: unknown): string {
  return problems[(error as NodeJS.ErrnoException).code ?? ''] ?? errorText(error);
}

/** The text of a UTF-8 file and its permission bits, or what is wrong with it. A byte order mark stays in the text. */
export function readText(
  path: string,
):
  | { readonly text: string; readonly mode: number }
  | { readonly problem: string; readonly missing: boolean } {
  let bytes: Buffer;
  let mode: number;
  try {
    bytes = readFileSync(path);
    mode = statSync(path).mode & 0o777;
  } catch (error) {
    const problem = fileProblem(error);
    return { problem, missing: problem === problems.ENOENT };
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), mode };
  } catch {
    return { problem: 'found bytes that are not UTF-8, expected a text in UTF-8', missing: false };
  }
}
