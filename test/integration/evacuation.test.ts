// One dead hypervisor's evacuation from order to report, through the real client: the happy way, every kind of
// instance, the original's defects by number, and every refusal with nothing changed.
import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Snapshot } from '../../simulator/simulator.ts';
import { handlersOf } from '../../src/ns4/jobs/handlers.ts';
import { byDatabase } from '../../src/ns4/recovery/movers/database/by-database.ts';
import type { RecoverData, RecoveryReport } from '../../src/shared/documents/jobs/recover.ts';
import type { Refusal } from '../../src/shared/documents/refusals/refusals.ts';
import { controlHosts } from '../../src/shared/rules/controls.ts';
import {
  EvacuationBench,
  heartbeatPeriodMs,
  MovableClock,
  never,
  type Pair,
  PretendDatabase,
  SteadyClock,
  type Worker,
  type WorkerOptions,
} from '../support/evacuation-bench.ts';
import { readEvents } from '../support/events.ts';
import { until } from '../support/raw-api.ts';

let bench: EvacuationBench;
/** With listeners, so that a dead host is really silent. */
let real: EvacuationBench;

beforeAll(async () => {
  [bench, real] = await Promise.all([
    EvacuationBench.open(24, { domain: 'example.org' }),
    EvacuationBench.open(4, { listen: true }),
  ]);
});
afterAll(() => Promise.all([bench.close(), real.close()]));
afterEach(() => bench.simulator.clearFaults());

const outcomes = (report: RecoveryReport) =>
  Object.fromEntries(report.instances.map((i) => [i.name.replace(/^hv\d+-/, ''), i.outcome]));

function expectFenced({ dead, spare }: Pair): void {
  const { hosts } = bench.simulator.snapshot();
  expect(hosts[dead]).toMatchObject({
    forcedDown: true,
    status: 'disabled',
    disabledReason: expect.stringMatching(
      new RegExp(`^sonny resurrection on ${spare} \\(incident-\\S+ bench\\)$`),
    ),
  });
  expect(hosts[spare]).toMatchObject({ status: 'enabled', disabledReason: null, state: 'up' });
}

function expectOn(pair: Pair, name: string): void {
  expect(bench.seen(name)).toMatchObject({
    host: pair.spare,
    taskState: null,
    runningOn: [pair.spare],
    everTwoWriters: false,
    ports: [{ host: pair.spare, vifType: 'ovs', status: 'ACTIVE' }],
  });
}

