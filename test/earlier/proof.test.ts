// A, two writers although fencing is required; and whom a device is told to power off (C6, C7, H17, H18).
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { agentAsking, answering } from '../support/asked-agent.ts';
import { PretendDevice } from '../support/pretend-device.ts';
import { play, type Stage } from './stage.ts';

const three = ['vm-1', 'vm-2', 'vm-3'];
const eight = Array.from({ length: 8 }, (_, i) => `vm-${i + 1}`);
const onHv01 = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, ['hv01'] as const]));
/** One after the other, so that something may happen in between. */
const slowly = {
  fenced: ['hv01'],
  instances: onHv01(eight),
  ini: { OPENSTACK: { concurrency: 1 } },
  cloud: { durations: { rebuildMs: 2_500 } },
};

const isTwice = (stage: Stage, name: string) => stage.simulator.snapshot().servers[name]?.everTwoWriters;

play(
  'A1, H5: drained when it dies, the migration is done in libvirt and not in Nova',
  { fenced: ['hv01'], instances: { moving: ['hv01', { network: 'private' }], 'vm-2': ['hv01'] } },
  async (stage) => {
    await stage.watched('hv01', 'hv02', 'vm-2', 'other');
    await stage.simulator.happen('an operator live-migrates moving to hv02');
    const runsOn = () => stage.simulator.snapshot().servers.moving?.runningOn ?? [];
    await stage.until('libvirt switches over', 30_000, () => runsOn().includes('hv02'));
    await stage.simulator.kill('hv01');
    expect(await stage.ends(), 'the other one is recovered').toBe(true);
    expect(stage.moved, 'it runs on hv02, and no fence can help').toEqual(['vm-2']);
  },
);

play(
  'A2: failed after its guest had started, then another spare by hand',
  {
    cloud: { computes: 5 },
    fenced: ['hv01'],
    spares: ['hv04', 'hv05'],
    instances: { 'vm-1': ['hv01', { trouble: ['fails-running'] }], 'vm-2': ['hv01'] },
    ini: { DEFAULT: { cooldown_period: 1 } },
  },
  async (stage) => {
    await stage.watched('hv01', 'hv02', 'vm-1', 'vm-2', 'other');
    await stage.simulator.kill('hv01');
    expect(await stage.ends(), 'the first recovery').toBe(true);
    const first = stage.simulator.snapshot().servers['vm-2']?.host;
    await stage.run('ns4', ['-d', 'hv01', '-s', first === 'hv04' ? 'hv05' : 'hv04']);
    expect(isTwice(stage, 'vm-1'), `it may run on ${first}`).toBe(false);
  },
);

play('A3: two hosts with the same device', { fenced: ['hv01', 'hv02'] }, async (stage) => {
  const { program } = stage.device('hv01');
  const level = `{agent: ${program}, options: {plug: 7, username: sonny}}`;
  stage.writeFencing(`hosts:\n  hv01: {levels: [${level}]}\n  hv02: {levels: [${level}]}`);
  const { code, output } = await stage.run('ns4', ['--check']);
  expect(code, `one of them would be shot for the other:\n${output}`).not.toBe(0);
});

play('A3: the device is that of another host', { fenced: ['hv01'] }, async (stage) => {
  let isOn = true;
  const agent = await answering(async (action) => {
    if (action === 'off') {
      isOn = false;
      await stage.simulator.kill('hv02');
    }
    if (action === 'status')
      return isOn ? { code: 0, output: 'Status: ON' } : { code: 2, output: 'Status: OFF' };
    return { code: 0, output: 'Success' };
  });
  try {
    const program = join(stage.household.dir, 'fence_asking');
    writeFileSync(program, agentAsking(agent.port), { mode: 0o755 });
    stage.writeFencing(`hosts:\n  hv01: {levels: [{agent: ${program}, options: {plug: hv01}}]}`);
    await stage.watched('hv01', 'hv02', ...three, 'other');
    await stage.simulator.happen('hv01 is cut off (reports, management, guests)');
    await stage.until('the device is told', 90_000, () => !isOn);
    await stage.round(8);
    expect(stage.moved, 'hv02 fell silent at the shot, and hv01 runs').toEqual([]);
  } finally {
    await agent.close();
  }
});

