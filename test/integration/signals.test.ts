// Signals that operators, terminals and log rotation send to the three real processes.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { readLeader } from '../../src/shared/redis/leader.ts';
import { Household, type Running } from '../support/processes.ts';
import { until } from '../support/raw-api.ts';
import { freePort, startRedis, type TestRedis } from '../support/redis.ts';

const names = ['ns4', 'monitor', 'sonny'] as const;
/** Where Node would open its debugger; not the usual port, which may be somebody else's here. */
let debuggerPort: number;
const cloud = 'simulated';

let simulator: Simulator;
let redis: TestRedis;
let household: Household;
beforeEach(async () => {
  [simulator, redis, debuggerPort] = await Promise.all([startSimulator(), startRedis(), freePort()]);
  household = new Household({
    cloud,
    redisPort: redis.port,
    cloudsYaml: simulator.cloudsYaml(),
    ini: { OPENSTACK: { cloud } },
    env: { NODE_OPTIONS: `--inspect-port=${debuggerPort}` },
  });
});
afterEach(async () => {
  await household.close();
  await redis.stop();
  await simulator.close();
});

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
      .on('connect', () => {
        socket.destroy();
        resolve(true);
      })
      .on('error', () => resolve(false));
  });

/** Until Node itself would hear SIGUSR1 (bit 9 of what is caught); before that the signal ends it. */
const hearsUsr1 = ({ child }: Running): Promise<unknown> =>
  until(
    () => readFileSync(`/proc/${child.pid}/status`, 'utf8'),
    (status) =>
      (Number.parseInt(/^SigCgt:\s*([\da-f]+)/m.exec(status)?.[1]?.slice(-4) ?? '0', 16) & 0x200) !== 0,
  );

/** What each of them says once it works. */
const working = { ns4: 'working for cloud', monitor: 'watching cloud', sonny: 'relaying to' } as const;
const works = (name: (typeof names)[number], running: Running): Promise<unknown> =>
  until(
    () => running.output,
    (output) => output.includes(working[name]),
    30_000,
  );

test.each(names)('%s: SIGUSR1 opens no debugger', async (name) => {
  const running = household.start(name, '-v');
  await works(name, running);
  await running.signal('SIGUSR1');
  await running.signal('SIGUSR1');
  await until(
    () => running.output,
    (output) => output.includes('SIGUSR1 does nothing here'),
  );
  await delay(300);
  expect(await isOpen(debuggerPort)).toBe(false);
  expect(running.alive, running.output).toBe(true);
  expect(running.output.match(/SIGUSR1/g), running.output).toHaveLength(1);
});

test('a debugger that a SIGUSR1 opened while Node began is shut again', async () => {
  const running = household.start('sonny', '-v');
  await hearsUsr1(running);
  await running.signal('SIGUSR1');
  await works('sonny', running);
  await delay(1_500);
  expect(running.output).toContain('Debugger listening');
  expect(running.output).toContain('it is shut again');
  expect(await isOpen(debuggerPort)).toBe(false);
  expect(running.alive, running.output).toBe(true);
});

test('the terminal of the monitor closes: it gives the lead back in order', async () => {
  const running = household.start('monitor', '-v');
  const leader = () => readLeader(household.redis, keysOf(cloud));
  await until(leader, (who) => who !== null, 30_000);
  running.child.kill('SIGHUP');
  expect(await running.exited, running.output).toBe(0);
  expect(await leader()).toBeNull();
});

/** What each of them has to end by, whatever is away. */
const endsWithinMs = 12_000;

test.each([
  ['is gone', () => redis.kill9()],
  ['hangs', () => redis.freeze()],
])('Redis %s, and the three are told to end: they do', { timeout: 90_000 }, async (_, trouble) => {
  const three = names.map((name) => [name, household.start(name, '-v')] as const);
  await Promise.all(three.map(([name, running]) => works(name, running)));
  await trouble();
  await delay(1_500);
  for (const [, running] of three) running.child.kill('SIGTERM');
  const toldAtMs = Date.now();
  const tookMs = await Promise.all(three.map(([, { exited }]) => exited.then(() => Date.now() - toldAtMs)));
  expect(Math.max(...tookMs), `${tookMs}\n${three.map(([, r]) => r.output).join('\n')}`).toBeLessThan(
    endsWithinMs,
  );
});