describe('by Nova', () => {
  test('all instances come back, each asked for once', async () => {
    const pair = await bench.pair(12);
    const worker = bench.worker({ concurrency: 4 });
    const report = await worker.recover(bench.order(pair));
    expect(report).toMatchObject({
      outcome: 'done',
      refusal: null,
      acted: true,
      dead: pair.dead,
      targets: [{ kind: 'host', host: pair.spare }],
    });
    expect(report.instances.map((i) => [i.name, i.outcome, i.before, i.after, i.why])).toEqual(
      pair.names.map((name) => [name, 'recovered', 'ACTIVE', 'ACTIVE', null]),
    );
    for (const name of pair.names) {
      expectOn(pair, name);
      expect(bench.seen(name).evacuationsStarted).toBe(1);
    }
    expectFenced(pair);
    expect(worker.heard.map((facts) => facts.kind)).toEqual([
      'progress',
      'progress',
      ...pair.names.map(() => 'instance-ended'),
    ]);
    // The incident is ended, readable, and nobody's.
    expect(await worker.parts.journals.open(pair.dead)).toBeNull();
    expect(await worker.parts.journals.read(report.recovery)).toMatchObject({ acted: true, dead: pair.dead });
    expect(await bench.redis.exists(bench.keys.lock(pair.dead))).toBe(0);
  });

  test('never more at once than configured', async () => {
    const pair = await bench.pair(9);
    const underWay = () => pair.names.filter((n) => bench.seen(n).taskState !== null).length;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, underWay());
    }, 3);
    const worker = bench.worker({ concurrency: 2 });
    const report = await worker.recover(bench.order(pair));
    clearInterval(watch);
    expect(report.instances.every((i) => i.outcome === 'recovered')).toBe(true);
    expect(most, 'as far as was sampled').toBeLessThanOrEqual(2);
    // Two at once, by the journal: a busy machine samples too seldom to see them.
    const journal = await worker.parts.journals.read(report.recovery);
    const spans = Object.values(journal?.instances ?? {}).map(({ askedAtMs, endedAtMs }) => ({
      fromMs: askedAtMs ?? 0,
      toMs: endedAtMs ?? 0,
    }));
    const at = (ms: number) => spans.filter(({ fromMs, toMs }) => fromMs <= ms && ms < toMs).length;
    expect(Math.max(...spans.map(({ fromMs }) => at(fromMs)))).toBe(2);
  });

  test('every state of an instance: what Nova refuses stays, with its words, the others go on', async () => {
    const pair = await bench.pair({
      active: {},
      locked: { locked: true },
      off: { stopped: true },
      broken: { vmState: 'error', powerState: 1 },
      neverRan: { vmState: 'error' },
      paused: { vmState: 'paused' },
      suspended: { vmState: 'suspended' },
      rescued: { vmState: 'rescued' },
    });
    const report = await bench.worker().recover(bench.order(pair));
    expect(report.outcome).toBe('done');
    expect(outcomes(report)).toEqual({
      active: 'recovered',
      locked: 'recovered',
      off: 'recovered',
      broken: 'recovered',
      neverRan: 'skipped',
      paused: 'skipped',
      suspended: 'skipped',
      rescued: 'skipped',
    });
    const of = (name: string) => report.instances.find((i) => i.name.endsWith(name));
    expect(of('off')).toMatchObject({ before: 'SHUTOFF', after: 'SHUTOFF' });
    expect(of('broken')).toMatchObject({ before: 'ERROR', after: 'ACTIVE' });
    expect(of('neverRan')?.why).toBe('it was in ERROR and did not run (power state 0)');
    expect(of('paused')?.why).toMatch(
      /Nova refuses it: Cannot 'evacuate' instance .* while it is in vm_state paused/,
    );
    expect(bench.seen(`${pair.dead}-off`)).toMatchObject({
      host: pair.spare,
      status: 'SHUTOFF',
      runningOn: [],
    });
    for (const name of ['paused', 'suspended', 'rescued'])
      expect(bench.seen(`${pair.dead}-${name}`)).toMatchObject({ host: pair.dead, evacuationsStarted: 0 });
    expectFenced(pair);
  });

  test('a hypervisor without instances: done, and nothing touched', async () => {
    const pair = await bench.pair(0);
    const from = bench.simulator.requests.length;
    expect(await bench.worker().recover(bench.order(pair))).toMatchObject({
      outcome: 'done',
      acted: false,
      instances: [],
    });
    expect(bench.changes(from)).toEqual([]);
  });

  test('defect 10: one request forces down and disables the dead one, and the spare is enabled, before the first evacuate', async () => {
    const pair = await bench.pair(3);
    const from = bench.simulator.requests.length;
    await bench.worker().recover(bench.order(pair));
    const changes = bench.changes(from);
    expect(changes.slice(0, 2).map((r) => [r.method, JSON.parse(r.body), r.status])).toEqual([
      [
        'PUT',
        {
          status: 'disabled',
          disabled_reason: expect.stringMatching(`^sonny resurrection on ${pair.spare} `),
          forced_down: true,
        },
        200,
      ],
      ['PUT', { status: 'enabled' }, 200],
    ]);
    expect(changes.slice(2).map((r) => JSON.parse(r.body))).toEqual(
      pair.names.map(() => ({ evacuate: { host: pair.spare } })),
    );
  });

  test('defect 15: one instance fails for good, the others are back; the dead one stays down, the spare enabled', async () => {
    const pair = await bench.pair({
      good: {},
      once: { trouble: ['fails'] },
      never: { trouble: ['fails', 'fails', 'fails'] },
    });
    const report = await bench.worker().recover(bench.order(pair));
    expect(report).toMatchObject({ outcome: 'done', acted: true });
    expect(outcomes(report)).toEqual({ good: 'recovered', once: 'recovered', never: 'failed' });
    expect(report.instances.find((i) => i.name.endsWith('never'))).toMatchObject({
      why: `"Build of instance was aborted"; it may run on ${pair.spare}: look there (virsh list)`,
      after: 'ERROR',
    });
    const started = (name: string) => bench.seen(`${pair.dead}-${name}`).evacuationsStarted;
    expect([started('good'), started('once'), started('never')]).toEqual([1, 2, 3]);
    expectOn(pair, `${pair.dead}-good`);
    expectOn(pair, `${pair.dead}-once`);
    expectFenced(pair);
  });

  test('an instance deleted while it waits is skipped', async () => {
    const pair = await bench.pair(3);
    const worker = bench.worker({ concurrency: 1 });
    const running = worker.recover(bench.order(pair));
    await until(
      () => worker.heard,
      (heard) => heard.some((facts) => facts.kind === 'instance-ended'),
    );
    await bench.simulator.delete(pair.names[2] ?? '');
    const report = await running;
    expect(report.instances[2]).toMatchObject({ outcome: 'skipped', why: 'it was deleted meanwhile' });
    expect(outcomes(report)).toMatchObject({ vm01: 'recovered', vm02: 'recovered' });
  });

  test('a guest without network on the spare is no success', async () => {
    const pair = await bench.pair(1);
    const [name = ''] = pair.names;
    // The agent of the spare dies just before the first rebuild, which Nova calls done all the same.
    bench.simulator.fault({
      kind: 'slow',
      delayMs: heartbeatPeriodMs + 1_300,
      method: 'POST',
      body: /evacuate/,
    });
    const clock = new SteadyClock(bench.clock.aheadMs);
    const worker = bench.worker({ clock, client: { evacuateTimeoutMs: 10_000 } });
    const running = worker.recover(bench.order(pair));
    await until(
      () => bench.changes().some((r) => r.path.includes(bench.seen(name).id)),
      (asked) => asked,
    );
    await bench.simulator.kill(pair.spare, ['agent']);
    await until(
      () => bench.seen(name).host,
      (host) => host === pair.spare,
    );
    expect(bench.seen(name)).toMatchObject({ status: 'ACTIVE', ports: [{ vifType: 'binding_failed' }] });
    const moveOn = setInterval(() => {
      clock.passedMs += 10_000;
    }, 50);
    const report = await running.finally(() => clearInterval(moveOn));
    expect(report.instances[0]).toMatchObject({ outcome: 'failed' });
    expect(report.instances[0]?.why).toMatch(/^its port .* is binding_failed on /);
    expect(bench.seen(name).evacuationsStarted).toBe(1);
  });
});

