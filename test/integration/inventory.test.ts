// The inventory in a real Redis: never half a refresh, never another cloud's.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { handlersOf } from '../../src/ns4/jobs/handlers.ts';
import { announce } from '../../src/shared/documents/events/events.ts';
import type { OwnHandlers } from '../../src/shared/documents/jobs/contracts.ts';
import { JobProducer } from '../../src/shared/jobs/job-producer.ts';
import { JobWorker } from '../../src/shared/jobs/queue.ts';
import { databaseNumber, keysOf } from '../../src/shared/redis/keys.ts';
import { MovableClock, never, Worker } from '../support/evacuation-bench.ts';
import { readEvents } from '../support/events.ts';
import { readWhole } from '../support/inventories.ts';
import { until } from '../support/raw-api.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { redisClient, settingsOf } from '../support/redis-client.ts';
import { noKey } from '../support/trust.ts';

/** Two clouds that the original would have put into one database without telling them apart. */
function namesOnOneNumber(): [string, string] {
  const seen = new Map<number, string>();
  for (let n = 1; ; n += 1) {
    const name = `cloud-${n}`;
    const other = seen.get(databaseNumber(name));
    if (other !== undefined) return [other, name];
    seen.set(databaseNumber(name), name);
  }
}

const [here, there] = namesOnOneNumber();
let redis: TestRedis;
let simulators: [Simulator, Simulator];
let workers: [Worker, Worker];

beforeAll(async () => {
  redis = await startRedis();
  simulators = await Promise.all([
    startSimulator({ cloud: here, computes: 3, listen: false }),
    startSimulator({ cloud: there, computes: 5, listen: false }),
  ]);
  const worker = (simulator: Simulator) => new Worker(simulator, redis, new MovableClock(), [], {});
  workers = [worker(simulators[0]), worker(simulators[1])];
  await simulators[0].boot('vm-here', 'hv01');
  await simulators[1].boot('vm-there', 'hv01');
});
afterAll(async () => {
  await Promise.all([...workers, ...simulators].map((part) => part.close()));
  await redis.stop();
});
afterEach(() => simulators[0].clearFaults());

const refresh = (handlers: OwnHandlers, servers = true) =>
  handlers['refresh-inventory']({ servers, requestedAtMs: Date.now() }, never);

describe('defect 8: a refresh that fails leaves the previous inventory whole', () => {
  test.each(['/os-hypervisors', '/os-services', '/agents', '/os-aggregates', '/servers/detail'])(
    '%s fails, after all others were read',
    async (path) => {
      const [simulator] = simulators;
      const { parts } = workers[0];
      const handlers = handlersOf(parts);
      expect(await refresh(handlers)).toMatchObject({ ok: true, hypervisors: 3 });
      const before = await readWhole(parts.inventory);
      expect(before.picture.serversCollectedAtMs).toBe(before.picture.collectedAtMs);
      // The world changes in everything, so that a document of the failed refresh would show.
      const extra = `extra-${path.replaceAll('/', '')}`;
      await simulator.boot(extra, 'hv02');
      simulator.spare('hv03', extra);
      const fault = simulator.fault({ kind: 'nonsense', path, delayMs: 150, times: 20 });
      const result = await refresh(handlers);
      expect(result).toMatchObject({ ok: false });
      expect(fault.hits).toBeGreaterThan(0);
      expect(await readWhole(parts.inventory)).toEqual(before);
      simulator.clearFaults();
      expect(await refresh(handlers)).toMatchObject({ ok: true });
      const after = await readWhole(parts.inventory);
      expect(after.servers.map((s) => s.name)).toContain(extra);
      expect(after.picture.hypervisor('hv03')?.disabledReason).toBe(extra);
      expect(after.picture.serversCollectedAtMs).toBe(after.picture.collectedAtMs);
    },
  );

  test('a later page of the servers fails: as if none had been read', async () => {
    const [simulator] = simulators;
    const worker = new Worker(simulator, redis, new MovableClock(), [], { client: { pageSize: 2 } });
    const handlers = handlersOf(worker.parts);
    for (const name of ['page-1', 'page-2', 'page-3']) await simulator.boot(name, 'hv02');
    await refresh(handlers);
    const before = await readWhole(worker.parts.inventory);
    await simulator.delete('page-1');
    simulator.fault({ kind: 'html', path: /servers\/detail.*marker=/, times: 20 });
    expect(await refresh(handlers)).toMatchObject({ ok: false });
    expect(await readWhole(worker.parts.inventory)).toEqual(before);
    await worker.close();
  });

  test('readers see the hosts and the servers of one refresh, however often it is replaced', async () => {
    const { parts } = workers[0];
    const handlers = handlersOf(parts);
    let over = false;
    const writing = (async () => {
      for (let n = 0; n < 15; n += 1) await refresh(handlers);
      over = true;
    })();
    const reader = new Worker(simulators[0], redis, new MovableClock(), [], {});
    let reads = 0;
    while (!over) {
      const { picture, servers } = await readWhole(reader.parts.inventory);
      expect(picture.serversCollectedAtMs).toBe(picture.collectedAtMs);
      expect(servers).toHaveLength(picture.instanceCount ?? Number.NaN);
      reads += 1;
    }
    await writing;
    await reader.close();
    expect(reads).toBeGreaterThan(15);
  });

  test('the servers are left alone when they are young and not asked for', async () => {
    const { parts } = workers[0];
    const handlers = handlersOf(parts);
    await refresh(handlers);
    const before = await readWhole(parts.inventory);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await refresh(handlers, false)).toMatchObject({
      ok: true,
      servers: null,
      serversCollectedAtMs: null,
    });
    const after = await readWhole(parts.inventory);
    expect(after.servers).toEqual(before.servers);
    expect(after.picture.serversCollectedAtMs).toBe(before.picture.serversCollectedAtMs);
    expect(after.picture.collectedAtMs).toBeGreaterThan(before.picture.collectedAtMs);
  });
});

