// What reading a text file means to people: its problems in words, and its bytes as text.
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

/** Is there no such file, as opposed to one that cannot be read? */
export const isMissing = (error: unknown): boolean => fileProblem(error) === problems.ENOENT;

/** Bytes as UTF-8, a byte order mark included; null: they are something else. */
export function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
