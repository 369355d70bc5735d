// deploy/tmux: the three processes in the panes of one session, and their end in order.
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { readLeader } from '../../src/shared/redis/leader.ts';
import { VantagePointRegistry } from '../../src/shared/vantage-points/registry.ts';
import { Household } from '../support/processes.ts';
import { until } from '../support/raw-api.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const cloud = 'simulated';
let simulator: Simulator;
let redis: TestRedis;
let household: Household;
let dir: string;

beforeEach(async () => {
  [simulator, redis] = await Promise.all([startSimulator(), startRedis()]);
  household = new Household({
    ...{ cloud, redisPort: redis.port, cloudsYaml: simulator.cloudsYaml() },
    ini: { OPENSTACK: { cloud } },
  });
  dir = mkdtempSync(join(tmpdir(), 'sonny-tmux-'));
  mkdirSync(join(dir, 'bin'));
  for (const name of ['ns4', 'monitor', 'sonny']) {
    const file = join(dir, 'bin', name);
    writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${resolve(`dist/${name}/main.js`)}' "$@"\n`);
    chmodSync(file, 0o755);
  }
});
afterEach(async () => {
  await run('tmux', 'kill-server');
  await household.close();
  await redis.stop();
  await simulator.close();
  rmSync(dir, { recursive: true, force: true });
});

/** With a tmux server of the test's own. */
function run(program: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const { TMUX: _, ...inherited } = process.env;
  const env = {
    ...inherited,
    ...{ HOME: household.dir, TMUX_TMPDIR: dir, PATH: `${join(dir, 'bin')}:${process.env.PATH}` },
  };
  return new Promise((done) =>
    execFile(program, args, { env, cwd: household.dir, timeout: 30_000 }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code ?? 1), output: `${stdout}${stderr}` }),
    ),
  );
}
const tmux = (...args: string[]) => run(resolve('deploy/tmux'), ...args);

test('three panes; stopped, they gave back what they had', async () => {
  const { redis: db } = household;
  const keys = keysOf(cloud);
  const leader = () => readLeader(db, keys);
  const eyes = async () => (await new VantagePointRegistry(db, keys).list()).names.length;
  expect(await tmux('-c', 'config.ini')).toEqual({
    code: 0,
    output: 'tmux: ns4, monitor and sonny run in session sonny: tmux attach -t sonny\n',
  });
  await until(leader, (who) => who !== null, 30_000);
  await until(eyes, (count) => count === 1, 30_000);
  const panes = (await run('tmux', 'list-panes', '-s', '-t', 'sonny', '-F', '#{pane_current_command}'))
    .output;
  expect(panes.trim().split('\n')).toHaveLength(3);
  const again = await tmux();
  expect(again).toMatchObject({ code: 1, output: expect.stringContaining('runs already') });
  expect(await tmux('stop')).toEqual({ code: 0, output: '' });
  // Both would have run out only after 6 s.
  expect([await leader(), await eyes()]).toEqual([null, 0]);
});

test('what ended stays to be read', async () => {
  household.configure('config.ini', { REDIS: { port: 'nonsense' } });
  expect(await tmux()).toMatchObject({ code: 0 });
  const words = async () =>
    (await run('tmux', 'capture-pane', '-p', '-S', '-', '-t', 'sonny:sonny.0')).output.replaceAll('\n', '');
  await until(words, (text) => text.includes('[REDIS] port') && text.includes('Pane is dead'), 20_000);
});

test.each([
  [['stop'], 'no session sonny'],
  [['-c', 'nowhere.ini'], 'nowhere.ini cannot be read'],
  [['-c'], 'expected a file after -c'],
  [['start'], 'unknown argument start'],
])('%j: %s', async (args, words) => {
  expect(await tmux(...args)).toMatchObject({ code: 1, output: expect.stringContaining(words) });
});
