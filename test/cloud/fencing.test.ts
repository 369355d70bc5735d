// Proof before recovery on a real OpenStack: hv01 hangs (its processes stand still, its addresses and its guests' are
// silent) while its machine is on. The BMC is Debian's ipmi_sim, behind Debian's fence_ipmilan.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Journal } from '../../src/ns4/recovery/journal/journal.ts';
import { cloudTool } from '../support/cloud-tool.ts';
import { bmcPassword, IpmiSim } from '../support/ipmi-sim.ts';
import { type Stage, stage, Testbed } from '../support/testbed.ts';

let testbed: Testbed;
let on: Stage;
let dir: string;
let bmc: IpmiSim;

beforeAll(async () => {
  testbed = await Testbed.open();
});
beforeEach(async () => {
  await testbed.reset();
  await testbed.boot('vm', 'hv01', { count: 3 });
  await testbed.boot('other', 'hv02');
  dir = mkdtempSync(join(tmpdir(), 'sonny-fencing-'));
  bmc = await IpmiSim.start(dir);
  on = await stage(testbed, {
    DEFAULT: { monitor_period: 4 },
    SCAN: { timeout: 1 },
    FENCING: { mode: 'required', hosts: 'fencing.yaml', timeout: 6 },
  });
  const options = Object.entries(bmc.options).map(([key, value]) => `          ${key}: "${value}"\n`);
  const level = `      - agent: fence_ipmilan\n        options:\n${options.join('')}`;
  const file = join(on.household.dir, 'fencing.yaml');
  writeFileSync(file, `hosts:\n  hv01:\n    levels:\n${level}`, { mode: 0o600 });
});
afterEach(async () => {
  await on?.close();
  await bmc?.stop();
  await cloudTool('revive', 'hv01');
  rmSync(dir, { recursive: true, force: true });
});
afterAll(async () => {
  await testbed?.reset();
  await testbed?.close();
});

const names = ['vm-1', 'vm-2', 'vm-3'];

async function atWork(): Promise<void> {
  on.household.start('ns4', '-vv');
  on.household.start('monitor', '-vv');
  await testbed.watched(on);
}

/** Everything of hv01 stands still, and nobody on it answers; yet its machine is on. */
async function hangHv01(): Promise<void> {
  const servers = await testbed.servers();
  const guests = names.flatMap((name) => servers.get(name)?.addresses.map((a) => a.address) ?? []);
  await cloudTool('hang', 'hv01');
  for (const ip of [testbed.addressOf('hv01'), ...guests.filter((address) => address.startsWith('127.'))])
    await cloudTool('silence', ip);
}

const before = new Set<string>();
/** Evacuations of hv01 that began since the test did. */
const evacuations = async () => (await testbed.evacuations()).filter((m) => !before.has(m.uuid));
beforeEach(async () => {
  for (const { uuid } of await testbed.evacuations()) before.add(uuid);
});

async function expectUntouched(): Promise<void> {
  expect(await evacuations()).toEqual([]);
  const servers = await testbed.servers();
  for (const name of names) expect(servers.get(name)).toMatchObject({ host: 'hv01', status: 'ACTIVE' });
  expect(await testbed.service('hv01')).toMatchObject({ forcedDown: false, status: 'enabled' });
  expect(await testbed.service('hv04')).toMatchObject({ status: 'disabled', disabledReason: 'spare' });
}

async function expectRecovered(): Promise<void> {
  const servers = await testbed.servers();
  for (const name of names) expect(servers.get(name)).toMatchObject({ host: 'hv04', status: 'ACTIVE' });
  const moved = (await evacuations()).map((m) => m.instanceId);
  expect(moved).toHaveLength(names.length);
  expect(new Set(moved).size).toBe(names.length);
}

/** The journal of the one incident that acted, as anybody can read it in Redis. */
async function journal() {
  const keys = await on.household.redis.keys(`sonny:{${testbed.env.cloud}}:incident:*`);
  const texts = await Promise.all(keys.map((key) => on.household.redis.get(key)));
  const acted = texts.map((text) => JSON.parse(text ?? '')).filter((incident) => incident.acted);
  expect(acted).toHaveLength(1);
  return acted[0] as Pick<Journal, 'proof' | 'instances'>;
}

