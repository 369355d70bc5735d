// Files that decide what runs and who logs in, laid as others could read, write or replace them: the compiled ns4 refuses
// them, or says who may read them.
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { PretendDevice } from '../support/pretend-device.ts';
import { Household } from '../support/processes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const nobody = 65_534;
let redis: TestRedis;
let simulator: Simulator;
let house: Household;
let agent: string;
beforeAll(async () => {
  [redis, simulator] = await Promise.all([startRedis(), startSimulator({ listen: false, computes: 2 })]);
});
afterAll(async () => {
  await Promise.all([redis.stop(), simulator.close()]);
});
beforeEach(() => {
  house = new Household({
    ...{ cloud: 'simulated', redisPort: redis.port, cloudsYaml: simulator.cloudsYaml() },
    ini: {
      OPENSTACK: { cloud: 'simulated' },
      FENCING: { mode: 'required', hosts: 'fencing.yaml', timeout: 2 },
      MYSQL: { pass: 'of-the-database' },
    },
  });
  agent = new PretendDevice(join(house.dir, 'bmc')).program;
  const levels = `hosts:\n  hv01: {levels: [{agent: ${agent}, options: {plug: "1", password: x}}]}\n`;
  writeFileSync(join(house.dir, 'fencing.yaml'), levels, { mode: 0o600 });
});
afterEach(() => house.close());

type Lay = () => void;
const at = (name: string) => join(house.dir, name);
const refused: Record<string, readonly [Lay, RegExp]> = {
  'clouds.yaml that others may write': [() => chmodSync(at('clouds.yaml'), 0o666), /clouds\.yaml.*mode 0666/],
  'config.ini that others may write': [() => chmodSync(at('config.ini'), 0o622), /config\.ini.*mode 0622/],
  'config.ini of another user': [() => chownSync(at('config.ini'), nobody, nobody), /belongs to uid 65534/],
  'fencing.yaml of another user': [
    () => chownSync(at('fencing.yaml'), nobody, nobody),
    /belongs to uid 65534/,
  ],
  'fencing.yaml that others may read': [() => chmodSync(at('fencing.yaml'), 0o644), /mode 0644/],
  'a folder in which others may replace it': [() => chmodSync(house.dir, 0o777), /folder .* has mode 0777/],
  'a fence agent that others may write': [() => chmodSync(agent, 0o777), /mode 0777/],
};

const check = async () => {
  const running = house.start('ns4', '--check');
  const code = await running.exited;
  return { code, output: running.output };
};

describe.runIf(process.getuid?.() === 0)('files', () => {
  test('as they should be: nothing is said of them', async () => {
    const { output } = await check();
    expect(output).not.toMatch(/mode 0|belongs to uid/);
  });

  test.each(Object.entries(refused))('%s: refused', async (_, [lay, says]) => {
    lay();
    const { code, output } = await check();
    expect(code).not.toBe(0);
    expect(output).toMatch(says);
  });

  test.each([
    ['clouds.yaml with the password', 'clouds.yaml'],
    ['config.ini with a password', 'config.ini'],
  ])('%s that others may read: said', async (_, name) => {
    chmodSync(at(name), 0o644);
    const { output } = await check();
    expect(output).toMatch(new RegExp(`${name}.*mode 0644, others than its owner may read its passwords`));
  });
});
