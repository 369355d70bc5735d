// Every wrong configuration of the table, through the loaders: each mistake is said, in exactly these words, none
// twice, and no secret shows. The processes' exit codes on the same table are tested elsewhere.
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { loadCloud } from '../../../../src/ns4/credentials/clouds-yaml.ts';
import { readFencingFile } from '../../../../src/ns4/fencing/fencing-file.ts';
import { loadSettings } from '../../../../src/shared/config/load.ts';
import { UsageError } from '../../../../src/shared/ground/errors.ts';
import {
  type LaidOutConfiguration,
  layOut,
  secretText,
  type WrongConfiguration,
  wrongConfigurations,
} from '../../../support/wrong-configurations.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** What a process would say before it ends with code 2. */
function complaints(process: WrongConfiguration['process'], laid: LaidOutConfiguration): readonly string[] {
  const { cwd, home, env, args } = laid;
  try {
    const { settings } = loadSettings({
      process,
      file: args.includes('-c') ? args[args.indexOf('-c') + 1] : undefined,
      cwd,
      home,
    });
    if (process !== 'ns4') return [];
    loadCloud({ cloud: settings.openstack?.cloud ?? '', env, cwd, home });
    if (settings.fencing.file !== null)
      readFencingFile(settings.fencing.file, { path: '', hasCeph: settings.ceph !== null });
    return [];
  } catch (error) {
    if (error instanceof UsageError) return error.lines;
    throw error;
  }
}

/** Without root's right to read everything; nobody's user id will do. */
function unprivileged<T>(action: () => T, directory: string): T {
  if (process.geteuid?.() !== 0) return action();
  chmodSync(directory, 0o755);
  process.seteuid?.(65534);
  try {
    return action();
  } finally {
    process.seteuid?.(0);
  }
}

test.each(wrongConfigurations)('$name', (wrong) => {
  const { withoutDirectory } = wrong;
  if (withoutDirectory !== undefined && existsSync(withoutDirectory)) return;
  const root = mkdtempSync(join(tmpdir(), 'sonny-config-'));
  directories.push(root);
  const laid = layOut(wrong, root);
  const act = (): readonly string[] => complaints(wrong.process, laid);
  const said = wrong.unprivileged ? unprivileged(act, root) : act();
  expect(said).toEqual(laid.expect);
  expect(said.join('\n')).not.toContain(secretText);
  for (const line of said) expect(line).not.toContain('\n');
});

test('there are at least thirty, each with a name of its own', () => {
  expect(wrongConfigurations.length).toBeGreaterThanOrEqual(30);
  expect(new Set(wrongConfigurations.map(({ name }) => name)).size).toBe(wrongConfigurations.length);
});
