// What zod finds wrong with the values of a YAML file, as sentences with file and line; and the parts of schemas whose
// issues read well there. The message of an issue is the sentence itself; it never quotes a text that may be a secret.
import { z } from 'zod';
import { quote } from './keys/quote.ts';
import type { Path, YamlFile } from './yaml-file.ts';

/** What is wrong, and where it is written: line null for what is not there. */
export interface Mistake {
  readonly file: string;
  readonly line: number | null;
  readonly what: string;
}

export interface Issue {
  readonly path: Path;
  readonly message: string;
}

/** Each issue with its file and line; one for each unknown key, as a strict object has one for all of them. */
export function mistakesOf(yaml: YamlFile, issues: readonly (z.core.$ZodIssue | Issue)[]): Mistake[] {
  return issues
    .flatMap((issue) =>
      ('keys' in issue ? issue.keys.map((key) => [...issue.path, key]) : [issue.path]).map((path) => ({
        path,
        message: issue.message,
      })),
    )
    .map(({ path, message }) => ({
      file: yaml.file,
      line: yaml.lineOf(path).line,
      what: `${labelOf(path)}: ${message}`,
    }));
}

/** One line each, none twice: file by file in the order of their lines, then what is not there. */
export function sentencesOf(mistakes: readonly Mistake[]): string[] {
  const files = [...new Set(mistakes.map(({ file }) => file))];
  const rank = ({ file, line }: Mistake): number => (line === null ? files.length : files.indexOf(file));
  const sorted = mistakes.toSorted((a, b) => rank(a) - rank(b) || (a.line ?? 0) - (b.line ?? 0));
  const place = ({ file, line }: Mistake): string => (line === null ? file : `${file}:${line}`);
  return [...new Set(sorted.map((mistake) => `${place(mistake)}: ${mistake.what}`))];
}

/** A path as people read it: hosts.hv01.levels[0]. A name that could be misread, or breaks the line, is quoted. */
function labelOf(path: Path): string {
  const plain = (name: string): string => (/^[^\s"[\]\p{Cc}]+$/u.test(name) ? name : quote(name));
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${plain(String(step))}`));
  return steps.join('').replace(/^\./, '');
}

export type Mapping = Readonly<Record<string, unknown>>;

export const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A key without a value. */
export const isNothing = (value: unknown): boolean =>
  value === null || (typeof value === 'string' && /^(~|null|Null|NULL)?$/.test(value));

/** The kind of what was found instead; its text could be a secret in the wrong place. */
export function found(value: unknown, expected: string): string {
  const kind = Array.isArray(value) ? 'a list' : typeof value === 'string' ? 'a text' : 'a mapping';
  const what = value === undefined ? 'missing' : `found ${isNothing(value) ? 'nothing' : kind}`;
  return `${what}, expected ${expected}`;
}

/** The message of an issue that shows the kind of what was found. */
export const expected = (what: string) => ({
  error: ({ input }: { readonly input?: unknown }): string => found(input, what),
});

/** The message of an issue that shows the text that was found: for what is no secret. */
export const expectedNot = (what: string) => ({
  error: ({ input }: { readonly input?: unknown }): string =>
    typeof input === 'string' ? `found ${quote(input)}, expected ${what}` : found(input, what),
});

/** A mapping with some of these keys and no others. */
export function mappingOf<S extends z.ZodRawShape>(shape: S) {
  const known = `unknown key, expected ${Object.keys(shape).join(' or ')}`;
  const { error } = expected('keys below it');
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? known : error(issue)),
  });
}

/** A mapping with any names that `name` admits. */
export function mappingBy<V extends z.ZodType>(name: z.ZodString, value: V, what = 'keys below it') {
  const { error } = expected(what);
  return z.record(name, value, {
    error: (issue) => (issue.code === 'invalid_key' ? issue.issues[0]?.message : error(issue)),
  });
}