const ended = () => on.household.waitForEvent((e) => e.facts.kind === 'recovery-ended', 90_000);
const isFenceFailed = (e: { facts: { kind: string; refusal?: { name: string } } }) =>
  e.facts.kind === 'refused' && e.facts.refusal?.name === 'fence-failed';

describe('hv01 hangs', () => {
  test('its power is off before the first evacuate request', async () => {
    await atWork();
    const hungAtMs = Date.now();
    await hangHv01();
    expect((await ended()).text).toContain('all 3 affected instances are back');
    await expectRecovered();
    expect(bmc.isOn).toBe(false);
    const [offAtMs = Number.NaN] = bmc.offsAtMs;
    expect(bmc.offsAtMs).toHaveLength(1);
    const { proof, instances } = await journal();
    expect(proof).toMatchObject({ by: 'agent', agent: 'fence_ipmilan', level: 1, failed: [] });
    // Written down before the request leaves.
    const firstAskedAtMs = Math.min(...Object.values(instances).map((i) => i.askedAtMs ?? 0));
    const firstMs = Math.min(...(await evacuations()).map((m) => m.createdAtMs));
    const provenAtMs = proof?.atMs ?? Number.NaN;
    const told = {
      'power off, by the BMC': offAtMs - hungAtMs,
      'seen off': provenAtMs - hungAtMs,
      'first evacuation about to be asked for': firstAskedAtMs - hungAtMs,
      "Nova's first migration (whole seconds)": firstMs - hungAtMs,
    };
    process.stdout.write(`ms after hv01 hung: ${JSON.stringify(told)}\n`);
    expect(offAtMs).toBeGreaterThan(hungAtMs);
    expect(offAtMs).toBeLessThanOrEqual(provenAtMs);
    expect(provenAtMs).toBeLessThanOrEqual(firstAskedAtMs);
    // Nova's records carry whole seconds, cut off.
    expect(firstMs).toBeGreaterThanOrEqual(Math.floor(offAtMs / 1_000) * 1_000);
    expect(await on.household.story()).not.toContain(bmcPassword);
  });

  test('its BMC is dead too: nothing is evacuated, until an operator gives his word', async () => {
    await atWork();
    await bmc.stop();
    await hangHv01();
    const refused = await on.household.waitForEvent(isFenceFailed, 60_000);
    expect(refused.level).toBe('error');
    expect(refused.text).toMatch(/^hv01 is not proven to be off: level 1, fence_ipmilan: /);
    // Through further rounds.
    await delay(20_000);
    await expectUntouched();
    // Said once, and once that it is not told again, as nobody knows what the first "off" did.
    const said = (await on.household.events()).filter(isFenceFailed).map(({ text }) => text);
    expect(said.slice(1).every((text) => text.includes('told off at'))).toBe(true);
    expect(said.length).toBeLessThanOrEqual(2);

    const word = on.household.start('ns4', '--confirm-fenced', 'hv01', '--yes');
    expect(await word.exited, word.output).toBe(0);
    const wordAtMs = Date.now();
    expect((await ended()).text).toContain('all 3 affected instances are back');
    process.stdout.write(`recovered ${Date.now() - wordAtMs} ms after the operator's word\n`);
    await expectRecovered();
    const told = (await on.household.events()).map((e) => e.text);
    expect(told.find((text) => text.includes('hv01 is off by the word of'))).toBeDefined();
    expect(bmc.isOn).toBe(true);
  });

  test('by hand: refused with a dead BMC, done with one that works', async () => {
    await hangHv01();
    await bmc.stop();
    await delay(10_000);
    const refused = on.household.start('ns4', '-d', 'hv01', '-s', 'hv04', '--alone');
    expect(await refused.exited, refused.output).toBe(1);
    expect(refused.output).toContain('hv01 is not proven to be off');
    await expectUntouched();
    await bmc.start();
    const done = on.household.start('ns4', '-d', 'hv01', '-s', 'hv04', '--alone');
    expect(await done.exited, done.output).toBe(0);
    expect(done.output).toContain('hv01 is powered off (fence_ipmilan, level 1)');
    expect(bmc.isOn).toBe(false);
    await expectRecovered();
  });
});
