// A real OpenStack in which nobody dies, under load: users at work, agents late by up to 35 s (at the fast intervals by as
// much in heartbeat periods), one by one and all at once. Sonny says not a word, whether it looks once a minute or every
// five seconds. HEALTHY_MINUTES (1) and SEED from the environment; SONNY_CLOUD_STOCK=1 says that the cloud was raised
// with --stock-intervals, and has Sonny's own default periods.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Random } from '../simulation/random.ts';
import { BusyCloud } from '../support/busy-cloud.ts';
import { isStock, never, periods, type Stage, stage, Testbed } from '../support/testbed.ts';

const minute = 60_000;
const minutes = Number(process.env.HEALTHY_MINUTES ?? 1);
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
/** What a machine that raises a cloud on two cores stutters is not scaled down with the intervals. */
const heartbeatPeriodS = isStock ? periods.heartbeat : 2 * periods.heartbeat;
const reportIntervalS = isStock ? 30 : 2;
/** 35 s late at stock intervals: a heartbeat is 65 s old by then. */
const latestMs = ((heartbeatPeriodS * 65) / 40 - reportIntervalS) * 1_000;
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
      DEFAULT: { monitor_period: monitorPeriodS, heartbeat_period: heartbeatPeriodS },
    });
    stages.push(on);
    for (const name of ['ns4', 'monitor', 'sonny'] as const) on.household.start(name, '-v');
    await testbed.watched(on);
  }
  const busy = new BusyCloud(testbed, new Random(seed), {
    latestMs,
    orderEveryMs: heartbeatPeriodS * 1_000,
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
    expect(household.allAlive, await household.story()).toBe(true);
  }
});

/** How late the agents really were, as Neutron shows it. */
async function watchAgents(untilMs: number): Promise<string> {
  let [oldestMs, most, unanswered] = [0, 0, 0];
  while (Date.now() < untilMs) {
    const agents = await testbed.cloud.listAgents(never).catch(() => null);
    if (agents === null) unanswered += 1;
    const agesMs = (agents ?? []).map(({ heartbeatAtMs }) => Date.now() - heartbeatAtMs);
    oldestMs = Math.max(oldestMs, ...agesMs);
    most = Math.max(most, agesMs.filter((ms) => ms > heartbeatPeriodS * 1_000).length);
    await delay(2_000);
  }
  return `oldest heartbeat ${(oldestMs / 1_000).toFixed(0)} s; ${most} of them at most were at once older than ${heartbeatPeriodS} s; Neutron did not answer ${unanswered} times`;
}

function summary({ pauses, orders, lastTrouble }: BusyCloud): string {
  const ordered = [...orders].map(([kind, { asked, done }]) => `${kind} ${done} of ${asked}`);
  return [
    `agents stood still ${pauses.single} times by themselves, ${pauses.allAtOnce} times all at once, ${(pauses.longestMs / 1_000).toFixed(1)} s at most`,
    `orders: ${ordered.join(', ')}${lastTrouble ? `; the last that failed: ${lastTrouble}` : ''}`,
  ].join('\n');
}
