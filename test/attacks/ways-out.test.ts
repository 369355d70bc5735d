// Ways on which a secret, or a process, could get lost: a redirect that asks for the token, the list of processes, an error
// that nobody caught. With the compiled processes.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { Household } from '../support/processes.ts';
import { until } from '../support/raw-api.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const password = 'of-the-cloud-and-nobody-else';
let redis: TestRedis;
let simulator: Simulator;
let house: Household;
beforeEach(async () => {
  [redis, simulator] = await Promise.all([
    startRedis(),
    startSimulator({ listen: false, computes: 2, password }),
  ]);
});
afterEach(async () => {
  await house?.close();
  await Promise.all([redis.stop(), simulator.close()]);
});

const open = (env: NodeJS.ProcessEnv = {}) => {
  house = new Household({
    ...{ cloud: 'simulated', redisPort: redis.port, cloudsYaml: simulator.cloudsYaml(), env },
    ini: { OPENSTACK: { cloud: 'simulated' }, SLACK: { clouds: 'simulated' }, MYSQL: { pass: password } },
  });
  return house;
};

test('a redirect is not followed, with the token or without', async () => {
  const asked: string[] = [];
  const elsewhere = createServer((request, response) => {
    asked.push(JSON.stringify(request.headers));
    response.end('{}');
  }).listen(0, '127.0.0.1');
  const location = () => `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;
  let redirected = 0;
  simulator.bend((_, answer) => {
    redirected += 1;
    const status = [301, 302, 303, 307, 308][redirected % 5] ?? 302;
    return redirected % 2 === 0 ? answer : { status, headers: { Location: location() } };
  });
  for (let i = 0; i < 2; i += 1)
    await open()
      .start('ns4', '--check')
      .exited.then(() => house.close());
  elsewhere.close();
  expect(redirected).toBeGreaterThan(5);
  expect(asked).toEqual([]);
}, 90_000);

test('no secret in the arguments or the environment of a process', async () => {
  const running = open().start('ns4', '-vv');
  await until(
    () => running.output,
    (output) => output.includes('logged in'),
    30_000,
  );
  for (const of of ['cmdline', 'environ'])
    expect(readFileSync(`/proc/${running.child.pid}/${of}`, 'utf8')).not.toContain(password);
  expect(running.output).not.toContain(password);
}, 60_000);

test.each(['ns4', 'monitor', 'sonny'] as const)(
  'an error in %s that nobody caught: said without its secret, code 1',
  async (name) => {
    // As a library would throw it, with what it was given.
    const thrown = `Object.assign(new Error('of a library: ${password}'), { args: ['${password}'] })`;
    const later = name === 'monitor' ? `Promise.reject(${thrown})` : `(() => { throw ${thrown} })()`;
    const program = `setTimeout(() => { ${later} }, 6000)`;
    const running = open({
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(program)}`,
    }).start(name);
    expect(await running.exited, running.output).toBe(1);
    expect(running.output).toContain(
      `${name}: an error that nobody caught, ending: Error: of a library: ****`,
    );
    expect(running.output).not.toContain(password);
  },
  60_000,
);
