// The documents keep up with the house: every path and link in them leads somewhere, every folder is named, and
// whatever the code says of a document is there.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { waivableGates } from '../../src/ns4/recovery/gates.ts';
import { recoveryGates } from '../../src/shared/rules/gates/recovery-gates.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const documents = [...readdirSync(root), ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)]
  .filter((name) => name.endsWith('.md'))
  .map((path) => ({ path, text: read(path) }));

const sources = ['src', 'test', 'simulator'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ path: join(folder, name), text: read(join(folder, name)) })),
);

/** The anchors of a document's headings, as GitHub names them. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );

function isThere(path: string, anchor: string | undefined): boolean {
  if (!existsSync(join(root, path))) return false;
  return anchor === undefined || anchorsOf(read(path)).includes(anchor);
}

test.each(documents)('every link in $path leads somewhere', ({ path, text }) => {
  const links = [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)];
  const broken = links
    .map(([, file = '', anchor]) => ({ file: file === '' ? path : join(dirname(path), file), anchor }))
    .filter(({ file, anchor }) => !isThere(file, anchor));
  expect(broken).toEqual([]);
});

test.each(documents)('every path in $path is there', ({ text }) => {
  const paths = [...text.matchAll(/\b(?:src|test|simulator|scripts|bench|docs)\/[\w./-]*\w/g)].map(
    ([path]) => path,
  );
  // A name in capitals stands for any.
  expect(paths.filter((path) => !/[A-Z]{3}/.test(path) && !existsSync(join(root, path)))).toEqual([]);
});

test('docs/architecture.md names every folder with code', () => {
  const folders = new Set(sources.map(({ path }) => dirname(path)));
  const isNamed = (folder: string) => read('docs/architecture.md').includes(`| \`${folder}\` |`);
  // Tests mirror the source or belong to one matter: their first floor says what they are.
  const missing = [...folders].filter((folder) => !/^test(\/[^/]+\/|$)/.test(folder) && !isNamed(folder));
  expect(missing).toEqual([]);
});

test('a section of a document that the code points to is there', () => {
  const astray = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/\b(docs\/[\w-]+\.md)(?:#([\w-]+))?/g)]
      .filter(([, file = '', anchor]) => !isThere(file, anchor))
      .map(([reference]) => `${path}: ${reference}`),
  );
  expect(astray).toEqual([]);
});

test('every numbered defect of the original is described, and tested where it says', () => {
  const rows = [...read('docs/original-defects.md').matchAll(/^\| (\d+) \|.*\| ([^|]+) \|$/gm)].map(
    ([, number, files = '']) => ({
      number: Number(number),
      files: [...files.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
    }),
  );
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 18 }, (_, i) => i + 1));
  const named = sources.flatMap(({ text }) =>
    [...text.matchAll(/\bdefect (\d+)/gi)].map(([, number]) => Number(number)),
  );
  expect(named.filter((number) => number < 1 || number > rows.length)).toEqual([]);
  // The last one is fencing as a whole, which no single test is named after.
  const untested = rows
    .slice(0, -1)
    .flatMap(({ number, files }) =>
      files.filter((file) => !new RegExp(`defect ${number}\\b`).test(read(file))),
    );
  expect(untested).toEqual([]);
});

test("the monitor's gates stand in docs/how-it-decides.md, in their order; those that can be waived in docs/operations.md", () => {
  const table = read('docs/how-it-decides.md').split('| gate | refuses when |')[1]?.split('\n\n')[0] ?? '';
  const rows = [...table.matchAll(/^ *\| `([\w-]+)` \|/gm)].map(([, name]) => name);
  expect(rows).toEqual(recoveryGates.map(({ name }) => name));
  const waived = read('docs/operations.md').split('- `--despite GATE`')[1]?.split('\n- ')[0] ?? '';
  expect([...waived.matchAll(/`([\w-]+)`/g)].map(([, name]) => name)).toEqual(waivableGates);
});
