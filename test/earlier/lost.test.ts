// D, recoveries lost in silence, and the public reports (H) of the same kind.
import { expect } from 'vitest';
import { play } from './stage.ts';

const guests = ['vm-1', 'vm-2', 'vm-3'];
const everybody = ['hv01', 'hv02', ...guests, 'other'];
const eight = Array.from({ length: 8 }, (_, i) => `vm-${i + 1}`);
const slowly = {
  instances: Object.fromEntries(eight.map((name) => [name, ['hv01'] as const])),
  ini: { OPENSTACK: { concurrency: 1 } },
  cloud: { durations: { rebuildMs: 2_500 } },
};

/** Everybody's defaults, a tenth as long: rows are pinged every 3 s, which the review has as 37. */
const ovn = {
  cloud: { network: 'ovn', durations: { agentDownMs: 7_000 } },
  ini: { DEFAULT: { monitor_period: 5 } },
} as const;

play('D1, H1: with OVN a hypervisor dies', ovn, async (stage) => {
  await stage.watched(...everybody);
  await stage.simulator.kill('hv01');
  await stage.recovered('rows that nobody asked for are no outage', guests, 14);
});

play(
  'H2: with OVN and another reader nobody dies',
  {
    cloud: { network: 'ovn', durations: { agentDownMs: 14_000 } },
    // The monitor is a reader itself when it looks that often.
    ini: { DEFAULT: { heartbeat_period: 6 } },
  },
  async (stage) => {
    await stage.watched(...everybody);
    const before = (await stage.said()).length;
    await stage.round(20);
    expect((await stage.said()).slice(before), 'all is well').toEqual([]);
  },
);

play('H3: with OVN of old a hypervisor dies', { cloud: { network: 'ovn-of-old' } }, async (stage) => {
  await stage.watched(...everybody);
  await stage.simulator.kill('hv01');
  await stage.recovered('a stamp of the request is no beat', guests);
});

play('D2: a late report against a proof', { ...slowly, fenced: ['hv01'] }, async (stage) => {
  await stage.watched('hv01', 'hv02', ...eight, 'other');
  await stage.simulator.kill('hv01');
  // Seconds after the proof: a backlog takes its time to be worked off.
  await stage.until('half of them are asked for', 120_000, () => stage.moved.length >= 4);
  await stage.simulator.happen('RabbitMQ hands over what hv01 reported before');
  await stage.recovered('the device says off, so it was reported before', eight, 60);
});

play('D2: the agent of the spare is late as ns4 is started anew', slowly, async (stage) => {
  await stage.watched('hv01', 'hv02', ...eight, 'other');
  await stage.simulator.kill('hv01');
  await stage.until('the first is asked for', 90_000, () => stage.moved.length > 0);
  await stage.restartNs4(async () => {
    const { simulator } = stage;
    const isThere = (name: string) => simulator.snapshot().servers[name]?.ports[0]?.status === 'ACTIVE';
    const isMoved = (name: string) => simulator.snapshot().servers[name]?.host === 'hv04';
    // What is wired while the agent is away stays without a network, which is another case.
    await stage.until('those asked for are wired', 60_000, () =>
      stage.moved.every((name) => isMoved(name) && isThere(name)),
    );
    await simulator.happen('the agents of hv04 end');
    await stage.until('its agent is late', 60_000, () => !simulator.snapshot().hosts.hv04?.agentAlive);
  });
  const from = (await stage.said()).length;
  await stage.until('the spare is doubted', 60_000, () => stage.says(/hv04/, from));
  await stage.simulator.happen('the agents of hv04 run again');
  await stage.recovered('a late agent is waited for', eight, 60);
});

play(
  'D3: one ended in ERROR, and it is gone on with by hand on the same spare',
  { instances: { 'vm-1': ['hv01', { trouble: ['fails', 'fails', 'fails'] }], 'vm-2': ['hv01'] } },
  async (stage) => {
    await stage.watched('hv01', 'hv02', 'vm-1', 'vm-2', 'other');
    await stage.simulator.kill('hv01');
    expect(await stage.ends(), 'the first recovery').toBe(true);
    expect(stage.simulator.snapshot().servers['vm-1']).toMatchObject({ host: 'hv01', status: 'ERROR' });
    const { code, output } = await stage.run('ns4', ['-d', 'hv01', '-s', 'hv04']);
    expect(code, `the way that Sonny itself names:\n${output}`).toBe(0);
    expect(stage.simulator.snapshot().servers['vm-1']).toMatchObject({ host: 'hv04', status: 'ACTIVE' });
  },
);

play('D4: its agents were deleted, and it dies', {}, async (stage) => {
  await stage.watched(...everybody);
  await stage.simulator.happen('the agents of hv01 end');
  await stage.simulator.happen('somebody deletes the agents of hv01');
  await stage.round(2);
  await stage.simulator.kill('hv01');
  await stage.recovered('nova-compute tells of it', guests);
});

play('D4: the agents of a dead host are deleted', { spares: [] }, async (stage) => {
  await stage.watched(...everybody);
  await stage.simulator.kill('hv01');
  await stage.until('there is no spare', 60_000, () => stage.says(/spare/));
  await stage.simulator.happen('somebody deletes the agents of hv01');
  await stage.round(8);
  expect(await stage.says(/hv01 is no longer suspicious/), 'nobody has heard it').toBe(false);
});

play(
  'D5, H10: another cell is down',
  // A list that Nova answers with 500 is asked for again with pauses, so that each round takes seconds.
  { cloud: { cells: { cell2: ['hv03'] } }, ini: { DEFAULT: { heartbeat_period: 10 } } },
  async (stage) => {
    await stage.watched(...everybody);
    await stage.simulator.happen('cell2 does not answer Nova');
    await stage.simulator.kill('hv01');
    await stage.recovered('hv01 is of a cell that answers', guests, 80);
  },
);

play('D5: its user has one rebuilt on the dead host', {}, async (stage) => {
  await stage.watched(...everybody);
  await stage.simulator.kill('hv01');
  await stage.simulator.happen('somebody rebuilds vm-1');
  expect(await stage.ends(), 'nobody carries that order out, so nobody waits for it').toBe(true);
});

play('D5: an instance that Nova did not count yet', { instances: {}, fenced: ['hv01'] }, async (stage) => {
  stage.simulator.bend(({ path }, answer) => {
    if (!path.endsWith('/os-hypervisors/detail') || typeof answer.body !== 'object') return answer;
    const { hypervisors = [] } = answer.body as { hypervisors?: { service: { host: string } }[] };
    const counted = hypervisors.map((h) => (h.service.host === 'hv01' ? { ...h, running_vms: 0 } : h));
    return { ...answer, body: { ...answer.body, hypervisors: counted } };
  });
  await stage.watched('hv01', 'hv02', 'other');
  await stage.simulator.boot('young', 'hv01', { network: 'private' });
  await stage.simulator.kill('hv01');
  await stage.recovered('the list of instances is older than it', ['young']);
});

play('D5: one runs on the spare and does not answer', {}, async (stage) => {
  await stage.watched(...everybody);
  await stage.simulator.kill('hv01');
  await stage.simulator.happen('vm-2 answers nobody any more');
  expect(await stage.ends(170), 'its end').toBe(true);
  const end = (await stage.said()).find(
    ({ kind }) => kind.endsWith('-ended') && !kind.startsWith('instance'),
  );
  expect(end?.text, 'it answered before').toMatch(/not answer/);
});