describe(`defect 11: two clouds on one database number (${here}, ${there})`, () => {
  test('their numbers are the same indeed', () => {
    expect(databaseNumber(here)).toBe(databaseNumber(there));
    expect(keysOf(here).prefix).not.toBe(keysOf(there).prefix);
  });

  test('each keeps its own inventory', async () => {
    await Promise.all(workers.map(({ parts }) => refresh(handlersOf(parts))));
    const [ours, theirs] = await Promise.all(workers.map(({ parts }) => readWhole(parts.inventory)));
    expect(ours?.picture).toMatchObject({ cloud: here });
    expect(ours?.picture.hypervisors).toHaveLength(3);
    expect(ours?.servers.map((s) => s.name)).toContain('vm-here');
    expect(theirs?.picture).toMatchObject({ cloud: there });
    expect(theirs?.picture.hypervisors).toHaveLength(5);
    expect(theirs?.servers.map((s) => s.name)).toEqual(['vm-there']);
  });

  test('each has its own jobs, of the same id even, done by its own workers', async () => {
    const sides = [here, there].map((cloud, i) => {
      const { parts } = workers[i as 0 | 1];
      return {
        cloud,
        producer: new JobProducer(parts.settings.redis, cloud, noKey(), parts.log, parts.settings.scan),
        parts,
      };
    });
    const data = { servers: true, requestedAtMs: Date.now() };
    for (const { producer } of sides) await producer.request('refresh-inventory', 'one-id', data);
    // Only one cloud has a worker: the other's job must stay where it is.
    const [ours, theirs] = sides;
    if (ours === undefined || theirs === undefined) throw new Error('two clouds');
    const work = (side: typeof ours) =>
      new JobWorker(
        side.parts.settings.redis,
        side.cloud,
        noKey(),
        handlersOf(side.parts),
        'vantage-point',
        side.parts.log,
      );
    const first = work(ours);
    const done = (side: typeof ours) =>
      until(
        () => side.producer.outcome('refresh-inventory', 'one-id'),
        (outcome) => outcome.state === 'done',
      );
    expect(await done(ours)).toMatchObject({ result: { ok: true, hypervisors: 3 } });
    expect(await theirs.producer.outcome('refresh-inventory', 'one-id')).toEqual({ state: 'waiting' });
    expect([await ours.producer.workers(), await theirs.producer.workers()]).toEqual([1, 0]);
    const second = work(theirs);
    expect(await done(theirs)).toMatchObject({ result: { ok: true, hypervisors: 5 } });
    await Promise.all([first.close(), second.close(), ours.producer.close(), theirs.producer.close()]);
  });

  test('each has its own events and its own incidents', async () => {
    const [ours, theirs] = [workers[0].parts, workers[1].parts];
    await ours.events.append([
      announce(here, 1, {
        kind: 'monitor-started',
        resumed: false,
        who: 'here/1',
        epoch: 1,
        fencing: 'none',
      }),
    ]);
    const clients = [here, there].map((cloud) => redisClient(settingsOf(redis), cloud));
    const told = await Promise.all(
      clients.map((client, i) => readEvents(client, keysOf(i === 0 ? here : there))),
    );
    for (const client of clients) client.disconnect();
    expect(told.map((events) => events.map(({ cloud }) => cloud))).toEqual([[here], []]);
    const hosts = { host: 'hv01', targets: [] };
    const lock = await ours.journals.lock(hosts, 0, never, null);
    const other = await theirs.journals.lock(hosts, 0, never, null);
    if ('heldByOther' in lock || 'heldByOther' in other) throw new Error('the clouds share their locks');
    expect(await ours.journals.lock(hosts, 0, never, null)).toEqual({ heldByOther: 'hv01' });
    await Promise.all([lock.release(), other.release()]);
  });
});
