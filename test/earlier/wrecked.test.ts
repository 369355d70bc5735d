// C, instances or hosts wrecked, and the public reports (H) of the same kind.
import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import { pretendHeard } from '../support/baseline.ts';
import { Household } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
import { play, type Stage } from './stage.ts';

const guests = ['vm-1', 'vm-2', 'vm-3'];
const everybody = ['hv01', 'hv02', ...guests, 'other'];
const inside = { inside: ['hv01', { network: 'private' }] } as const;

play('C1: a hypervisor that never answered', { instances: inside, fenced: ['hv01'] }, async (stage) => {
  await stage.simulator.silence('hv01');
  await stage.watched('hv02', 'other');
  await stage.simulator.happen('agents and nova-compute of hv01 hang');
  await stage.nothingIsDone('it was silent all its life: a firewall, or a wrong address');
});

/** A whole Sonny beside the stage's own, which knows nothing of it. */
async function secondSonny(stage: Stage): Promise<{ redis: Redis; close(): Promise<void> }> {
  const { simulator } = stage;
  const { cloud } = simulator.settings;
  const server = await startRedis();
  const household = new Household({
    cloud,
    redisPort: server.port,
    cloudsYaml: simulator.cloudsYaml(),
    ini: {
      DEFAULT: { monitor_period: 1, heartbeat_period: 3, cooldown_period: 3600 },
      OPENSTACK: { cloud },
      SCAN: { hypervisor_ports: '10022,10111,16509', instance_ports: 10022, timeout: 0.5, name: 'there' },
    },
  });
  const { redis } = household;
  const addresses = everybody.map((name) => simulator.addressOf(name) ?? '');
  await pretendHeard(redis, cloud, addresses, ['there']);
  household.start('ns4');
  household.start('monitor');
  return {
    redis,
    close: async () => {
      await household.close();
      await server.stop();
    },
  };
}

play('C2: two Sonnys with a Redis each', { spares: [] }, async (stage) => {
  const { simulator } = stage;
  const second = await secondSonny(stage);
  const own = stage.household.redis;
  const sees = async (redis: Redis, words: RegExp) =>
    (await stage.said(redis)).some(({ text }) => words.test(text));
  try {
    await stage.watched(...everybody);
    // Nova is slow, so that both are at it before either finds a trace of the other one.
    const slow = { kind: 'slow', api: 'nova', times: 99 } as const;
    simulator.fault({ ...slow, method: 'PUT', body: /resurrection/, delayMs: 2_000 });
    simulator.fault({ ...slow, method: 'PUT', body: /"enabled"/, delayMs: 6_000 });
    simulator.fault({ ...slow, method: 'POST', body: /evacuate/, delayMs: 4_000 });
    await simulator.kill('hv01');
    for (const redis of [own, second.redis])
      await stage.until('both know that it is dead', 90_000, () => sees(redis, /spare/));
    simulator.spare('hv04');
    await stage.until('they act', 90_000, () => stage.moved.length > 0);
    await stage.round(14);
    expect(Math.max(...guests.map((name) => stage.asked(name))), 'nobody is asked for twice').toBe(1);
  } finally {
    await second.close();
  }
});

const five = Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`vm-${n}`, ['hv01'] as const]));

play(
  'C3: a spare of another cell',
  { cloud: { cells: { cell2: ['hv04'] } }, instances: five },
  async (stage) => {
    await stage.watched('hv01', 'hv02', ...Object.keys(five), 'other');
    await stage.simulator.kill('hv01');
    await stage.until('the first is asked for', 90_000, () => stage.moved.length > 0);
    await stage.round(8);
    expect(stage.moved, 'each that is asked for is wedged for good').toHaveLength(1);
  },
);

for (const [name, reason] of [
  ['C4', 'fan broken, waiting for spare part'],
  ['H26', 'NOT a spare: BMC dead'],
] as const)
  play(`${name}: a host that is disabled as "${reason}"`, { spares: [] }, async (stage) => {
    stage.simulator.spare('hv04', reason);
    await stage.watched(...everybody);
    await stage.simulator.kill('hv01');
    await stage.nothingIsDone('it is no spare');
    expect(await stage.says(/spare/), 'that there is none is said').toBe(true);
  });

play('C5: planned work', { fenced: ['hv01'] }, async (stage) => {
  await stage.watched(...everybody);
  stage.simulator.spare('hv01', 'maintenance: BIOS update');
  await stage.simulator.kill('hv01');
  await stage.nothingIsDone('an operator is at work');
});

play(
  'C9: one in ERROR that never ran',
  { instances: { broken: ['hv01', { vmState: 'error', network: 'private' }], 'vm-1': ['hv01'] } },
  async (stage) => {
    await stage.watched('hv01', 'hv02', 'vm-1', 'other');
    await stage.simulator.kill('hv01');
    expect(await stage.ends(), 'the other one is recovered').toBe(true);
    expect(stage.moved, 'an evacuation would start it').toEqual(['vm-1']);
  },
);