play('A3, H17: one of two feeds stays on', { fenced: ['hv01'] }, async (stage) => {
  const other = join(stage.household.dir, 'feed-b');
  mkdirSync(other);
  const [a, b] = [stage.device('hv01'), new PretendDevice(other)];
  b.behave('pretends');
  const [one, two] = [a, b].map(
    ({ program }) => `{agent: ${program}, options: {plug: hv01, username: sonny}}`,
  );
  stage.writeFencing(`hosts:\n  hv01: {levels: [{devices: [${one}, ${two}]}]}`);
  const { code, output } = await stage.run('ns4', ['--check']);
  expect(code, `that both must say off can be said:\n${output}`).toBe(0);
  await stage.watched('hv01', 'hv02', ...three, 'other');
  await stage.simulator.kill('hv01');
  await stage.until('both are told', 90_000, () => a.offs > 0 && b.offs > 0);
  await stage.round(6);
  expect(stage.moved, 'with one feed it runs').toEqual([]);
});

play('A4: power returns after the proof', slowly, async (stage) => {
  await stage.watched('hv01', 'hv02', ...eight, 'other');
  await stage.simulator.kill('hv01');
  await stage.until('the first is asked for', 90_000, () => stage.moved.length > 0);
  // It boots: nothing answers yet, and no agent reports.
  stage.device('hv01').power('on');
  expect(await stage.ends(), 'its end').toBe(true);
  expect(stage.moved.length, 'its device says on: what was not asked for stays').toBeLessThan(8);
});

play(
  'A5: a start of its user waits for the dead host',
  { fenced: ['hv01'], instances: { 'vm-1': ['hv01'], ordered: ['hv01', { stopped: true }] } },
  async (stage) => {
    await stage.watched('hv01', 'hv02', 'vm-1', 'other');
    await stage.simulator.kill('hv01');
    await stage.simulator.happen('somebody starts ordered');
    expect(await stage.ends(), 'the other one is recovered').toBe(true);
    expect(stage.moved, 'hv01 carries the order out when it returns').toEqual(['vm-1']);
  },
);

play('C6: a device that does it and never shows it', { fenced: ['hv01'] }, async (stage) => {
  stage.device('hv01').behave('hides');
  await stage.watched('hv01', 'hv02', ...three, 'other');
  await stage.simulator.kill('hv01');
  await stage.until('it is told', 90_000, () => stage.device('hv01').offs > 0);
  await stage.round(24);
  expect(stage.device('hv01').offs, 'whoever is switched on meanwhile is not shot while he boots').toBe(1);
});

play(
  'C7: two dead hosts onto one spare, by hand',
  {
    cloud: { computes: 8 },
    fenced: ['hv01', 'hv05'],
    instances: { 'vm-1': ['hv01'], 'vm-5': ['hv05'] },
    // The monitor itself begins nothing; by hand one after the other is allowed.
    ini: { DEFAULT: { suspicious_backoff: 1, dead_backoff: 2, cooldown_period: 0 } },
  },
  async (stage) => {
    const devices = ['hv01', 'hv05'].map((host) => stage.device(host));
    await stage.watched('hv01', 'hv05', 'hv02', 'vm-1', 'vm-5', 'other');
    for (const device of devices) device.behave('awaits');
    await stage.simulator.kill('hv01');
    await stage.simulator.kill('hv05');
    await stage.until('too many are silent', 60_000, () => stage.says(/hv01.*hv05/));
    let ended = 0;
    const orders = ['hv01', 'hv05'].map(async (host) => {
      await stage.run('ns4', ['-d', host, '-s', 'hv04']);
      ended += 1;
    });
    const told = () => devices.filter(({ offs }) => offs > 0).length;
    await stage.until('both are at work, or one is refused', 90_000, () => told() + ended >= 2);
    for (const device of devices) device.power('off');
    await Promise.all(orders);
    expect(stage.moved, 'a spare is filled by one recovery').toHaveLength(1);
  },
);

play('H18: a value that fence agents strip', { fenced: ['hv01'] }, async (stage) => {
  const { program } = stage.device('hv01');
  stage.writeFencing(
    `hosts:\n  hv01: {levels: [{agent: ${program}, options: {plug: hv01, password: '" a "'}}]}`,
  );
  const { code, output } = await stage.run('ns4', ['--check']);
  expect(code, `the agent would use another password:\n${output}`).not.toBe(0);
});
