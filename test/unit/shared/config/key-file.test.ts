// The key file: made once, and what of one is refused; nothing that stands in it is ever shown.
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeKeyFile, readKeyFile } from '../../../../src/shared/config/key-file.ts';
import { otherKey, testKey } from '../../../support/trust.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sonny-key-'));
  file = join(dir, 'sonny.key');
});
afterEach(() => rmSync(dir, { recursive: true }));

test('a new one is read by its owner alone, and is another one each time', () => {
  makeKeyFile(file);
  makeKeyFile(join(dir, 'other.key'));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const [one, other] = [readKeyFile(file), readKeyFile(join(dir, 'other.key'))];
  expect(one).toEqual({ keys: [expect.stringMatching(/^[\w-]{43}$/)] });
  expect(other).not.toEqual(one);
});

test('one that is there is not overwritten', () => {
  makeKeyFile(file);
  const before = readFileSync(file, 'utf8');
  expect(() => makeKeyFile(file)).toThrow('is there already and is not overwritten');
  expect(readFileSync(file, 'utf8')).toBe(before);
  expect(() => makeKeyFile(join(dir, 'nowhere/sonny.key'))).toThrow('ENOENT');
});

test.each<[string, string, number, RegExp]>([
  ['nothing', '', 0o600, /^holds no key/],
  ['notes only', '# ours\n\n', 0o600, /^holds no key/],
  ['something else', `${testKey}\nhunter2-hunter2\n`, 0o600, /^line 2 is no key/],
  ['five keys', `${testKey}\n`.repeat(5), 0o600, /^holds 5 keys, expected 4 at most/],
  ['a key that others may read', `${testKey}\n`, 0o640, /^found mode 0640, others than its owner may read/],
  ['a key that others may write', `${testKey}\n`, 0o602, /^found mode 0602/],
])('%s is none', (_, text, mode, problem) => {
  writeFileSync(file, text);
  chmodSync(file, mode);
  const found = readKeyFile(file);
  expect(found).toEqual({ problem: expect.stringMatching(problem) });
  for (const secret of [testKey, 'hunter2']) expect(JSON.stringify(found)).not.toContain(secret);
});

test('the first of several signs', () => {
  writeFileSync(file, `# since June\n${otherKey}\n# until all have the new one\n ${testKey} \n`, {
    mode: 0o600,
  });
  expect(readKeyFile(file)).toEqual({ keys: [otherKey, testKey] });
  expect(readKeyFile(join(dir, 'none'))).toEqual({ problem: 'no such file' });
});
