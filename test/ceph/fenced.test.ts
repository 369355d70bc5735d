// Fence devices over a real Ceph: one that is dead, one that is another host's, two feeds of which one stays on. Whatever
// they say, no write of a former owner comes after the new one's first look.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cephStories } from '../support/ceph-story.ts';
import { fencingYaml } from '../support/fencing-yaml.ts';
import { IpmiSim } from '../support/ipmi-sim.ts';
import { PretendDevice } from '../support/pretend-device.ts';

/** Some rounds of the monitor. */
const roundsMs = 15_000;
const required = { FENCING: { mode: 'required', hosts: 'fencing.yaml', timeout: 30 } };

cephStories('fence devices', (story) => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'sonny-fenced-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  /** It wakes after nothing was done: its guests write on. */
  async function expectWakesUnharmed(): Promise<void> {
    await story.expectNothingDone();
    const atMs = Date.now();
    await story.thaws();
    await story.ceph.untilWriters('hv01', 'wrote', atMs, 60_000);
    await story.expectOrder();
  }

  test('its BMC works: powered off, cut off as well, and recovered', async () => {
    const bmc = await IpmiSim.start(dir);
    try {
      await story.atWork(required, fencingYaml({ hv01: [bmc.level().devices] }));
      const deadAtMs = Date.now();
      await story.dies();
      await story.expectRecovered();
      await story.showTimes(deadAtMs);
      expect(bmc.isOn).toBe(false);
      await story.expectBlockedForAYear('hv01');
      await story.expectOrder();
    } finally {
      await bmc.stop();
    }
  });

  test('its BMC works, and Sonny knows nothing of Ceph: the new owners wait for the lock of the dead one', async () => {
    const bmc = await IpmiSim.start(dir);
    try {
      await story.atWorkWithoutCeph(required, fencingYaml({ hv01: [bmc.level().devices] }));
      const deadAtMs = Date.now();
      await story.dies();
      await story.expectRecovered();
      await story.showTimes(deadAtMs);
      expect(bmc.isOn).toBe(false);
      await story.expectNobodyBlocked();
      await story.expectOrder();
    } finally {
      await bmc.stop();
    }
  });

  test('its BMC is dead: nothing moves before an operator gives his word, and then it is cut off all the same', async () => {
    const bmc = await IpmiSim.start(dir);
    try {
      const { household } = await story.atWork(required, fencingYaml({ hv01: [bmc.level().devices] }));
      await bmc.stop();
      const frozenAtMs = Date.now();
      await story.freezes();
      const { text } = await story.refused('fence-failed');
      expect(text).toMatch(/^hv01 is not proven to be off: level 1, \S*fence_ipmilan: "off" failed/);
      await delay(roundsMs);
      await story.expectNothingDone();
      // His word is wrong: it is frozen. Its disks are safe by what follows the word.
      const word = household.start('ns4', '--confirm-fenced', 'hv01', '--yes');
      expect(await word.exited, word.output).toBe(0);
      await story.expectRecovered();
      const said = await story.texts();
      expect(said).toContain('hv01 is off by the word of');
      expect(said).toContain('hv01 is cut off from Ceph');
      await story.expectBlockedForAYear('hv01');
      await story.thaws();
      await story.ceph.untilWriters('hv01', 'were blocked', frozenAtMs, 60_000);
      await story.ceph.untilWriters('hv04', 'wrote', Date.now(), 30_000);
      await story.expectOrder();
    } finally {
      await bmc.stop();
    }
  });

  test('its BMC is the one of hv02: nothing of hv01 is evacuated, and the device is told nothing more', async () => {
    const [wrong, right] = [new PretendDevice(join(dir, 'one')), new PretendDevice(join(dir, 'two'))];
    wrong.behave('awaits');
    const plan = { hv01: [[wrong.device()]], hv02: [[right.device()]] };
    await story.atWork(required, fencingYaml(plan));
    await story.freezes();
    await story.testbed.until('the device to be told', async () => wrong.offs > 0, 90_000);
    await story.dies('hv02');
    wrong.power('off');
    const { text, level } = await story.refused('wrong-device');
    expect(level).toBe('error');
    expect(text).toContain('PERHAPS THE WRONG MACHINE IS OFF: hv02 fell silent as hv01 was powered off.');
    await delay(2 * roundsMs);
    expect(wrong.offs).toBe(1);
    expect(await story.texts()).not.toContain('hv01 is cut off from Ceph');
    await expectWakesUnharmed();
  });

  test('two feeds, one of which stays on: no proof, nothing moves', async () => {
    const [left, right] = [new PretendDevice(join(dir, 'left')), new PretendDevice(join(dir, 'right'))];
    right.behave('pretends');
    await story.atWork(required, fencingYaml({ hv01: [[left.device(1), right.device(2)]] }));
    await story.freezes();
    const { text } = await story.refused('fence-failed');
    expect(text).toContain('hv01 is not proven to be off: level 1');
    expect(text).toContain('device 2 of 2');
    expect({ left: left.isOn, right: right.isOn }).toEqual({ left: false, right: true });
    await delay(roundsMs);
    await expectWakesUnharmed();
  });
});
