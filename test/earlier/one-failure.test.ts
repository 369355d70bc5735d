// B, two writers by one failure although Sonny could have known, and the public reports (H) of the same kind.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect } from 'vitest';
import { play, type Stage } from './stage.ts';

const guests = ['vm-1', 'vm-2', 'vm-3'];
const everybody = ['hv01', 'hv02', ...guests, 'other'];

play('B1: the agents are dead, nothing answers, nova-compute reports', {}, async (stage) => {
  await stage.watched(...everybody);
  await stage.simulator.kill('hv01', ['agent', 'address', 'guests']);
  await stage.nothingIsDone('nova-compute of hv01 reports every half second');
});

play('H8: an agent hangs, nova-compute reports, with fencing', { fenced: ['hv01'] }, async (stage) => {
  await stage.watched(...everybody);
  await stage.simulator.kill('hv01', ['agent', 'address', 'guests']);
  await stage.nothingIsDone('a healthy host is not powered off');
});

const mute = { mute: true };
play(
  'B2: guests that never spoke, and the management network is lost',
  { instances: { 'vm-1': ['hv01', mute], 'vm-2': ['hv01', mute] } },
  async (stage) => {
    await stage.watched('hv01', 'hv02', 'other');
    await stage.simulator.kill('hv01', ['compute', 'agent', 'address']);
    await stage.nothingIsDone('the silence of a guest behind a firewall tells nothing');
    expect(await stage.says(/^hv01 (is silent|does not answer)/), 'why, is said').toBe(true);
  },
);

play(
  'H6: one in ERROR that never ran is silent beside one without an external address',
  { instances: { broken: ['hv01', { vmState: 'error' }], inside: ['hv01', { network: 'private' }] } },
  async (stage) => {
    await stage.watched('hv01', 'hv02', 'other');
    await stage.simulator.kill('hv01', ['compute', 'agent', 'address']);
    await stage.nothingIsDone('what never ran does not testify');
  },
);

/** Silent but for its guests: the monitor waits, and somebody orders it all the same. */
async function orderedByHand(stage: Stage) {
  await stage.simulator.kill('hv01', ['compute', 'agent', 'address']);
  await stage.until('the guests are heard', 30_000, () =>
    stage.says(/of its instances answer|instances? answers?/),
  );
  return stage.run('ns4', ['-d', 'hv01', '-s', 'hv04']);
}

play('B4: by hand, although its guests answer', {}, async (stage) => {
  await stage.watched(...everybody);
  const { code, output } = await orderedByHand(stage);
  expect(stage.done, 'vm-1 to vm-3 answer at their addresses').toEqual([]);
  expect(code, output).not.toBe(0);
});

const six = Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [`vm-${n}`, ['hv01'] as const]));

play(
  'B5: guests answer again in mid-evacuation',
  { instances: six, ini: { OPENSTACK: { concurrency: 1 } }, cloud: { durations: { rebuildMs: 3_000 } } },
  async (stage) => {
    await stage.watched('hv01', 'hv02', ...Object.keys(six), 'other');
    await stage.simulator.happen('hv01 is cut off (reports, management, guests)');
    await stage.until('the first is asked for', 60_000, () => stage.moved.length > 0);
    await stage.simulator.happen('hv01 is connected again (guests)');
    await stage.ends();
    expect(stage.moved.length, 'those still to be moved answer meanwhile').toBeLessThan(6);
  },
);

play('B6: recovered on silence alone, it comes back as it was', {}, async (stage) => {
  await stage.watched(...everybody);
  await stage.simulator.happen('hv01 is cut off (reports, management, guests)');
  expect(await stage.ends(), 'silent in every way').toBe(true);
  await stage.round(3);
  const before = (await stage.said()).length;
  await stage.simulator.happen('hv01 is connected again');
  await stage.round(10);
  const since = (await stage.said()).slice(before);
  const alarm = since.find(({ level, text }) => level === 'error' && text.includes('vm-1'));
  expect(alarm?.text ?? '', 'three instances run on two hosts, and somebody has to be told').toMatch(/hv01/);
});

play(
  'B7: a gateway answers, no hypervisor does',
  { instances: { inside: ['hv01', { network: 'private' }] }, fenced: ['hv01'] },
  async (stage) => {
    const gateway = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(gateway, 'listening');
    try {
      const { port } = gateway.address() as AddressInfo;
      stage.household.configure('config.ini', { SCAN: { controls: `127.0.0.1:${port}` } });
      await stage.watched('hv01', 'hv02', 'other');
      for (const host of ['hv01', 'hv02', 'hv03', 'hv04']) await stage.simulator.silence(host);
      await stage.simulator.happen('agents and nova-compute of hv01 hang');
      await stage.nothingIsDone('the scanner hears no hypervisor, so it is blind');
    } finally {
      gateway.close();
    }
  },
);
