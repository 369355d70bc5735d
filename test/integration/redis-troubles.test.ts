// Every command ends, whatever is wrong with Redis: one line on standard error, exit code 1, within ten seconds. The
// compiled processes against each way in which Redis can be away or refuse.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { PretendDevice } from '../support/pretend-device.ts';
import {
  type RedisSection,
  redisThatTakesNoWrites,
  redisTroubles,
  type Trouble,
} from '../support/redis-troubles.ts';
import { silentNameServers } from '../support/silent-name-servers.ts';

const limitMs = 10_000;
/** Killed then: a command that hangs must not hang its test. */
const mercyMs = 15_000;
const root = mkdtempSync(join(tmpdir(), 'sonny-redis-troubles-'));
const writing = [
  ['ns4', ['-r']],
  ['ns4', ['-d', 'hv01', '-s', 'hv02']],
  ['ns4', ['--confirm-fenced', 'hv01', '--yes']],
  ['monitor', ['--accept-empty-state']],
] as const;
const checking = [
  ['ns4', ['--check']],
  ['monitor', ['--check']],
  ['sonny', ['--check']],
] as const;
/** It needs no Redis: a host must be powered off by hand while everything else is down. */
const fencing = [['ns4', ['--fence', 'hv01', '--action', 'off', '--yes']]] as const;
const commands = [...writing, ...checking, ...fencing];
const lineOf = (...parts: readonly (string | readonly string[])[]) => parts.flat().join(' ');

let simulator: Simulator;
const troubles = new Map<string, Trouble>();
const ended = new Map<string, Promise<Ended>>();
beforeAll(async () => {
  simulator = await startSimulator({ listen: false, computes: 2 });
  // Their time counts, and most of it they wait.
  const limit = pLimit(4);
  for (const [kind, open] of Object.entries(redisTroubles)) {
    const trouble = await open();
    troubles.set(kind, trouble);
    for (const [name, args] of commands)
      ended.set(
        lineOf(kind, name, args),
        limit(() => run(trouble.ini, name, args)),
      );
  }
});
afterAll(async () => {
  await Promise.all(ended.values());
  await Promise.all([...troubles.values()].map((trouble) => trouble.stop()));
  await simulator.close();
  rmSync(root, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly tookMs: number;
  readonly out: string;
  readonly err: string;
}

/**
 * Runs a command to its end in a directory of its own, with everything but Redis in order; inside `wrapper`, if any.
 */
function run(
  redis: RedisSection,
  name: string,
  args: readonly string[],
  wrapper: readonly string[] = [],
): Promise<Ended> {
  const cwd = mkdtempSync(join(root, 'run-'));
  const device = new PretendDevice(join(cwd, 'bmc'));
  const sections: Record<string, RedisSection> = {
    REDIS: redis,
    OPENSTACK: { cloud: 'simulated' },
    FENCING: { mode: 'required', hosts: 'fencing.yaml', timeout: 2 },
    SLACK: { clouds: 'simulated, another, a-third' },
  };
  const text = Object.entries(sections).map(([section, keys]) =>
    [`[${section}]`, ...Object.entries(keys).map(([key, value]) => `${key} = ${value}`), ''].join('\n'),
  );
  writeFileSync(join(cwd, 'config.ini'), text.join('\n'), { mode: 0o600 });
  writeFileSync(join(cwd, 'clouds.yaml'), simulator.cloudsYaml(), { mode: 0o600 });
  const levels = `hosts:\n  hv01: {levels: [{agent: ${device.program}, options: {plug: "1"}}]}\n`;
  writeFileSync(join(cwd, 'fencing.yaml'), levels, { mode: 0o600 });
  mkdirSync(join(cwd, 'home'));
  const inherited = Object.entries(process.env).filter(([key]) => !/^(OS_|XDG_)/.test(key));
  const beganMs = performance.now();
  const [program = '', ...rest] = [...wrapper, process.execPath, resolve(`dist/${name}/main.js`), ...args];
  const child = spawn(program, rest, {
    cwd,
    env: { ...Object.fromEntries(inherited), HOME: join(cwd, 'home') },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: mercyMs,
    killSignal: 'SIGKILL',
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    said.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    said.err += chunk;
  });
  return new Promise((done) =>
    child.once('close', (code) => done({ code, tookMs: performance.now() - beganMs, ...said })),
  );
}

function expectNoStack({ out, err }: Ended): void {
  expect(out + err).not.toMatch(/^\s+at /m);
}

describe.each(Object.keys(redisTroubles))('Redis: %s', (kind) => {
  const endOf = async (name: string, args: readonly string[]) =>
    (await ended.get(lineOf(kind, name, args))) as Ended;
  const says = () => troubles.get(kind)?.says ?? /./;

  test.each(writing)('%s %j', async (name, args) => {
    const end = await endOf(name, args);
    expect(end).toMatchObject({ code: 1, err: expect.stringMatching(RegExp(`^${name}: Redis [^\n]+\n$`)) });
    expect(end.err).toMatch(says());
    expectNoStack(end);
    expect(end.tookMs).toBeLessThan(limitMs);
  });

  test.each(checking)('%s %j', async (name, args) => {
    const end = await endOf(name, args);
    expect(end).toMatchObject({
      code: 1,
      err: expect.stringMatching(RegExp(`^${name}: failed: Redis[^\n]+\n$`)),
    });
    const failed = end.out.split('\n').filter((line) => line.startsWith('FAILED'));
    expect(failed).toHaveLength(name === 'sonny' ? 3 : 1);
    for (const line of failed) expect(line).toMatch(says());
    expectNoStack(end);
    expect(end.tookMs).toBeLessThan(limitMs);
  });

  test.each(fencing)('%s %j works all the same', async (name, args) => {
    const end = await endOf(name, args);
    expect(end).toMatchObject({ code: 0, out: expect.stringMatching(/^ok {6}hv01, level 1, /m) });
    expectNoStack(end);
    expect(end.tookMs).toBeLessThan(limitMs);
  });
});

test('a Redis that answers reads and takes no writes', async () => {
  const trouble = await redisThatTakesNoWrites();
  try {
    for (const [name, args] of [writing[0], writing[3]]) {
      const end = await run(trouble.ini, name, args);
      expect(end).toMatchObject({ code: 1, err: expect.stringMatching(RegExp(`^${name}: Redis [^\n]+\n$`)) });
      expect(end.err).toMatch(trouble.says);
      expect(end.tookMs).toBeLessThan(limitMs);
    }
    for (const [name, args] of checking) {
      const { code, out } = await run(trouble.ini, name, args);
      expect(code, out).toBe(1);
      expect(out).toMatch(/^FAILED {2}Redis[^\n]*: it takes no writes: /m);
      expect(out).toMatch(trouble.says);
    }
  } finally {
    await trouble.stop();
  }
});

const nameServers = silentNameServers(root);
if (nameServers.why !== null) process.stderr.write(`name servers that do not answer: ${nameServers.why}\n`);

test.skipIf(nameServers.why !== null)('name servers that do not answer', async () => {
  // Its time counts, so nobody else runs beside it.
  await Promise.all(ended.values());
  const [name, args] = writing[0];
  const end = await run({ host: 'redis.example', port: 6379 }, name, args, nameServers.wrapper);
  expect(end).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^ns4: Redis at redis\.example[^\n]+\n$/),
  });
  expect(end.tookMs).toBeLessThan(limitMs);
});
