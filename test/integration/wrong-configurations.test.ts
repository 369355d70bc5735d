// Wrong configurations through the real binaries: exit code 2, one line per mistake on standard error, no stack, no
// secret. The cases and their sentences are the loaders' own table; credentials are refused by a Keystone that answers.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import {
  type LaidOutConfiguration,
  layOut,
  secretText,
  wrongConfigurations,
} from '../support/wrong-configurations.ts';

const root = mkdtempSync(join(tmpdir(), 'sonny-wrong-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly said: string;
}

/** Runs a binary to its end. Without root's rights when asked: root may read everything. */
function run(name: string, laid: Pick<LaidOutConfiguration, 'cwd' | 'args' | 'env'>): Promise<Ended> {
  const inherited = Object.entries(process.env).filter(([key]) => !/^(OS_|XDG_)/.test(key));
  const child = spawn(process.execPath, [resolve(`dist/${name}/main.js`), ...laid.args], {
    cwd: laid.cwd,
    env: { ...Object.fromEntries(inherited), ...laid.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  return new Promise((done) => child.once('close', (code) => done({ code, said })));
}

describe('a wrong configuration ends with 2 and one line per mistake', () => {
  // Every second one: the loaders' unit test has them all, and each start of a process costs half a second. What only a
  // process without root's rights cannot read is tried there too.
  const cases = wrongConfigurations
    .filter((c) => !c.unprivileged && c.withoutDirectory === undefined)
    .filter((_, index) => index % 2 === 0);
  const limit = pLimit(Math.max(2, cpus().length));
  const ended = new Map<string, Promise<Ended & { expect: readonly string[] }>>();
  beforeAll(() => {
    for (const [index, wrong] of cases.entries()) {
      const dir = mkdtempSync(join(root, `${index}-`));
      const laid = layOut(wrong, dir);
      ended.set(
        wrong.name,
        limit(async () => ({ ...(await run(wrong.process, laid)), expect: laid.expect })),
      );
    }
  });

  test('there are at least thirty', () => expect(cases.length).toBeGreaterThanOrEqual(30));

  test.each(cases.map((c) => [c.name, c.process] as const))('%s', async (name, process) => {
    const result = await ended.get(name);
    const lines = result?.said.split('\n').filter(Boolean) ?? [];
    const mistakes = lines.filter((line) => !line.startsWith(`${process}: warning: `));
    expect(mistakes).toEqual(result?.expect.map((line) => `${process}: ${line}`));
    expect(result?.code).toBe(2);
    expect(result?.said).not.toContain(secretText);
  });
});

describe('what only the cloud can tell', () => {
  let simulator: Simulator;
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
    simulator = await startSimulator({ listen: false, computes: 1, password: 'the-right-one' });
  });
  afterAll(async () => {
    await simulator.close();
    await redis.stop();
  });

  const inFolder = (cloudsYaml: string): { cwd: string; env: Record<string, string> } => {
    const cwd = mkdtempSync(join(root, 'cloud-'));
    writeFileSync(join(cwd, 'clouds.yaml'), cloudsYaml, { mode: 0o600 });
    writeFileSync(
      join(cwd, 'config.ini'),
      `[REDIS]\nhost = 127.0.0.1\nport = ${redis.port}\n[OPENSTACK]\ncloud = simulated\n`,
    );
    return { cwd, env: { HOME: cwd } };
  };

  test.each([
    ['--check', ['--check']],
    ['the worker', []],
    ['by hand', ['-d', 'hv01', '-s', 'hv02', '--alone']],
  ])('bad credentials: %s', async (_, args) => {
    const yaml = simulator.cloudsYaml().replaceAll('the-right-one', 'not-the-right-one');
    const { code, said } = await run('ns4', { ...inFolder(yaml), args });
    expect(said).toMatch(
      /^ns4: .*clouds\.yaml: cloud "simulated": auth: found a user, password and project that Keystone at http:\/\/\S+ refuses \(.*401.*\), expected those of a user it knows\n$/,
    );
    expect(said).not.toContain('not-the-right-one');
    expect(code).toBe(2);
  });

  test('a region that is not in the catalogue', async () => {
    const yaml = simulator.cloudsYaml().replace(/region_name: .*/, 'region_name: Atlantis');
    const { code, said } = await run('ns4', { ...inFolder(yaml), args: ['--check'] });
    expect(said).toMatch(
      /region_name, interface: found Atlantis, public that Keystone at \S+ refuses \(the catalogue has/,
    );
    expect(code).toBe(2);
  });
});

describe('wrong usage ends with 2', () => {
  test.each([
    ['ns4', ['-s', 'hv01'], /-s/],
    ['ns4', ['-d', 'hv01', '--alone'], /--alone/],
    ['ns4', ['-d', 'hv01', '--despite', 'fear'], /--despite/],
    ['ns4', ['-d', 'hv01', '--despite', 'lease-held'], /--despite/],
    ['ns4', ['-d', 'hv01', '-s', 'hv01'], /both name hv01/],
    ['ns4', ['-d', 'hv01', '-s', 'hv02', '-r'], /-r goes alone/],
    ['ns4', ['--fence', 'hv01'], /--fence: expected --action status\|off\|on with it/],
    ['ns4', ['--fence', 'hv01', '--action', 'reboot'], /expected status, off, on/],
    ['ns4', ['--action', 'off', '--yes'], /--action and --level go with --fence/],
    [
      'ns4',
      ['--confirm-fenced', 'hv01', '-d', 'hv01', '-s', 'hv02'],
      /do not go together: expected one of them/,
    ],
    ['ns4', ['--nonsense'], /unknown option '--nonsense'/],
    ['monitor', ['surplus'], /too many arguments/],
    ['sonny', ['-c'], /argument missing/],
  ])('%s %j', async (name, args, expected) => {
    const { code, said } = await run(name, { cwd: root, args, env: { HOME: root } });
    expect(said).toMatch(expected);
    expect(said).not.toMatch(/^\s+at /m);
    expect(code).toBe(2);
  });
});
