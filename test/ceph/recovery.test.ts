// What becomes of disks on a real Ceph when hypervisors of a real OpenStack die, freeze, or are cut off, and when Ceph
// itself hangs meanwhile.
import { expect, test } from 'vitest';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { lab } from '../support/ceph-lab.ts';
import { cephStories } from '../support/ceph-story.ts';
import { cloudTool } from '../support/cloud-tool.ts';

/** From the cut to its mending. */
const awayMs = Number(process.env.AWAY_MINUTES ?? 1) * 60_000;
/** TCP tries again at intervals that grow with the time away. */
const noticedWithinMs = 120_000 + awayMs / 4;

cephStories('OpenStack over Ceph', (story) => {
  test('all is well: addresses are learned, nobody is blocked, and nobody says a word', async () => {
    const { household } = await story.atWork();
    const { ceph, testbed } = story;
    const addresses = await household.redis.hkeys(keysOf(testbed.env.cloud).storageAddresses);
    const expected = ['hv01', 'hv02', 'hv03'].map((host) => `${ceph.addressOf(host)} ${host}`);
    expect(addresses.sort()).toEqual(expected);
    const sinceMs = Date.now();
    await testbed.until('two rounds to be over', async () => Date.now() - sinceMs > 15_000, 20_000);
    const said = (await household.events()).filter(({ level }) => level !== 'info');
    expect(said, await household.story()).toEqual([]);
    expect(household.allAlive, await household.story()).toBe(true);
    await story.expectNobodyBlocked();
    await story.expectNothingDone();
    await ceph.untilWriters('hv01', 'wrote', Date.now(), 10_000);
  });

  test('hv01 dies: cut off for a year, recovered, no write out of order', async () => {
    await story.atWork();
    const deadAtMs = Date.now();
    await story.dies();
    await story.expectRecovered();
    await story.showTimes(deadAtMs);
    expect(await story.texts()).toContain(
      `hv01 is cut off from Ceph (${story.ceph.addressOf('hv01')} blocked`,
    );
    await story.expectBlockedForAYear('hv01');
    await story.expectOrder();
  });

  test('hv01 dies, whose address is one of hv02 too: nothing is evacuated before an operator gives his word', async () => {
    const { household } = await story.atWork();
    const nowMs = Date.now();
    const { storageAddresses } = keysOf(story.testbed.env.cloud);
    // As behind NAT.
    await household.redis.hset(storageAddresses, `${story.ceph.addressOf('hv01')} hv02`, `${nowMs} ${nowMs}`);
    await story.dies();
    const { text } = await story.refused('not-cut-off');
    expect(text).toContain(`other hypervisors open disks from ${story.ceph.addressOf('hv01')} as well`);
    await story.expectNothingDone();
    const word = household.start('ns4', '--confirm-fenced', 'hv01', '--yes');
    expect(await word.exited, word.output).toBe(0);
    await story.expectRecovered();
    expect(await story.texts()).toContain('hv01 is off by the word of');
    await story.expectNobodyBlocked();
    await story.expectOrder();
  });

  test('hv01 is cut off from all but its storage: nothing is evacuated', async () => {
    await story.atWork();
    await story.livesOnByItsStorage();
  });

  test('hv01 freezes for a minute, and wakes when it is recovered: its writes are refused', async () => {
    await story.atWork();
    const { ceph, testbed } = story;
    const frozenAtMs = Date.now();
    await story.freezes();
    await story.expectRecovered();
    await testbed.until('a minute to be over', async () => Date.now() - frozenAtMs > 60_000, 61_000);
    await story.thaws();
    await ceph.untilWriters('hv01', 'were blocked', frozenAtMs, 60_000);
    await ceph.untilWriters('hv04', 'wrote', Date.now(), 30_000);
    await story.expectOrder();
  });

  test('hv01 is cut off from everything, and is back after the recovery: its writes are refused', {
    timeout: 600_000 + 2 * awayMs,
  }, async () => {
    await story.atWork();
    const { ceph, testbed } = story;
    const cutAtMs = Date.now();
    await Promise.all([cloudTool('kill', 'hv01'), ceph.storageNetwork('hv01', 'cut')]);
    await story.expectRecovered();
    await testbed.until('its time to be over', async () => Date.now() - cutAtMs > awayMs, awayMs);
    await Promise.all([cloudTool('revive', 'hv01'), ceph.storageNetwork('hv01', 'mend')]);
    await ceph.untilWriters('hv01', 'were blocked', cutAtMs, noticedWithinMs);
    await ceph.untilWriters('hv04', 'wrote', Date.now(), 30_000);
    await story.expectOrder();
  });

  test.each<[string, readonly [string, string]]>([
    ["Ceph's monitor", ['mon', 'a']],
    ['an OSD', ['osd', '1']],
  ])('%s hangs when hv01 dies: nothing is evacuated before it is back', async (_, [kind, id]) => {
    await story.atWork();
    await lab(kind, 'freeze', id);
    await story.dies();
    await story.refused('disks-unknown', 'not-cut-off');
    await story.expectNothingDone();
    await lab(kind, 'thaw', id);
    await story.expectRecovered();
    await story.expectOrder();
  });
});
