// Fencing as an operator meets it: the compiled processes, what they say and refuse, the commands by hand, and that no
// secret of fencing.yaml is anywhere but in that file.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { devicePassword, PretendDevice } from '../support/pretend-device.ts';
import { SmallCloud } from '../support/small-cloud.ts';

let small: SmallCloud;
let bmc: PretendDevice;
beforeEach(async () => {
  small = await SmallCloud.open({ FENCING: { mode: 'required', hosts: 'fencing.yaml', timeout: 5 } });
  bmc = new PretendDevice(join(small.household.dir, 'bmc'));
  const level = `{agent: ${bmc.program}, options: {plug: "{host}", password: ${devicePassword}}}`;
  const hosts = ['hv01', 'hv02', 'hv09'].map((host) => `  ${host}: {levels: [${level}]}\n`);
  writeFileSync(join(small.household.dir, 'fencing.yaml'), `hosts:\n${hosts.join('')}`, { mode: 0o600 });
});
afterEach(async () => {
  await small.close();
});

async function run(...args: string[]) {
  const running = small.household.start('ns4', ...args);
  return { code: await running.exited, output: running.output };
}

/** Everything that Redis holds, as text. */
async function everythingIn(redis: Redis): Promise<string> {
  const texts: string[] = [];
  for (const key of await redis.keys('*')) {
    const type = await redis.type(key);
    const read = {
      string: () => redis.get(key),
      list: () => redis.lrange(key, 0, -1),
      hash: () => redis.hgetall(key),
      stream: () => redis.xrange(key, '-', '+'),
      zset: () => redis.zrange(key, '0', '-1'),
      set: () => redis.smembers(key),
    }[type];
    texts.push(key, JSON.stringify(await read?.()));
  }
  return texts.join('\n');
}

test("the device is away: refused once, nothing touched; after the operator's word all are back", async () => {
  bmc.behave('away');
  const ns4 = small.household.start('ns4', '-vv');
  const monitor = small.household.start('monitor', '-vv');
  await small.watched();
  await small.simulator.kill('hv01');
  const isFailed = (name: string) => name === 'fence-failed';
  const refused = await small.household.waitForEvent(
    (e) => e.facts.kind === 'refused' && isFailed(e.facts.refusal.name),
    40_000,
  );
  expect(refused.level).toBe('error');
  expect(refused.text).toMatch(
    /^hv01 is not proven to be off: level 1, \S+fence_pretend: "off" failed \("exit code 1: Failed: unable to connect"\)\. Nothing evacuated\./,
  );
  // Asked again at the next rounds, by its status only, as nobody knows what the first "off" did: said once, too.
  const asked = bmc.told.length;
  while (bmc.told.length < asked + 4) await delay(100);
  expect(bmc.offs).toBe(1);
  const { hosts, migrations } = small.simulator.snapshot();
  expect(migrations).toEqual([]);
  expect(hosts.hv01).toMatchObject({ forcedDown: false, status: 'enabled' });
  expect(hosts.hv04).toMatchObject({ status: 'disabled' });
  const said = (await small.household.events()).map((e) => e.facts);
  expect(said.filter((f) => f.kind === 'refused').map((f) => f.refusal.name)).toEqual([
    'fence-failed',
    'fence-failed',
  ]);
  expect(JSON.stringify(said)).toContain('not-again');

  const confirmed = await run('--confirm-fenced', 'hv01', '--yes');
  expect(confirmed, confirmed.output).toMatchObject({ code: 0 });
  expect((await small.ended()).text).toContain('all 3 affected instances are back');
  small.expectRecoveredOnce();
  const texts = (await small.household.events()).map((e) => e.text);
  expect(texts.find((t) => t.includes('says that hv01 is off'))).toBeDefined();
  expect(texts.find((t) => t.includes('is off by the word of'))).toBeDefined();
  expect(ns4.output).toContain('no fence level for hv03, hv04');
  expect(ns4.output).toContain('has hv09, which Nova does not know');
  expect(ns4.output + monitor.output + (await small.household.story())).not.toContain(devicePassword);
  expect(await everythingIn(small.household.redis)).not.toContain(devicePassword);
}, 90_000);

test('--check and --fence: every device asked, nothing powered off by a slip of the hand', async () => {
  const good = await run('--check');
  expect(good, good.output).toMatchObject({ code: 0 });
  expect(good.output).toMatch(/ok {6}fencing: required, .*WARNING: no fence level for hv03, hv04/);
  expect(good.output).toMatch(/ok {6}fencing of hv01: level 1, \S+fence_pretend: on\n/);
  expect(good.output).toMatch(/ok {6}fencing of hv02: level 1/);
  // It may live, and nobody is there to type its name.
  const careless = await run('--fence', 'hv02', '--action', 'off');
  expect(careless).toMatchObject({ code: 2, output: expect.stringContaining('expected --yes') });
  expect(bmc.offs).toBe(0);
  const off = await run('--fence', 'hv02', '--action', 'off', '--yes');
  expect(off).toMatchObject({ code: 0, output: expect.stringContaining('off, as its status says') });
  expect(bmc.isOn).toBe(false);
  bmc.behave('away');
  const bad = await run('--check');
  expect(bad).toMatchObject({ code: 1 });
  expect(bad.output).toMatch(
    /FAILED {2}fencing of hv02: level 1, \S+fence_pretend: exit code 1: connection timed out/,
  );
  expect(good.output + bad.output).not.toContain(devicePassword);
});
