// config.example.ini and README's table of keys, as they follow from the table of configuration keys.
import type { Key, Section } from '../src/shared/config/keys/key.ts';
import { sections } from '../src/shared/config/known-keys.ts';

const width = 118;

const header = `# Sonny's configuration, for ns4, monitor and sonny alike. Copy it to ./config.ini or ~/.config.ini (or name it with
# -c FILE), then "chmod 600" it: it will hold passwords. "ns4 --check" says whether everything in it works.
#
# The format is that of Python's ConfigParser:
#   - Comments fill a line of their own. In "pass = ab;cd" the semicolon belongs to the password.
#   - A percent sign is written twice: "pass = 100%%" means 100%.
#   - Never indent a key: an indented line continues the value above it.
#   - An empty value, or None, counts as not set.
#   - What [DEFAULT] sets, every other section inherits.
# A line that is commented out shows the default, where its key has one, or else an example.
`;

/** The whole text of config.example.ini. */
export function exampleIni(): string {
  return `${header}\n${Object.values(sections).map(exampleSection).join('\n')}`;
}

function exampleSection({ name, onlyFor, keys }: Section): string {
  const above = onlyFor === undefined ? '' : `${comment(onlyFor)}\n`;
  const blocks = Object.values(keys).map((key) => {
    const line = `${key.name} = ${key.shown ?? key.example ?? key.default ?? 'None'}`;
    const live = onlyFor === undefined && key.example === undefined;
    return `${explained(key)}\n${live ? '' : '# '}${line}\n`;
  });
  return `[${name}]\n${above}${blocks.join('\n')}`;
}

function explained({ name, about, also, type, without }: Key<unknown>): string {
  const expected = [
    type.expected === null ? undefined : `Expected: ${type.expected}.`,
    also === undefined ? undefined : `"${also}" means the same as ${name}; set only one of them.`,
    without === undefined ? undefined : `Without it, ${without}.`,
  ];
  return [about, sentences(expected)].filter(Boolean).map(comment).join('\n');
}

const sentences = (parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined).join(' ');

const firstSentence = (text: string): string => /^.*?\.(?= |$)/.exec(text)?.[0] ?? text;

/** A text as lines of a comment. */
function comment(text: string): string {
  const lines = [''];
  for (const word of text.replaceAll('…', '...').split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last.length + word.length + 1 > width - 2) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.map((line) => `# ${line}`).join('\n');
}

/** The table of keys in Markdown. */
export function keyTable(): string {
  const rows = Object.values<Section>(sections).flatMap(({ name, onlyFor, keys }) =>
    Object.values(keys).map((key, i) => {
      const without = key.without === undefined ? undefined : `Without it, ${key.without}.`;
      const meaning = sentences([i === 0 ? onlyFor : undefined, firstSentence(key.about), without]);
      return `| ${i === 0 ? `${name} ` : ''}| ${keyCell(key)} | ${linked(meaning)} |`;
    }),
  );
  return ['| section | key (default) | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function keyCell({ name, also, type, default: text }: Key<unknown>): string {
  const names = [name, also].flatMap((one) => (one === undefined ? [] : `\`${one}\``)).join(' or ');
  return text ? `${names} (${text}${type.unit === undefined ? '' : ` ${type.unit}`})` : names;
}

/** Names of files of the repository become links. */
const linked = (text: string): string =>
  text.replaceAll(/\bdocs\/[\w-]+\.md\b|\b[\w-]+\.example\.\w+\b/g, (file) => `[${file}](${file})`);
