// No regular expression in src may take longer than its text is long: what it is applied to comes from instances' owners,
// services, Slack and Redis, and a process that backtracks answers nobody.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { badExpressionsIn, countExpressions } from '../support/regular-expressions.ts';

const src = join(import.meta.dirname, '../../src');
const sources = readdirSync(src, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.ts'))
  .sort()
  .map((file) => ({ file, source: readFileSync(join(src, file), 'utf8') }));

test.each<[string, string]>([
  ['repeated repetitions', 'const a: RegExp = /^(a+)+$/;'],
  ['two ways to read one letter', 'const b = /^(\\w|\\d)*$/;'],
  ['blanks around a line break', "text.replaceAll(/\\s*\\n\\s*/g, ' ')"],
  ['blanks at the end', "text.replace(/\\s+$/, '')"],
  ['a tag that never ends', 'const c = /<[^>]*>/;'],
  ['with names', 'const d = /^(?<word>a+)+(?=b)$/;'],
  ['in a type of zod', 'const e = z.string().regex(/^(?:.*,)*$/);'],
  ['blanks behind any line break', 'const f = /^\\s*key/m;'],
  ['made of a text', 'const g = new RegExp(name);'],
  ['made by a call', "const h = RegExp('a+');"],
  ['made by a search', "text.match('(a+)+$')"],
])(
  'found: %s',
  (_, source) => {
    expect(badExpressionsIn(`import x from 'y';\n${source}\n`)).toEqual([
      { line: 2, text: expect.any(String), why: expect.any(String) },
    ]);
  },
  60_000,
);

test('harmless ones are left alone', () => {
  const harmless = ['/^[a-z0-9._-]{1,255}$/i', '/^\\P{Cc}*$/u', '/^(\\d+)-(\\d+)$/', '/(?<=a)b/'];
  const source = harmless.map((one) => `check(${one});`).join('\n');
  expect(badExpressionsIn(source)).toEqual([]);
  expect(countExpressions(source)).toBe(4);
});

test('none in src may backtrack without a bound', () => {
  const bad = sources.flatMap(({ file, source }) =>
    badExpressionsIn(source).map(({ line, text, why }) => `${file}:${line}: ${text}: ${why}`),
  );
  expect(bad).toEqual([]);
  expect(sources.reduce((count, { source }) => count + countExpressions(source), 0)).toBeGreaterThan(80);
}, 60_000);
