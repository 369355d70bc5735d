// What signing and checking cost in a round of the monitor, with 1,000 hypervisors: of what a round sends through Redis (state,
// assignments, jobs, results, votes), without OpenStack and without the scan itself, which would only make the share smaller.
// Three rounds: nothing is wrong, one host fell silent, all of them did.
// Run with: npx tsx bench/signing.ts [HYPERVISORS]
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { firstState } from '../src/monitor/core/state/state.ts';
import { statusOf } from '../src/monitor/core/status.ts';
import { Lease } from '../src/monitor/lease.ts';
import { Memory } from '../src/monitor/memory.ts';
import type { Handlers, JobData, JobName } from '../src/shared/documents/jobs/contracts.ts';
import type { ScanResult } from '../src/shared/documents/jobs/scan.ts';
import { systemClock } from '../src/shared/ground/clock.ts';
import { JobProducer } from '../src/shared/jobs/job-producer.ts';
import { JobWorker } from '../src/shared/jobs/queue.ts';
import { keysOf } from '../src/shared/redis/keys.ts';
import { Trust } from '../src/shared/trust/trust.ts';
import { VantagePointRegistry } from '../src/shared/vantage-points/registry.ts';
import { rules } from '../test/support/monitor-story.ts';
import { startRedis } from '../test/support/redis.ts';
import { redisClient, settingsOf } from '../test/support/redis-client.ts';
import { testKey } from '../test/support/trust.ts';

const [hypervisors = 1_000] = process.argv.slice(2).map(Number);
const cloud = 'bench';
const rounds = 5;
const vantagePoints = ['eye1', 'eye2', 'eye3'];
/** A short one: monitor_period is 60 s unless it is set. */
const periodMs = 5_000;
/** [SCAN] timeout, which a scan of silent ports takes. */
const scanMs = 3_000;
/** As the driver looks for outcomes. */
const pollMs = 250;
/** A round saves its state at each step, and looks whether Redis still holds it in each turn. */
const [savesPerRound, turnsPerRound] = [6, 12];

/** CPU within it, and calls. By CPU, as the machine may do something else meanwhile. */
class TimedTrust extends Trust {
  spentMs = 0;
  calls = 0;
  override seal<T extends object>(...given: Parameters<Trust['seal']>): T {
    return this.#timed(() => super.seal(...given)) as T;
  }
  override text(...given: Parameters<Trust['text']>): string {
    return this.#timed(() => super.text(...given));
  }
  override distrusts(...given: Parameters<Trust['distrusts']>): ReturnType<Trust['distrusts']> {
    return this.#timed(() => super.distrusts(...given));
  }
  #timed<T>(act: () => T): T {
    const before = process.cpuUsage();
    try {
      return act();
    } finally {
      const { user, system } = process.cpuUsage(before);
      this.spentMs += (user + system) / 1_000;
      this.calls += 1;
    }
  }
}

const log = pino({ level: 'silent' });
const server = await startRedis();
const settings = settingsOf(server);
const redis = redisClient(settings, cloud);
const keys = keysOf(cloud);
const trust = new TimedTrust({
  ...{ cloud, signing: { keys: [testKey], unsigned: 'refuse' }, clock: systemClock },
  tell: (what) => {
    throw new Error(`not believed: ${JSON.stringify(what)}`);
  },
});
const silent = { state: 'silent', detail: '3 ports silent' } as const;
const answers = { state: 'answers', detail: '127.0.1.2:22 open' } as const;
const handlers = {
  'refresh-inventory': async () => ({
    ...{ ok: true, collectedAtMs: Date.now(), serversCollectedAtMs: null, hypervisors },
    ...{ servers: null, tookMs: 1 },
  }),
  scan: async ({ targets, controls }: JobData<'scan'>): Promise<ScanResult> => {
    await delay(scanMs);
    return {
      ...{ ok: true, outcome: 'seen', tookMs: scanMs },
      targets: Object.fromEntries(targets.map(({ name }) => [name, silent])),
      controls: Object.fromEntries(controls.map(({ name }) => [name, answers])),
    };
  },
} as unknown as Handlers;
const workers = vantagePoints.map((name) => new JobWorker(settings, cloud, trust, handlers, name, log));
const presences = vantagePoints.map((name) => new VantagePointRegistry(redis, keys).join(name, log));
const jobs = new JobProducer(settings, cloud, trust, log, { quorum: 2, timeoutMs: scanMs });
const lease = new Lease(redis, keys, 'bench/1');
const memory = new Memory(redis, keys, lease.text, trust);

const target = (i: number) => ({
  ...{ name: `hv${String(i).padStart(4, '0')}.example.org`, kind: 'host' as const },
  endpoints: [22, 111, 16_509].map((port) => ({ address: `10.0.${i >> 8}.${i & 255}`, port })),
});

async function done<N extends JobName>(name: N, id: string, data: JobData<N>): Promise<void> {
  await jobs.request(name, id, data);
  for (;;) {
    const { state } = await jobs.outcome(name, id);
    if (state === 'done') return;
    if (state !== 'waiting' && state !== 'running') throw new Error(`${name}: ${state}`);
    await delay(pollMs);
  }
}

async function round(id: string, suspects: number): Promise<void> {
  await done('refresh-inventory', `refresh-${id}`, { servers: false, requestedAtMs: Date.now() });
  if (suspects > 0) {
    const targets = Array.from({ length: suspects }, (_, i) => target(i));
    const controls = Array.from({ length: 6 }, (_, i) => target(hypervisors + i));
    await done('scan', `scan-${id}`, { targets, controls, requestedAtMs: Date.now() });
  }
  await lease.take(0);
  for (let turn = 0; turn < turnsPerRound; turn += 1) {
    const state = { ...firstState('life'), epoch: 1, revision: turn };
    if (turn < savesPerRound)
      await memory.save(state, [], statusOf(state, { cloud, who: 'bench/1', nowMs: Date.now(), rules }));
    await memory.holds(state);
    await memory.readOrders();
  }
}

for (const [name, suspects] of [
  ['nothing is wrong', 0],
  ['one host is silent', 1],
  ['all hosts are silent', hypervisors],
] as const) {
  await round(`warm-${suspects}`, suspects);
  [trust.spentMs, trust.calls] = [0, 0];
  const beganMs = performance.now();
  const cpu = process.cpuUsage();
  for (let i = 0; i < rounds; i += 1) {
    await round(`${suspects}-${i}`, suspects);
  }
  const tookMs = Math.max((performance.now() - beganMs) / rounds, periodMs);
  const { user, system } = process.cpuUsage(cpu);
  const spentMs = trust.spentMs / rounds;
  const line = [
    `${name}:`.padEnd(22),
    `${(trust.calls / rounds).toFixed(0)} documents signed or checked, ${spentMs.toFixed(2)} ms`,
    `${((100 * spentMs) / tookMs).toFixed(2)} % of a round of ${(tookMs / 1_000).toFixed(1)} s`,
    `(${((user + system) / 1_000 / rounds).toFixed(0)} ms of CPU for all that goes through Redis)`,
  ];
  process.stdout.write(`${line.join('  ')}\n`);
}
await Promise.all(presences.map((one) => one.leave()));
await Promise.all([...workers, jobs].map((one) => one.close()));
redis.disconnect();
await server.stop();
process.exit(0);
