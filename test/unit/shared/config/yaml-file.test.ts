// YAML as values with lines: every scalar stays a text, and each value's line is found through aliases and merge keys.
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseYaml, YamlFile } from '../../../../src/shared/config/yaml-file.ts';
import { expected, mappingOf, mistakesOf, sentencesOf } from '../../../../src/shared/config/yaml-issues.ts';

function read(text: string): YamlFile {
  const yaml = parseYaml(text, 'f.yaml');
  if (yaml instanceof YamlFile) return yaml;
  throw new Error(yaml.mistakes.join('\n'));
}

const merged = `base: &base
  user: 0123
  deep: &deep {list: [a, b]}
more: &more {user: other, extra: ~}
cloud:
  <<: [*base, *more]
  alias: *deep
  own: yes
`;

test('texts stay texts; the first merged mapping counts', () => {
  expect(read(merged).value).toMatchObject({
    cloud: { user: '0123', extra: '~', own: 'yes', deep: { list: ['a', 'b'] }, alias: { list: ['a', 'b'] } },
  });
  expect(read('# nothing\n').value).toBeNull();
});

test.each<[(string | number)[], number, boolean]>([
  [[], 1, true],
  [['cloud'], 5, true],
  [['cloud', 'own'], 8, true],
  [['cloud', 'user'], 2, true],
  [['cloud', 'extra'], 4, true],
  [['cloud', 'alias', 'list', 1], 3, true],
  [['cloud', 'alias', 'list', 2], 3, false],
  [['cloud', 'nothing', 'more'], 5, false],
  [['cloud', 'own', 'below'], 8, false],
])('the line of %j is %i', (path, line, whole) => {
  expect(read(merged).lineOf(path)).toEqual({ line, whole });
});

describe('what plain values cannot be made of', () => {
  test.each([
    ['a: !!binary aGk=\n', 'f.yaml:1: a tag ("!…"), expected plain YAML'],
    ['a: !own x\n', 'f.yaml:1: a tag ("!…"), expected plain YAML'],
    ['a: x\n[b]: c\n', 'f.yaml:2: a key that is no text'],
    ['a: &a x\nb:\n  <<: *a\n', 'f.yaml:3: a merge ("<<") of what is no mapping'],
    ['a: b\n---\nc: d\n', 'f.yaml:2: a second document ("---"), expected one'],
    [
      'a: *b\nc: &d [*d]\n',
      'f.yaml:1: an alias ("*…") without its anchor\nf.yaml:2: an alias ("*…") that contains itself',
    ],
  ])('%j', (text, mistakes) => expect(() => read(text)).toThrow(new Error(mistakes)));
});

test('issues become sentences in the order of lines, each unknown key one, odd names quoted', () => {
  const yaml = read('"a b":\n  z: 1\n  y: 2\nlist: [x]\n');
  const text = z.string(expected('one text'));
  const schema = z.object({ list: z.array(z.number('a number')), 'a b': mappingOf({ x: text, w: text }) });
  const { error } = schema.safeParse(yaml.value);
  expect(sentencesOf(mistakesOf(yaml, error?.issues ?? []))).toEqual([
    'f.yaml:1: "a b".x: missing, expected one text',
    'f.yaml:1: "a b".w: missing, expected one text',
    'f.yaml:2: "a b".z: unknown key, expected x or w',
    'f.yaml:3: "a b".y: unknown key, expected x or w',
    'f.yaml:4: list[0]: a number',
  ]);
});
