// Writes what is derived from the source into the documents: "npm run docs". A test fails when they are out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { refusalEntries } from '../src/shared/documents/refusals/refusals.ts';
import { exampleIni, keyTable } from './config-docs.ts';

const root = join(import.meta.dirname, '..');

/** Each document with its text now, and as it should be. */
export function derivedDocuments(): {
  readonly file: string;
  readonly now: string;
  readonly derived: string;
}[] {
  const [readme, refusals] = ['README.md', 'docs/refusals.md'].map((file) =>
    readFileSync(join(root, file), 'utf8'),
  ) as [string, string];
  return [
    {
      file: 'config.example.ini',
      now: readFileSync(join(root, 'config.example.ini'), 'utf8'),
      derived: exampleIni(),
    },
    {
      file: 'README.md',
      now: readme,
      derived: between(readme, 'configuration keys', keyTable()),
    },
    { file: 'docs/refusals.md', now: refusals, derived: between(refusals, 'refusals', refusalTable()) },
  ];
}

/** The table of refusals in Markdown, in the order in which Sonny comes to them. */
function refusalTable(): string {
  const rows = refusalEntries.map(({ name, means, remedy }) => `| \`${name}\` | ${means} | ${remedy} |`);
  return ['| name | what it means | what to do |', '| --- | --- | --- |', ...rows].join('\n');
}

/** The text with another part between its two markers. Throws an Error when it has none. */
function between(text: string, name: string, part: string): string {
  const [begin, end] = [`<!-- ${name}: written by "npm run docs" -->\n`, `\n<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`no markers for ${name}`);
  return text.slice(0, from + begin.length) + part + text.slice(to);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const { file, now, derived } of derivedDocuments())
    if (now !== derived) writeFileSync(join(root, file), derived);