describe('defect 9: by database', () => {
  const database = new PretendDatabase(() => bench.simulator);

  test('node is the name of the hypervisor, stopped instances get their ports rebound, Placement is corrected', async () => {
    const pair = await bench.pair({
      active: {},
      off: { stopped: true },
      paused: { vmState: 'paused' },
      rescued: { vmState: 'rescued' },
    });
    const report = await bench.worker({ mover: byDatabase(database) }).recover(bench.order(pair));
    expect(database.moves).toHaveLength(1);
    expect(database.moves[0]).toMatchObject({
      from: { host: pair.dead, node: `${pair.dead}.example.org` },
      to: { host: pair.spare, node: `${pair.spare}.example.org` },
    });
    expect(report).toMatchObject({ outcome: 'done', acted: true });
    expect(outcomes(report)).toEqual({
      active: 'recovered',
      off: 'recovered',
      paused: 'recovered',
      rescued: 'skipped',
    });
    await until(
      () => bench.seen(`${pair.dead}-off`).ports[0]?.status,
      (status) => status === 'ACTIVE',
    );
    for (const name of ['active', 'off', 'paused'])
      expect(bench.seen(`${pair.dead}-${name}`)).toMatchObject({
        host: pair.spare,
        node: `${pair.spare}.example.org`,
        status: name === 'off' ? 'SHUTOFF' : 'ACTIVE',
        ports: [{ host: pair.spare, vifType: 'ovs', status: 'ACTIVE' }],
        allocatedOn: [pair.spare],
        runningOn: name === 'off' ? [] : [pair.spare],
        evacuationsStarted: 0,
        everTwoWriters: false,
      });
    expect(bench.seen(`${pair.dead}-rescued`)).toMatchObject({ host: pair.dead, allocatedOn: [pair.dead] });
    expectFenced(pair);
  });

  test('the host comes back before an instance is started: it is not started elsewhere', async () => {
    const pair = await bench.pair({ active: {} });
    const clock = new MovableClock();
    const worker = bench.worker({ mover: byDatabase(database), clock });
    bench.simulator.fault({ kind: 'slow', delayMs: 400, method: 'PUT', path: '/ports' });
    const judgedAtMs = clock.nowMs() + 3_600_000;
    const running = worker.recover(bench.order(pair, { judgedAtMs }));
    await until(
      () =>
        bench.changes().some((r) => r.path.includes(bench.seen(`${pair.dead}-active`).ports[0]?.id ?? '')),
      (asked) => asked,
    );
    await bench.simulator.revive(pair.dead);
    clock.aheadMs = 25_000;
    expect(await running).toMatchObject({
      outcome: 'stopped',
      acted: true,
      refusal: { name: 'came-back' },
      instances: [{ outcome: 'unfinished' }],
    });
    expect(bench.seen(`${pair.dead}-active`)).toMatchObject({ everTwoWriters: false });
    expect(bench.seen(`${pair.dead}-active`).runningOn).not.toContain(pair.spare);
  });
});

