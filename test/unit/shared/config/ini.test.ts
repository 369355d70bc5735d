// The INI reader against the real thing: the same files go through Python's configparser and through ours, and both
// must agree on every value or both refuse. Tables first, then files nobody thought of.
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultSection, parseIni, readIni, referencedKeys } from '../../../../src/shared/config/ini.ts';

/**
 * What a parser made of a file: null when it refused, else each section with its own and inherited keys; a value that
 * cannot be interpolated is null.
 */
type Reading = Record<string, Record<string, string | null>> | null;

const pythonScript = `
import configparser, io, json, sys
def reading(text):
    config = configparser.ConfigParser()
    try:
        config.read_file(io.TextIOWrapper(io.BytesIO(text.encode('utf-8')), encoding='utf-8'))
    except configparser.Error:
        return None
    result = {}
    for name in config:
        result[name] = {}
        for key in config[name]:
            try:
                result[name][key] = config[name][key]
            except configparser.InterpolationError:
                result[name][key] = None
    return result
json.dump([reading(text) for text in json.load(sys.stdin)], sys.stdout)
`;

const havePython = spawnSync('python3', ['-c', 'import configparser']).status === 0;

function pythonReadings(texts: readonly string[]): Reading[] {
  const run = spawnSync('python3', ['-c', pythonScript], {
    input: JSON.stringify(texts),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  expect(run.stderr).toBe('');
  return JSON.parse(run.stdout) as Reading[];
}

function ourReading(text: string): Reading {
  const ini = parseIni(text);
  if (ini.mistakes.length > 0) return null;
  const inherited = [...(ini.sections.get(defaultSection)?.keys.keys() ?? [])];
  const read = (section: string, key: string): string | null => {
    const value = readIni(ini, section, key);
    return value?.state === 'value' ? value.text : null;
  };
  return Object.fromEntries(
    [...ini.sections].map(([name, section]) => {
      const keys = new Set([...section.keys.keys(), ...inherited]);
      return [name, Object.fromEntries([...keys].map((key) => [key, read(name, key)]))];
    }),
  );
}

const chain = (length: number): string =>
  `[a]\nk0 = end\n${Array.from({ length }, (_, i) => `k${i + 1} = %(k${i})s`).join('\n')}\n`;

const tricky: Record<string, string> = {
  'empty file': '',
  'only blank lines and comments': '\n  \n# a\n; b\n  # c\n',
  'both delimiters': '[a]\nx = 1\ny: 2\nz=3\nw:4\n',
  'first delimiter wins': '[a]\nurl = http://h:80/?a=b\nx: a = b\ny = a: b\n',
  'key with spaces inside and around': '[a]\n  my key   =   v  \n',
  'keys in lower case': '[a]\nHost = h\n[B]\nPORT = 1\n',
  'key twice, other case': '[a]\nHost = h\nhost = i\n',
  'key twice': '[a]\nx = 1\nx = 2\n',
  'same key in two sections': '[a]\nx = 1\n[b]\nx = 2\n',
  'section twice': '[a]\nx = 1\n[a]\ny = 2\n',
  'sections differ in case only': '[a]\nx = 1\n[A]\nx = 2\n',
  'default twice': '[DEFAULT]\nx = 1\n[a]\n[DEFAULT]\ny = 2\n',
  'default twice with one key twice': '[DEFAULT]\nx = 1\n[a]\n[DEFAULT]\nx = 2\n',
  'default after use': '[a]\ny = 1\n[DEFAULT]\nx = 1\n',
  'default in lower case is a plain section': '[default]\nx = 1\n[a]\n',
  'inherited and overridden': '[DEFAULT]\nx = 1\ny = 2\n[a]\nx = 3\n[b]\n',
  'comment characters inside values': '[a]\npw = ab;cd\nq = ab#cd\nr = a ; b # c\n',
  'value that is a comment character': '[a]\nx = ;\ny = #no\n',
  'quotes kept': '[a]\nx = "1"\ny = \'2\'\n',
  'empty value': '[a]\nx =\ny:\nz = \n',
  'no value': '[a]\nx\n',
  'no key': '[a]\n= 1\n',
  'no key, colon': '[a]\n : 1\n',
  'no key twice': '[a]\n= 1\n= 2\n',
  'no section': 'x = 1\n',
  'no section, then one': 'x = 1\n[a]\ny = 1\n',
  'indented without a section': '   x = 1\n',
  'byte order mark': '\ufeff[a]\nx = 1\n',
  'byte order mark before a comment': '\ufeff# hi\n[a]\nx = 1\n',
  'byte order mark alone': '\ufeff',
  'byte order mark inside a value': '[a]\nx = \ufeff1\ufeff\n',
  'byte order mark inside a key': '[a]\n\ufeffx = 1\n',
  continuation: '[a]\nx = 1\n  2\n  3\ny = 4\n',
  'continuation with tabs': '[a]\nx = 1\n\t2\n',
  'continuation that looks like a key': '[a]\nhost = h\n  port = 1\n',
  'continuation that looks like a section': '[a]\nx = 1\n [b]\ny = 2\n',
  'continuation after an empty value': '[a]\nx =\n  1\n  2\n',
  'continuation with blank lines': '[a]\nx = 1\n\n  2\n\n\n  3\n\n\ny = 1\n',
  'continuation with a comment inside': '[a]\nx = 1\n  # no\n  2\n; no\n  3\n',
  'continuation under an indented key': '[a]\n  x = 1\n  y = 2\n    3\n z = 4\n',
  'no continuation under a section': '[a]\n  x = 1\n',
  'no continuation without a key': '[a]\n   junk\n',
  'dedent inside a continuation': '[a]\n x = 1\n    2\n  3\n y = 4\n',
  'trailing blanks of a multi-line value': '[a]\nx = 1\n   \n\t\n[b]\ny = 2\n',
  'indented section at the beginning': '   [a]\nx = 1\n',
  'text behind a section': '[a] ; why\nx = 1\n',
  'bracket inside a section': '[a]b]c\nx = 1\n',
  'section named by a bracket': '[]]\nx = 1\n',
  'empty section name': '[]\nx = 1\n',
  'section name of a blank': '[ ]\nx = 1\n',
  'section with blanks around': '[ a ]\nx = 1\n[a]\n',
  'open section': '[a\nx = 1\n',
  'open section inside another': '[a]\n[b\nx = 1\n',
  'open section with a delimiter': '[a]\n[b = 1\n',
  'dots and brackets in keys': '[a.b]\nx[] = 1\nx.y = 2\n',
  'percent doubled': '[a]\nx = 50%%\ny = %%(z)s\nz = 100%%%%\n',
  'lone percent': '[a]\nx = 50%\n',
  'lone percent inside': '[a]\nx = a%b\ny = ok\n',
  'lone percent in another key': '[a]\nx = 50%\ny = %(x)s\n',
  'percent with other conversions': '[a]\nx = %s\ny = %d\nz = %(x)d\n',
  'open reference': '[a]\nx = %(y\ny = 1\n',
  'empty reference': '[a]\nx = %()s\n',
  reference: '[a]\nhome = /srv\nx = %(home)s/redis\n',
  'reference in upper case': '[a]\nhome = /srv\nx = %(HOME)s/redis\n',
  'reference to a default': '[DEFAULT]\nhome = /srv\n[a]\nx = %(home)s\n',
  'default that refers to the section': '[DEFAULT]\nx = %(home)s\n[a]\nhome = /srv\n[b]\n',
  'reference to another section': '[a]\nhome = /srv\n[b]\nx = %(home)s\n',
  'reference to nothing': '[a]\nx = %(nothing)s\n',
  'reference to itself': '[a]\nx = %(x)s\n',
  'references in a circle': '[a]\nx = %(y)s\ny = %(x)s\n',
  'nested references': '[a]\nx = %(y)s-%(y)s\ny = %(z)s+%(z)s\nz = 1%%\n',
  'reference with blanks': '[a]\nmy key = 1\nx = %(my key)s\ny = %( my key )s\n',
  'chain of 8': chain(8),
  'chain of 9': chain(9),
  'chain of 10': chain(10),
  'chain of 11': chain(11),
  'chain with an escape at its end': `${chain(9)}p = 1%%\nq = %(p)s\n`,
  'multi-line interpolation': '[a]\nx = %(y)s\n  %(y)s\ny = 1\n 2\n',
  'windows newlines': '[a]\r\nx = 1\r\n  2\r\ny = 3\r\n',
  'old mac newlines': '[a]\rx = 1\ry = 2\r',
  'no newline at the end': '[a]\nx = 1',
  'no-break spaces': '[a]\n\u00a0x\u00a0=\u00a01\u00a0\n',
  'separators Python strips': '[a]\n\x1fx\x1c=\x1d1\x85\n',
  'line separator inside': '[a]\nx = 1\u20282\n[b\u2028c]\ny = 1\n',
  'vertical tab and form feed': '[a]\nx = 1\n\f2\n\v3\n',
  'zero-width space stays': '[a]\nx = \u200b1\u200b\n',
  'keys of other alphabets': '[ä]\nÄPFEL = 1\nΣΑΣ = 2\nİ = 3\n',
  'keys that are dangerous in JavaScript': '[__proto__x]\nconstructor = 1\ntoString = 2\n',
  'comment right below a value': '[a]\nx = 1\n#y = 2\nz = 3\n',
  'value None': '[REDIS]\nhost = 10.0.0.1\nport = 6379\npassword = None\n',
  'mistakes of several kinds': 'x = 1\n[a]\njunk\n= 2\nx = 1\nx = 2\n[a]\n[b\n',
};

describe.skipIf(!havePython)("as Python's configparser reads it", () => {
  const names = Object.keys(tricky);
  const python = havePython ? pythonReadings(Object.values(tricky)) : [];
  test.each(names.map((name, i) => [name, i] as const))('%s', (name, i) => {
    expect(ourReading(tricky[name] ?? '')).toEqual(python[i]);
  });

  test('files nobody thought of', () => {
    const word = fc.constantFrom('a', 'b', 'C', 'host', 'Host', 'x y', 'DEFAULT', 'é', '"q"', '\ufeff');
    const blank = fc.constantFrom('', '', '', ' ', '  ', '\t', '\u00a0', '\x1f');
    const piece = fc.oneof(
      { weight: 4, arbitrary: word },
      {
        weight: 3,
        arbitrary: fc.constantFrom('%%', '%(a)s', '%(b)s', '%(HOST)s', '%(nix)s', '%', '%(', ')s'),
      },
      { weight: 2, arbitrary: fc.constantFrom(' ', ';', '#', '=', ':', '[', ']', '\u2028', '1') },
    );
    const pieces = fc.array(piece, { maxLength: 4 }).map((parts) => parts.join(''));
    const line = fc.oneof(
      { weight: 5, arbitrary: fc.tuple(blank, word, blank, fc.constantFrom('=', ':'), blank, pieces) },
      { weight: 2, arbitrary: fc.tuple(blank, fc.constantFrom('[a]', '[b]', '[DEFAULT]', '[c', '[d]e]')) },
      { weight: 2, arbitrary: fc.tuple(fc.constantFrom(' ', '  ', '\t'), pieces) },
      { weight: 1, arbitrary: fc.tuple(blank, fc.constantFrom('#', ';', ''), pieces) },
    );
    const newline = fc.constantFrom('\n', '\n', '\n', '\r\n', '\r');
    const file = fc
      .tuple(
        fc.constantFrom('', '[a]\n', '[DEFAULT]\na = 1\n[b]\n'),
        fc.array(fc.tuple(line, newline), { maxLength: 9 }),
      )
      .map(([head, lines]) => head + lines.map(([parts, end]) => parts.join('') + end).join(''));
    const seed = Number(process.env.SEED ?? 20261121);
    const texts = fc.sample(file, { numRuns: 3000, seed });
    const readings = pythonReadings(texts);
    texts.forEach((text, i) => {
      expect(ourReading(text), `seed ${seed}, file ${JSON.stringify(text)}`).toEqual(readings[i]);
    });
    // A set in which everything is refused would prove nothing.
    expect(readings.filter((reading) => reading !== null).length).toBeGreaterThan(500);
    expect(readings.filter((reading) => reading === null).length).toBeGreaterThan(500);
  }, 30_000);
});

describe('what a mistake says', () => {
  test.each<[string, string, string[]]>([
    ['no section', 'x = 1\ny = 2\n[a]\n', ['1: expected a section, such as [REDIS], before anything else']],
    [
      'byte order mark',
      '\ufeff[a]\n',
      ['1: the file begins with a byte order mark, expected UTF-8 without one'],
    ],
    ['no value', '[a]\npass hunter2\n', ['2: expected "key = value" or "key: value"']],
    ['open section', '[a]\n[b\n', ['2: expected "]" behind the name of the section']],
    ['no key', '[a]\n= hunter2\n', ['2: expected a key before "="']],
    [
      'section twice',
      '[a]\n\n[a]\n',
      ['3: section [a] stands here again (first in line 1), expected it once'],
    ],
    ['key twice', '[a]\nX = 1\nx = 2\n', ['3: [a] x is set here again (first in line 2), expected it once']],
    [
      'all of them at once',
      'x = 1\n[a]\nhunter2\nx = 1\nx = 2\n[a]\n',
      [
        '1: expected a section, such as [REDIS], before anything else',
        '3: expected "key = value" or "key: value"',
        '5: [a] x is set here again (first in line 4), expected it once',
        '6: section [a] stands here again (first in line 2), expected it once',
      ],
    ],
  ])('%s', (_name, text, expected) => {
    const mistakes = parseIni(text).mistakes.map(({ line, message }) => `${line}: ${message}`);
    expect(mistakes).toEqual(expected);
    expect(mistakes.join()).not.toContain('hunter2');
  });
});

test('a broken value says what is wrong with it, and where it stands', () => {
  const ini = parseIni('[DEFAULT]\nx = 5%\n[a]\ny = %(z)s\nw = %(w)s\n');
  expect(readIni(ini, 'a', 'x')).toEqual({
    state: 'broken',
    line: 2,
    problem: 'lone-percent',
    reference: null,
  });
  expect(readIni(ini, 'a', 'y')).toEqual({
    state: 'broken',
    line: 4,
    problem: 'unknown-reference',
    reference: 'z',
  });
  expect(readIni(ini, 'a', 'w')).toEqual({ state: 'broken', line: 5, problem: 'too-deep', reference: null });
  expect(readIni(ini, 'a', 'v')).toBeNull();
  expect(readIni(ini, 'b', 'x'), 'a section that is not there inherits nothing').toBeNull();
});

test('a failed entry is not continued into the value above it', () => {
  const ini = parseIni('[a]\nx = 1\njunk\n  more\n');
  expect(readIni(ini, 'a', 'x')).toEqual({ state: 'value', text: '1', line: 2 });
});

test('keys that others refer to are known', () => {
  expect(referencedKeys(parseIni('[a]\nx = %(Home)s/%(b c)s\n'))).toEqual(new Set(['home', 'b c']));
});
