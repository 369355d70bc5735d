// What a service manager hears of the three real processes, by systemd-notify: who is ready and when, and that they live.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { Household } from '../support/processes.ts';
import { until } from '../support/raw-api.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

/** Node has no such sockets. What comes with a message (the barrier of systemd-notify) is let go, and so answered. */
const listener = `
import socket, sys
heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
heard.bind(sys.argv[1])
print("listening", flush=True)
while True:
    print(heard.recv(4096).decode().replace("\\n", " "), flush=True)
`;

const cloud = 'simulated';
let simulator: Simulator;
let redis: TestRedis;
let household: Household;
let python: ChildProcess;
let heard: string[];
let dir: string;

beforeEach(async () => {
  [simulator, redis] = await Promise.all([startSimulator(), startRedis({ aof: true })]);
  dir = mkdtempSync(join(tmpdir(), 'sonny-notify-'));
  const socket = join(dir, 'socket');
  household = new Household({
    ...{ cloud, redisPort: redis.port, cloudsYaml: simulator.cloudsYaml() },
    ini: { OPENSTACK: { cloud } },
    env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1500000' },
  });
  heard = [];
  python = spawn('python3', ['-c', listener, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (python.stdout !== null) createInterface(python.stdout).on('line', (line) => heard.push(line));
  await hear('listening');
});
afterEach(async () => {
  await household.close();
  python.kill();
  rmSync(dir, { recursive: true, force: true });
  await redis.stop();
  await simulator.close();
});

/** The messages, without the barriers in between. */
const messages = () => heard.filter((line) => line !== 'BARRIER=1');
const hear = (message: string) =>
  until(messages, (all) => all.some((line) => line.includes(message)), 40_000);

test.each([
  ['ns4', 'works for cloud simulated'],
  ['monitor', 'watches cloud simulated'],
  ['sonny', 'relays simulated to the terminal'],
] as const)('%s is ready, lives, and ends', async (name, status) => {
  const running = household.start(name);
  await hear('WATCHDOG=1');
  expect(messages().slice(0, 3)).toEqual(['listening', `STATUS=${status} READY=1`, 'WATCHDOG=1']);
  await until(messages, (all) => all.length >= 6, 20_000);
  await running.signal('SIGTERM');
  await hear('STOPPING=1');
  const told = messages();
  await delay(1_000);
  expect(messages()).toEqual(told);
});

test('ns4 is not ready while Redis is away, and is when it is there', async () => {
  await redis.kill9();
  const running = household.start('ns4', '-v');
  await until(
    () => running.output,
    (output) => output.includes('working for cloud'),
    40_000,
  );
  await delay(2_000);
  expect(messages()).toEqual(['listening']);
  await redis.start();
  await hear('READY=1');
});

test('a monitor that stands still says nothing; without Redis it lives', async () => {
  const running = household.start('monitor');
  await hear('WATCHDOG=1');
  await running.signal('SIGSTOP');
  await delay(500);
  const told = messages().length;
  await delay(2_500);
  expect(messages()).toHaveLength(told);
  await running.signal('SIGCONT');
  await until(messages, (all) => all.length > told);
  redis.freeze();
  const before = messages().length;
  await until(messages, (all) => all.length > before + 4);
  redis.thaw();
  expect(messages().filter((line) => /still/.test(line))).toEqual([]);
});
