// Which keyring counts, that its key is known to the masker, and that files of others are refused.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCephFiles } from '../../../../src/ns4/ceph/ceph-files.ts';
import { Secrets } from '../../../../src/shared/masks/secrets.ts';

const key = 'AQBtestkeytestkeytestkeytestkeytestkey==';
const keyringText = `[client.sonny]\n\tkey = ${key}\n\tcaps mon = "allow r"\n`;

let dir: string;
let secrets: Secrets;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sonny-ceph-files-'));
  secrets = new Secrets();
});
afterEach(() => rmSync(dir, { recursive: true }));

function write(name: string, text: string, mode = 0o600): string {
  const path = join(dir, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}
const read = (conf: string, keyring: string | null = null) =>
  readCephFiles(
    'config.ini',
    { conf: write('ceph.conf', conf, 0o644), user: 'sonny', keyring, pools: ['vms'] },
    secrets,
  ).keyring;
const isMasked = () => !secrets.mask(`refused: ${key}`).includes(key);

test.each<[string, (dir: string) => string]>([
  [
    'of its own section, over the others',
    (dir) => `[global]\nkeyring=/nowhere\n[client.sonny]\nkeyring = ${dir}/k\n[client]\nkeyring=/no`,
  ],
  ['of all clients', (dir) => `[global]\nkeyring = /nowhere\n[client]\n  keyring = "${dir}/k" ; ours\n`],
  ['of all, by its variables', (dir) => `[global]\nkeyring = ${dir}/none, ${dir}/$cluster.$name.keyring\n`],
  ['in braces', (dir) => `[global]\nkeyring = ${dir}/\${cluster}.$type.$id.keyring\n`],
])('the keyring %s', (_, conf) => {
  const paths = [write('k', keyringText), write('ceph.client.sonny.keyring', keyringText)];
  expect(paths).toContain(read(conf(dir)));
  expect(isMasked()).toBe(true);
});

test('the one that [CEPH] names counts over what ceph.conf says', () => {
  const own = write('own', keyringText);
  expect(read('[global]\nkeyring = /nowhere\n', own)).toBe(own);
  expect(isMasked()).toBe(true);
});

test('a keyring that is nowhere is left to Ceph, one that is named is missed', () => {
  expect(read(`[global]\nkeyring = ${dir}/nowhere\n`)).toBeNull();
  expect(() => read('', join(dir, 'nowhere'))).toThrow(`[CEPH] keyring: ${dir}/nowhere: no such file`);
});

test('a key in ceph.conf itself or in a file of its own is known too', () => {
  const keyFile = write('key', `${key}\n`);
  expect(read(`[client]\nkeyfile = ${keyFile}\nkeyring = ${dir}/nowhere\n`)).toBeNull();
  expect(isMasked()).toBe(true);
  secrets = new Secrets();
  const conf = write('own.conf', `[client.sonny]\nkey = ${key}\nkeyring = ${dir}/nowhere\n`);
  readCephFiles('config.ini', { conf, user: 'sonny', keyring: null, pools: [] }, secrets);
  expect(isMasked()).toBe(true);
});

test('whoever may read a key, or write what names it, is told of, and nothing is asked by it', () => {
  const exposed = write('k', keyringText, 0o640);
  const others = 'others than its owner may';
  expect(() => read('', exposed)).toThrow(
    `config.ini: [CEPH] keyring: ${exposed}: found mode 0640, ${others} read`,
  );
  expect(() => read(`[global]\nkeyring = ${exposed}\n`)).toThrow(`found mode 0640, ${others} read`);
  expect(() => read(`[global]\nkey = ${key}\n`)).toThrow(`ceph.conf: found mode 0644, ${others} read`);
  const conf = write('open.conf', '', 0o666);
  const settings = { conf, user: 'sonny', keyring: null, pools: [] };
  expect(() => readCephFiles('config.ini', settings, secrets)).toThrow(
    `[CEPH] conf: ${conf}: found mode 0666`,
  );
});
