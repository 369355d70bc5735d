// Somebody has the run of Redis: what would permit a dangerous step, written by him, with a key file and without one. Nobody
// who lives is touched, whom nothing proves dead is not moved, and ns4 is nobody's port scanner.
import { createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { redisOptions } from '../../src/shared/redis/connect.ts';
import { settingsOf } from '../support/redis-client.ts';
import { Crew } from './crew.ts';

let crew: Crew;
let closing: { close(): unknown }[];
beforeEach(() => {
  closing = [];
});
afterEach(async () => {
  await Promise.all(closing.map((one) => one.close()));
  await crew?.close();
});

const connection = () => ({
  ...redisOptions(settingsOf(crew.server), crew.cloud),
  maxRetriesPerRequest: null,
});
const queue = (name: string): Queue => {
  const opened = new Queue(name, { connection: connection(), prefix: crew.keys.prefix });
  closing.push(opened);
  return opened;
};
const told = (what: string, limitMs = 30_000) =>
  crew.household.waitForEvent(
    ({ facts }) => facts.kind === 'not-believed' && facts.document.what === what,
    limitMs,
  );
const refused = (name: string, limitMs = 40_000) =>
  crew.household.waitForEvent(
    ({ facts }) => facts.kind === 'refused' && facts.refusal.name === name,
    limitMs,
  );
const word = (atMs: number) => JSON.stringify({ who: 'alice', atMs });

test('a word that a host is off, whose device says that it is not', async () => {
  crew = await Crew.open({ key: true });
  await crew.start();
  crew.devices.get('hv01')?.behave('away');
  await crew.simulator.kill('hv01');
  await refused('fence-failed', 60_000);
  await crew.household.redis.set(crew.keys.fenceConfirmation('hv01'), word(Date.now()));
  await told('fence-word');
  await delay(5_000);
  // It is dead, so its device was asked; without proof nothing moves.
  crew.judgeTruth(['hv01']);
  expect(crew.simulator.snapshot().migrations).toEqual([]);
}, 180_000);

test('a word of the future, without a key', async () => {
  crew = await Crew.open();
  await crew.start();
  crew.devices.get('hv01')?.behave('away');
  await crew.household.redis.set(
    crew.keys.fenceConfirmation('hv01'),
    word(Date.now() + 3 * 365 * 86_400_000),
  );
  await crew.simulator.kill('hv01');
  await refused('fence-failed', 60_000);
  await delay(5_000);
  // It is dead, so its device was asked; without proof nothing moves.
  crew.judgeTruth(['hv01']);
  expect(crew.simulator.snapshot().migrations).toEqual([]);
}, 180_000);

test('a second vantage point that anybody made, and its votes', async () => {
  crew = await Crew.open({ key: true, ini: quorumOfTwo() });
  const { redis } = crew.household;
  // Before all others start: the monitor asks it for every scan.
  const silent = { ok: true, outcome: 'seen', targets: {}, controls: {}, tookMs: 1 };
  const join = setInterval(() => {
    redis.zadd(crew.keys.vantagePoints, Date.now() + 5_000, 'eye2 x').catch(() => {});
  }, 500);
  closing.push({ close: () => clearInterval(join) });
  closing.push(
    new Worker(
      'scan-eye2',
      async ({ data }) => ({
        ...silent,
        targets: Object.fromEntries(
          data.targets.map(({ name }: { name: string }) => [
            name,
            { state: 'silent', detail: '3 ports silent' },
          ]),
        ),
        controls: Object.fromEntries(
          data.controls.map(({ name }: { name: string }) => [name, { state: 'answers', detail: '' }]),
        ),
      }),
      { connection: connection(), prefix: crew.keys.prefix },
    ),
  );
  await crew.start({ heard: false });
  await crew.simulator.kill('hv01');
  await told('outcome');
  await delay(8_000);
  crew.judgeTruth();
}, 180_000);

test.each([
  ['with a key file', true],
  ['without one', false],
])(
  'a scan of somebody’s addresses, %s',
  async (_, key) => {
    crew = await Crew.open({ key });
    await crew.start();
    let callers = 0;
    const victim = await new Promise<Server>((resolve) => {
      const server = createServer(() => {
        callers += 1;
      }).listen(0, '127.0.0.3', () => resolve(server));
    });
    closing.push(victim);
    const { port } = victim.address() as { port: number };
    const points = (await crew.household.redis.zrange(crew.keys.vantagePoints, '0', '-1')).map(
      (one) => one.split(' ')[0] ?? '',
    );
    const endpoints = [{ address: '127.0.0.3', port }];
    for (const point of points)
      await queue(`scan-${point}`).add(
        'scan',
        {
          targets: [{ name: 'hv01', kind: 'host', endpoints }],
          controls: [{ name: 'c', endpoints }],
          requestedAtMs: Date.now(),
        },
        { jobId: 'forged' },
      );
    await delay(4_000);
    expect(points).toHaveLength(1);
    expect(callers).toBe(0);
    await crew.goesOn();
    crew.judgeTruth();
  },
  180_000,
);

const quorumOfTwo = () => ({
  SCAN: {
    ...{ hypervisor_ports: '10022,10111,16509', instance_ports: 10022, timeout: 0.5, quorum: 2 },
  },
});
