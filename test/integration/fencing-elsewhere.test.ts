// Two ns4 of which one has no way to the fence devices: the compiled processes, with a real fence agent on the other
// one only, and a key file that all have.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PretendDevice } from '../support/pretend-device.ts';
import { until } from '../support/raw-api.ts';
import { SmallCloud } from '../support/small-cloud.ts';

let small: SmallCloud;
let bmc: PretendDevice;
let far: string;
let near: string;
const scan = { hypervisor_ports: '10022,10111,16509', instance_ports: 10022, timeout: 0.5 };
beforeEach(async () => {
  small = await SmallCloud.open({ FENCING: { mode: 'required', timeout: 5 } });
  const { household } = small;
  bmc = new PretendDevice(join(household.dir, 'bmc'));
  const level = `{agent: ${bmc.program}, options: {plug: "{host}"}}`;
  const hosts = ['hv01', 'hv02'].map((host) => `  ${host}: {levels: [${level}]}\n`);
  writeFileSync(join(household.dir, 'fencing.yaml'), `hosts:\n${hosts.join('')}`, { mode: 0o600 });
  const REDIS = { key_file: 'sonny.key' };
  await household.start('ns4', '--make-key', 'sonny.key').exited;
  far = household.configure('far.ini', { REDIS, SCAN: { ...scan, name: 'far', fences: 'no' } });
  near = household.configure('near.ini', {
    ...{ REDIS, SCAN: { ...scan, name: 'near' } },
    FENCING: { mode: 'required', timeout: 5, hosts: 'fencing.yaml' },
  });
});
afterEach(async () => {
  await small.close();
});

async function run(...args: string[]) {
  const running = small.household.start('ns4', ...args);
  return { code: await running.exited, output: running.output };
}

/** Until somebody is registered that fences. */
async function fenced(): Promise<void> {
  await until(
    () => small.household.redis.zrange(small.keys.vantagePoints, '0', '-1'),
    (members) => members.some((member) => member.split(' ').length === 3),
    30_000,
  );
}

/** All that was asked and answered was signed as it should be. */
async function expectBelieved(): Promise<void> {
  expect(await small.household.events()).not.toContainEqual(
    expect.objectContaining({ facts: expect.objectContaining({ kind: 'not-believed' }) }),
  );
}

const said = async (what: string) => {
  const event = await small.household.waitForEvent((e) => e.text.includes(what), 60_000);
  return event.text;
};

test('nobody fences: named, nothing touched; the other one comes, powers it off, and all are back', async () => {
  small.household.start('ns4', '-vv', '-c', far);
  small.household.start('monitor', '-vv', '-c', far);
  await small.watched();
  const check = await run('--check', '-c', far);
  expect(check).toMatchObject({ code: 1, output: expect.stringContaining('and none is there') });
  await small.simulator.kill('hv01');
  expect(await said('hv01 is not proven to be off')).toMatch(
    /^hv01 is not proven to be off: no vantage point that fences answers \("\[SCAN\] fences = no here, and no other ns4 is there that fences"\)\. Nothing evacuated/,
  );
  expect(small.simulator.snapshot().migrations).toEqual([]);
  small.household.start('ns4', '-vv', '-c', near);
  expect((await small.ended()).text).toContain('all 3 affected instances are back');
  expect(bmc.offs).toBe(1);
  small.expectRecoveredOnce();
  await expectBelieved();
}, 180_000);

test('one recovery by hand where nobody fences, by the device of the other one, which is asked again', async () => {
  small.household.start('ns4', '-vv', '-c', near);
  const monitor = small.household.start('monitor', '-c', near);
  await fenced();
  await small.watched();
  await monitor.signal('SIGTERM');
  const check = await run('--check', '-c', far);
  expect(check, check.output).toMatchObject({ code: 0 });
  expect(check.output).toMatch(/ok {6}fencing: required; .*near: [0-9a-f]{16}; hv01: level 1, on \(/);
  expect(check.output).toMatch(
    /recovery: 2 of 2 .*: 2 with a proof through another vantage point; onto hv04/,
  );
  const status = await run('--fence', 'hv01', '--action', 'status', '-c', far);
  expect(status, status.output).toMatchObject({ code: 0 });
  expect(status.output).toMatch(/ok {6}hv01, level 1, \S+fence_pretend: on \(.*asked by near\)/);
  const off = await run('--fence', 'hv01', '--action', 'off', '--yes', '-c', far);
  expect(off).toMatchObject({ code: 2, output: expect.stringContaining('an ns4 that fences (now: near)') });
  expect(bmc.offs).toBe(0);

  await small.simulator.kill('hv01');
  // Its heartbeats have to be missing.
  await delay(4_000);
  const recovered = await run('-d', 'hv01', '-s', 'hv04', '--alone', '-v', '-c', far);
  expect(recovered, recovered.output).toMatchObject({ code: 0 });
  small.expectRecoveredOnce();
  const told = bmc.told.map(({ action }) => action);
  expect(bmc.offs).toBe(1);
  expect(told.slice(told.indexOf('off')).filter((action) => action === 'status').length).toBeGreaterThan(1);
  const [journal] = await small.household.redis.keys(`${small.keys.journal('*')}`);
  const text = await small.household.redis.get(journal ?? '');
  expect(text).toContain('(told by near)');
  await expectBelieved();
}, 180_000);
