// How long it takes until a dead hypervisor is suspected, called dead, and its first instance asked for, on a real
// OpenStack: hv01 killed KILLS times, each at another moment of its heartbeats. Nothing without KILLS; with
// SONNY_CLOUD_STOCK=1 at stock intervals and with Sonny's own default periods; with OVN as well as without.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { SonnyEvent } from '../../src/shared/documents/events/events.ts';
import { Random } from '../simulation/random.ts';
import { cloudTool } from '../support/cloud-tool.ts';
import { firstRequestAtMs } from '../support/journals.ts';
import { periods, type Stage, stage, Testbed } from '../support/testbed.ts';

const kills = Number(process.env.KILLS ?? 0);
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const minute = 60_000;
const steps = ['suspected', 'dead', 'first request', 'over'] as const;
/** Seconds from the death to each step. */
type Times = Record<(typeof steps)[number], number>;

let testbed: Testbed;
let on: Stage | null = null;
const random = new Random(seed);

beforeAll(async () => {
  if (kills > 0) testbed = await Testbed.open();
});
afterEach(async () => {
  await on?.close();
  on = null;
});
afterAll(async () => {
  await testbed?.reset();
  await testbed?.close();
});

async function kill(): Promise<Times> {
  await testbed.reset();
  await testbed.boot('vm', 'hv01', { count: 3 });
  await testbed.boot('other', 'hv02');
  on = await stage(testbed);
  const { household } = on;
  household.start('ns4', '-v');
  household.start('monitor', '-v');
  await testbed.watched(on);
  // The rhythm of a monitor that has watched for a while, at another moment each time.
  await delay(1_000 * (periods.monitor + periods.heartbeat + random.between(0, periods.monitor)));
  const events = (await household.events()).filter(({ facts }) => facts.kind !== 'monitor-started');
  expect(events.map(({ text }) => text)).toEqual([]);
  const killedAtMs = Date.now();
  await cloudTool('kill', 'hv01');
  const first = (is: (event: SonnyEvent) => boolean) => household.waitForEvent(is, 4 * minute);
  const at = async (kind: string) => (await first(({ facts }) => facts.kind === kind)).atMs;
  const [suspectedMs, deadMs, overMs] = [
    await at('suspects-found'),
    await at('host-dead'),
    await at('recovery-ended'),
  ];
  const askedMs = (await firstRequestAtMs(on.household.redis, testbed.env.cloud)) ?? Number.NaN;
  const seconds = [suspectedMs, deadMs, askedMs, overMs].map(
    (ms) => Math.round((ms - killedAtMs) / 100) / 10,
  );
  const servers = await testbed.servers();
  for (const name of ['vm-1', 'vm-2', 'vm-3'])
    expect(servers.get(name), await household.story()).toMatchObject({ host: 'hv04', status: 'ACTIVE' });
  await on.close();
  on = null;
  return Object.fromEntries(steps.map((step, i) => [step, seconds[i]])) as Times;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

test.skipIf(kills === 0)(
  `hv01 killed ${kills} times (seed ${seed})`,
  { timeout: (kills + 1) * 10 * minute },
  async () => {
    const found: Times[] = [];
    for (let n = 0; n < kills; n += 1) {
      const times = await kill();
      found.push(times);
      process.stdout.write(`${JSON.stringify(times)}\n`);
    }
    const medians = steps.map((step) => `${step} ${median(found.map((times) => times[step]))} s`);
    process.stdout.write(`median of ${kills}: ${medians.join(', ')}\n`);
    // The last heartbeat may be as young as the death; then the look, and on OVN the ping with its second look.
    for (const times of found) expect(times.suspected).toBeLessThanOrEqual(periods.heartbeat + 15);
  },
);
