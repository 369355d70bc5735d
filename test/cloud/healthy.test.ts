// A real OpenStack in which nobody dies, under load: users at work, agents late by up to seven eighths of the heartbeat
// period (35 s of the default 40 s), one by one and all at once. Sonny says not a word, whether it looks once a minute or
// every five seconds. HEALTHY_MINUTES (1) from the environment; SONNY_CLOUD_STOCK=1 says that the cloud was raised with
// --stock-intervals, and has Sonny's own default periods; SEED.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Random } from '../simulation/random.ts';
import { BusyCloud } from '../support/busy-cloud.ts';
import { never, periods, type Stage, stage, Testbed } from '../support/testbed.ts';

const minute = 60_000;
const minutes = Number(process.env.HEALTHY_MINUTES ?? 1);
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const latestMs = (periods.heartbeat * 1_000 * 7) / 8;
const looks = new Set([periods.monitor, 5]);

let testbed: Testbed;
const stages: Stage[] = [];

beforeAll(async () => {
  testbed = await Testbed.open();
});
beforeEach(async () => {
  await testbed.reset();
  for (const host of ['hv01', 'hv02', 'hv03']) await testbed.boot(`on-${host}`, host);
});
afterEach(async () => {
  for (const one of stages.splice(0)) await one.close();
});
afterAll(async () => {
  await testbed?.reset();
  await testbed?.close();
});

test(`${minutes} minutes under load (seed ${seed}): not a word`, {
  timeout: (minutes + 8) * minute,
}, async () => {
  for (const monitorPeriodS of looks) {
    const on = await stage(testbed, {
      DEFAULT: { monitor_period: monitorPeriodS },
    });
    stages.push(on);
    for (const name of ['ns4', 'monitor', 'sonny'] as const) on.household.start(name, '-v');
    await testbed.watched(on);
  }
  const busy = new BusyCloud(testbed, new Random(seed), {
    latestMs,
    orderEveryMs: periods.heartbeat * 1_000,
    hosts: ['hv01', 'hv02', 'hv03'],
  });
  busy.start();
  const late = await watchAgents(Date.now() + minutes * minute);
  await busy.stop();
  process.stdout.write(`${summary(busy)}\n${late}\n`);
  for (const { household } of stages) {
    const events = await household.events();
    const words = events.filter(({ facts }) => facts.kind !== 'monitor-started');
    expect(words.map(({ atMs, text }) => `${new Date(atMs).toISOString()} ${text}`)).toEqual([]);
  }
});

/** How late the agents really were, as Neutron shows it. */
async function watchAgents(untilMs: number): Promise<string> {
  let [oldestMs, most] = [0, 0];
  while (Date.now() < untilMs) {
    const agents = await testbed.cloud.listAgents(never);
    const agesMs = agents.map(({ heartbeatAtMs }) => Date.now() - heartbeatAtMs);
    oldestMs = Math.max(oldestMs, ...agesMs);
    most = Math.max(most, agesMs.filter((ms) => ms > periods.heartbeat * 1_000).length);
    await delay(2_000);
  }
  return `oldest heartbeat ${(oldestMs / 1_000).toFixed(0)} s; at once older than ${periods.heartbeat} s: ${most} at most`;
}

function summary({ pauses, orders, lastTrouble }: BusyCloud): string {
  const ordered = [...orders].map(([kind, { asked, done }]) => `${kind} ${done} of ${asked}`);
  return [
    `agents stood still ${pauses.single} times by themselves, ${pauses.allAtOnce} times all at once, ${(pauses.longestMs / 1_000).toFixed(1)} s at most`,
    `orders: ${ordered.join(', ')}${lastTrouble ? `; the last that failed: ${lastTrouble}` : ''}`,
  ].join('\n');
}