describe('refused, with nothing changed', () => {
  let worker: Worker;
  beforeEach(() => {
    worker = bench.worker();
  });

  /** The world once nothing of an earlier test goes on in it. */
  async function atRest(): Promise<Snapshot> {
    for (let seen = bench.simulator.snapshot(); ; ) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      const now = bench.simulator.snapshot();
      if (isDeepStrictEqual(seen, now)) return now;
      seen = now;
    }
  }

  /** Runs an order that must be refused and change nothing at all. */
  async function refused(order: RecoverData, refusal: Partial<Refusal>): Promise<void> {
    const before = await atRest();
    const from = bench.simulator.requests.length;
    const report = await worker.recover(order);
    expect(report).toMatchObject({ outcome: 'refused', acted: false, instances: [], refusal });
    expect(bench.changes(from)).toEqual([]);
    expect(bench.simulator.snapshot()).toEqual(before);
    expect(await worker.parts.journals.read(order.recovery)).toBeNull();
    expect(await bench.redis.exists(bench.keys.lock(order.dead))).toBe(0);
  }

  test('the host answers', async () => {
    const pair = await bench.pair(1);
    worker.scans.set(pair.dead, { state: 'answers', detail: '10.0.0.1:22 open' });
    await refused(bench.order(pair), { name: 'came-back', evidence: '10.0.0.1:22 open' });
  });

  test('the scan fails, is blind, or cannot tell', async () => {
    const pair = await bench.pair(1);
    worker.scanResult = { ok: false, detail: 'EMFILE' };
    await refused(bench.order(pair), { name: 'scan-failed', detail: 'EMFILE' });
    worker.scanResult = {
      ok: true,
      outcome: 'blind',
      targets: { [pair.dead]: { state: 'silent', detail: '' } },
      controls: {},
      tookMs: 1,
    };
    await refused(bench.order(pair), { name: 'scanner-blind' });
    worker.scanResult = { ...worker.scanResult, outcome: 'seen', targets: {} };
    await refused(bench.order(pair), { name: 'scan-unknown' });
  });

  test('its heartbeat returned', async () => {
    const pair = await bench.pair(1);
    worker.scans.set(pair.dead, { state: 'silent', detail: '' });
    await bench.simulator.revive(pair.dead);
    await refused(bench.order(pair), { name: 'came-back', host: pair.dead });
  });

  test('the spare is enabled, has an instance, is down, or has no living agent', async () => {
    const [pair, down, silent] = [await bench.pair(1), await bench.pair(1), await bench.pair(1)];
    const unfit = (p: Pair, why: string) =>
      refused(bench.order(p), { name: 'spare-unfit', spare: p.spare, why });
    await bench.simulator.kill(down.spare, ['compute']);
    await bench.simulator.kill(silent.spare, ['agent']);
    bench.simulator.unspare(pair.spare);
    await unfit(pair, 'it is enabled, so not set aside as a spare');
    bench.simulator.spare(pair.spare);
    await bench.simulator.boot('squatter', pair.spare);
    await unfit(pair, 'it has 1 instances on it');
    await bench.simulator.delete('squatter');
    await bench.silence();
    await unfit(down, 'it has its nova-compute down');
    await unfit(silent, 'it has a silent network agent (neutron-openvswitch-agent)');
  });

  test('an unknown host, an unknown spare, the dead host as its own spare', async () => {
    const pair = await bench.pair(1);
    await refused(bench.order({ dead: 'hv999', spare: pair.spare }, { address: null }), {
      name: 'unknown-host',
      host: 'hv999',
    });
    await refused(bench.order({ dead: pair.dead, spare: 'hv999' }), { name: 'unknown-host', host: 'hv999' });
    await refused(bench.order({ dead: pair.dead, spare: pair.dead }), { name: 'spare-unfit' });
    // The name of the hypervisor is not the name of its service.
    await refused(bench.order({ dead: pair.dead, spare: `${pair.spare}.example.org` }), {
      name: 'unknown-host',
    });
  });

  test('an order that waited too long', async () => {
    const pair = await bench.pair(1);
    const nowMs = bench.clock.nowMs();
    await refused(bench.order(pair, { startByMs: nowMs - 1, requestedAtMs: nowMs - 61_000 }), {
      name: 'too-late',
      host: pair.dead,
    });
  });

  test('OpenStack is away: Keystone, Nova or Neutron', async () => {
    const pair = await bench.pair(1);
    for (const service of ['keystone', 'nova', 'neutron'] as const) {
      worker = bench.worker();
      await bench.simulator.stop(service);
      await refused(bench.order(pair), { name: 'api-unavailable', host: pair.dead });
      await bench.simulator.start(service);
    }
  });

  test('OpenStack talks nonsense', async () => {
    const pair = await bench.pair(1);
    for (const path of ['/os-hypervisors', '/os-services', '/servers/detail', '/agents', '/os-aggregates']) {
      const fault = bench.simulator.fault({ kind: 'nonsense', path, times: 100 });
      await refused(bench.order(pair), { name: 'api-unavailable' });
      expect(fault.hits).toBeGreaterThan(0);
      fault.cancel();
    }
  });

  test('its recovery to another spare is under way', async () => {
    const [pair, other] = [await bench.pair(1), await bench.pair(0)];
    // Begun, and its worker lost right after.
    const crashed = new AbortController();
    const first = bench.order(pair);
    const begun = bench.worker();
    bench.simulator.fault({ kind: 'hang', method: 'POST', body: /evacuate/ });
    const running = begun.recover(first, crashed.signal);
    await until(
      () =>
        bench
          .changes()
          .some((r) => r.body.includes('evacuate') && r.path.includes(bench.seen(pair.names[0] ?? '').id)),
      (asked) => asked,
    );
    crashed.abort(new Error('stopped'));
    expect((await running).outcome).toBe('handed-back');
    await refused(bench.order({ dead: pair.dead, spare: other.spare }), {
      name: 'already-recovering',
      host: pair.dead,
      incident: first.incident,
      spare: pair.spare,
    });
  });
});

