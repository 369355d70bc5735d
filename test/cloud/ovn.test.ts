// A real ML2/OVN cloud (`cloud up --ovn`): minutes in peace without a false word, a death that is recovered in time, an
// ovn-controller that is gone in good order, and each part of the control plane away for a minute.
// SONNY_CLOUD_OVN=1 says that the cloud is one; HEALTHY_MINUTES (2) how long the peace lasts.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cloudTool } from '../support/cloud-tool.ts';
import type { Household } from '../support/processes.ts';
import { never, periods, type Stage, stage, Testbed } from '../support/testbed.ts';

const isOvn = process.env.SONNY_CLOUD_OVN === '1';
const minute = 60_000;
const healthyMinutes = Number(process.env.HEALTHY_MINUTES ?? 2);

let testbed: Testbed;
let on: Stage | null = null;

/** Starts ns4 and monitor, and waits until a second refresh knows who beats. */
async function atWork(): Promise<Household> {
  on = await stage(testbed);
  const { household } = on;
  household.start('ns4', '-vv');
  household.start('monitor', '-vv');
  await testbed.until(
    'every ovn-controller to have beaten',
    async () => {
      const text = await household.redis.get(`sonny:{${testbed.env.cloud}}:inventory:hosts`);
      const { agents } = JSON.parse(text ?? '{"agents":[]}') as {
        agents: { binary: string; ovn: { says: string } | null }[];
      };
      const alive = agents.filter((a) => a.binary === 'ovn-controller' && a.ovn?.says === 'alive');
      return alive.length === Object.keys(testbed.env.hypervisors).length;
    },
    minute + 2_000 * periods.monitor,
  );
  await testbed.watched(on);
  return household;
}

/** What was said but for that somebody watches, who is still there to say it. */
async function wordsOf(household: Household): Promise<string[]> {
  expect(household.allAlive, await household.story()).toBe(true);
  const events = await household.events();
  return events.filter(({ facts }) => facts.kind !== 'monitor-started').map(({ text }) => text);
}

describe.skipIf(!isOvn)('a real OVN cloud', () => {
  beforeAll(async () => {
    testbed = await Testbed.open();
  });
  beforeEach(async () => {
    await testbed.reset();
    await testbed.boot('vm', 'hv01', { count: 2 });
    await testbed.boot('other', 'hv02');
  });
  afterEach(async () => {
    await on?.close();
    on = null;
  });
  afterAll(async () => {
    await testbed?.reset();
    await testbed?.close();
  });

  test(`${healthyMinutes} minutes in peace: not a word`, {
    timeout: (healthyMinutes + 5) * minute,
  }, async () => {
    const household = await atWork();
    await delay(healthyMinutes * minute);
    expect(await wordsOf(household)).toEqual([]);
  });

  test('hv01 dies: recovered', { timeout: 8 * minute }, async () => {
    const household = await atWork();
    const killedAtMs = Date.now();
    await cloudTool('kill', 'hv01');
    const since = (kind: string) =>
      household
        .waitForEvent(({ facts }) => facts.kind === kind, 3 * minute)
        .then(() => Math.round((Date.now() - killedAtMs) / 100) / 10);
    const [suspected, dead, ended] = [
      await since('suspects-found'),
      await since('host-dead'),
      await since('recovery-ended'),
    ];
    process.stdout.write(`suspected after ${suspected} s, dead after ${dead} s, over after ${ended} s\n`);
    const servers = await testbed.servers();
    for (const name of ['vm-1', 'vm-2'])
      expect(servers.get(name), (await wordsOf(household)).join('\n')).toMatchObject({
        ...{ host: 'hv04', status: 'ACTIVE', taskState: null },
      });
    expect(servers.get('other')).toMatchObject({ host: 'hv02' });
    const before = (await wordsOf(household)).filter((text) => /Nobody is judged/.test(text));
    expect(before).toEqual([]);
  });

  test('ovn-controller of hv01 is gone in good order, nova-compute reports: it lives', {
    timeout: 5 * minute,
  }, async () => {
    const household = await atWork();
    await cloudTool('kill', 'hv01', '--agent');
    await cloudTool('ovn', 'sb', 'chassis-del', 'hv01');
    await delay(minute + 2_000 * periods.monitor);
    expect(await wordsOf(household)).toEqual([]);
    expect(await testbed.cloud.listEvacuations('hv01', never)).toEqual([]);
  });

  test.each(['neutron', 'ovn-sb', 'ovn-northd'])(
    '%s is away for a minute: nobody is called dead, and no outage that is none',
    { timeout: 8 * minute },
    async (service) => {
      const household = await atWork();
      await cloudTool('service', 'stop', service);
      try {
        await delay(minute);
      } finally {
        await cloudTool('service', 'start', service);
      }
      await delay(minute);
      const said = (await wordsOf(household)).filter(
        (text) => !/I cannot see the cloud: Neutron|I can see the cloud again/.test(text),
      );
      expect(said).toEqual([]);
      expect(await testbed.cloud.listEvacuations('hv01', never)).toEqual([]);
    },
  );
});