describe('with real silence', () => {
  /** Through the handler, as a job is carried out. */
  async function asJob(pair: Pair, scanning: WorkerOptions['scanning'] = {}): Promise<RecoveryReport> {
    const { parts } = real.worker({ realScan: true, scanning });
    const handlers = handlersOf(parts);
    await handlers['refresh-inventory']({ servers: false, requestedAtMs: real.clock.nowMs() }, never);
    const picture = await parts.inventory.read();
    if (picture === null) throw new Error('no inventory');
    const { open, closed } = real.simulator.settings.hypervisorPorts;
    const rules = { heartbeatPeriodMs, hypervisorPorts: [...open, ...closed] };
    const controls = controlHosts(picture, new Set([pair.dead]), real.clock.nowMs(), rules);
    const order = real.order(pair, { controls });
    await real.assign(order);
    return handlers.recover(order, never);
  }

  test('the job as a whole: scanned, evacuated, the guests answer again, the inventory shows it', async () => {
    const pair = await real.pair(3);
    expect(await asJob(pair)).toMatchObject({ outcome: 'done', acted: true });
    await real.simulator.settled();
    const { inventory } = real.worker().parts;
    await until(
      async () => (await inventory.read())?.instancesOn(pair.spare),
      (moved) => moved === 3,
    );
    const kinds = (await readEvents(real.redis, real.keys)).map((event) => event.facts.kind);
    expect(kinds).toEqual(['progress', 'progress', 'instance-ended', 'instance-ended', 'instance-ended']);
  });

  test('nova-compute and agent are dead, but the host answers: refused', async () => {
    const pair = await real.pair(1);
    // Back with power and network, its processes gone again before they reported for long.
    await real.simulator.revive(pair.dead);
    await real.simulator.kill(pair.dead, ['compute', 'agent']);
    await real.silence();
    expect(await asJob(pair)).toMatchObject({
      outcome: 'refused',
      acted: false,
      refusal: { name: 'came-back' },
    });
    expect(real.simulator.snapshot().hosts[pair.dead]?.forcedDown).toBe(false);
  });

  test("it answers at the monitor's ports alone, as its controls do: refused", async () => {
    const pair = await real.pair(1);
    await real.simulator.revive(pair.dead);
    await real.simulator.kill(pair.dead, ['compute', 'agent']);
    await real.silence();
    const { closed } = real.simulator.settings.hypervisorPorts;
    expect(await asJob(pair, { hypervisorPorts: closed, refusedMeans: 'silent' })).toMatchObject({
      outcome: 'refused',
      acted: false,
      refusal: { name: 'came-back', evidence: expect.stringMatching(/ open$/) },
    });
  });
});
