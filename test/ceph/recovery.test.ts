// What becomes of disks on a real Ceph when hypervisors of a real OpenStack die, freeze, or are cut off: whatever happens,
// no write of a former owner is acknowledged after the new one's first look. The writers count that themselves.
import { loadavg } from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SonnyEvent } from '../../src/shared/documents/events/events.ts';
import type { RefusalName } from '../../src/shared/documents/refusals/refusals.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { CephCloud } from '../support/ceph-cloud.ts';
import { cephLab, lab } from '../support/ceph-lab.ts';
import { cloudTool } from '../support/cloud-tool.ts';
import { firstRequestAtMs } from '../support/journals.ts';
import type { Household, Ini, Running } from '../support/processes.ts';
import { type Stage, stage, Testbed } from '../support/testbed.ts';

const yearMs = 365 * 86_400_000;
/** A recovery with slack for a busy machine; nothing here is about speed. */
const endedWithinMs = 150_000;

describe.skipIf(cephLab === undefined || process.env.SONNY_CLOUD_TOOL === undefined)(
  'OpenStack over Ceph',
  { timeout: 600_000 },
  () => {
    let testbed: Testbed;
    let ceph: CephCloud;
    let on: Stage | null = null;
    /** Those on hv01. */
    let ids: string[];

    beforeAll(async () => {
      testbed = await Testbed.open();
    });
    beforeEach(async () => {
      await testbed.reset();
      ceph = new CephCloud(testbed);
      ids = await ceph.boot('vm', 'hv01', 3);
      await ceph.boot('other', 'hv02');
    }, 240_000);
    afterEach(async () => {
      await on?.close();
      on = null;
      await ceph.close();
    }, 240_000);
    afterAll(async () => {
      await testbed?.reset();
      await testbed?.close();
    }, 240_000);

    /** ns4 and monitor at work, who have heard everybody, and have learned who opens disks from where. */
    async function atWork(ini: Ini = {}): Promise<{ household: Household; ns4: Running }> {
      on = await stage(testbed, { FENCING: { mode: 'none' }, ...(await CephCloud.ini()), ...ini });
      const { household } = on;
      const ns4 = household.start('ns4', '-vv');
      household.start('monitor', '-vv');
      household.start('sonny', '-vv');
      await testbed.watched(on);
      await ceph.learned(household, 120_000).catch(async (error) => {
        throw new Error(`${error}\n${await household.story()}`);
      });
      ceph.follow();
      return { household, ns4 };
    }

    const ended = (household: Household) =>
      household.waitForEvent(({ facts }) => facts.kind === 'recovery-ended', endedWithinMs);
    const refused = (household: Household, ...names: RefusalName[]) =>
      household.waitForEvent(
        ({ facts }) => facts.kind === 'refused' && names.includes(facts.refusal.name),
        120_000,
      );

    async function expectRecovered(household: Household): Promise<void> {
      const end = await ended(household);
      expect(end.text, await household.story()).toContain('all 3 affected instances are back');
      const servers = await testbed.servers();
      for (const name of ['vm-1', 'vm-2', 'vm-3'])
        expect(servers.get(name), name).toMatchObject({ status: 'ACTIVE', host: 'hv04' });
    }

    async function expectNothingDone(household: Household): Promise<void> {
      const story = await household.story();
      expect(await firstRequestAtMs(household.redis, testbed.env.cloud), story).toBeNull();
      expect(ceph.writersPerInstance(ids), story).toEqual([1, 1, 1]);
      const { forcedDown, status } = await testbed.service('hv01');
      expect({ forcedDown, status }, story).toEqual({ forcedDown: false, status: 'enabled' });
    }

    async function expectBlockedForAYear(host: string): Promise<void> {
      const dump = JSON.parse(await lab('ceph', 'osd', 'dump', '-f', 'json')) as {
        blocklist: Record<string, string>;
      };
      const until = dump.blocklist[`${ceph.addressOf(host)}:0/0`] ?? '';
      const zoned = until.replace(/(\d{2})(\d{2})$/, '$1:$2');
      expect(Date.parse(zoned) - Date.now(), JSON.stringify(dump.blocklist)).toBeGreaterThan(
        yearMs - 3_600_000,
      );
    }

    const both = (...work: Promise<unknown>[]) => Promise.all(work);

    test('all is well: addresses are learned, and nobody says a word', async () => {
      const { household } = await atWork();
      const addresses = await household.redis.hkeys(keysOf(testbed.env.cloud).storageAddresses);
      expect(addresses.sort()).toEqual([`${ceph.addressOf('hv01')} hv01`, `${ceph.addressOf('hv02')} hv02`]);
      const said = (await household.events()).filter(({ level }) => level !== 'info');
      expect(said, await household.story()).toEqual([]);
      expect(household.allAlive, await household.story()).toBe(true);
    });

    test('hv01 dies: cut off for a year, recovered, no write out of order', async () => {
      const { household } = await atWork();
      const deadAtMs = Date.now();
      await both(cloudTool('kill', 'hv01'), ceph.guestsOf('hv01', 'kill'));
      await expectRecovered(household);
      const writesAtMs = await ceph.firstWritesAtMs(ids);
      const askedAtMs = (await firstRequestAtMs(household.redis, testbed.env.cloud)) ?? Number.NaN;
      const since = (atMs: number) => ((atMs - deadAtMs) / 1_000).toFixed(1);
      process.stdout.write(
        `power loss, first evacuation after ${since(askedAtMs)} s, first writes after ${writesAtMs.map(since).sort().join(', ')} s (load ${loadavg()[0]?.toFixed(1)})\n`,
      );
      const texts = (await household.events()).map(({ text }) => text).join('\n');
      expect(texts).toContain(`hv01 is cut off from Ceph (${ceph.addressOf('hv01')} blocked`);
      await expectBlockedForAYear('hv01');
      expect(await ceph.disorder()).toEqual([]);
    });

    test('hv01 is cut off from all but its storage: nothing is evacuated', async () => {
      const { household } = await atWork();
      await cloudTool('kill', 'hv01');
      const atMs = Date.now();
      const { text } = await refused(household, 'disks-open');
      expect(text).toContain(`by ${ceph.addressOf('hv01')}`);
      await ceph.untilWriters('hv01', 'wrote', atMs, 30_000);
      await expectNothingDone(household);
    });

    test('hv01 freezes for a minute, and wakes when it is recovered: its writes are refused', async () => {
      const { household } = await atWork();
      const frozenAtMs = Date.now();
      await both(freeze(), ceph.guestsOf('hv01', 'freeze'));
      await expectRecovered(household);
      await ceph.firstWritesAtMs(ids);
      await testbed.until('a minute to be over', async () => Date.now() - frozenAtMs > 60_000, 61_000);
      await both(cloudTool('revive', 'hv01'), ceph.guestsOf('hv01', 'thaw'));
      await ceph.untilWriters('hv01', 'were blocked', frozenAtMs, 60_000);
      await ceph.untilWriters('hv04', 'wrote', Date.now(), 30_000);
      expect(await ceph.disorder()).toEqual([]);
    });

    test('hv01 is cut off from everything, and is back after the recovery: its writes are refused', async () => {
      const { household } = await atWork();
      const cutAtMs = Date.now();
      await both(cloudTool('kill', 'hv01'), ceph.storageNetwork('hv01', 'cut'));
      await expectRecovered(household);
      await ceph.firstWritesAtMs(ids);
      await both(cloudTool('revive', 'hv01'), ceph.storageNetwork('hv01', 'mend'));
      // TCP tries again at growing intervals.
      await ceph.untilWriters('hv01', 'were blocked', cutAtMs, 120_000);
      await ceph.untilWriters('hv04', 'wrote', Date.now(), 30_000);
      expect(await ceph.disorder()).toEqual([]);
    });

    test.each<[string, readonly [string, string]]>([
      ["Ceph's monitor", ['mon', 'a']],
      ['an OSD', ['osd', '1']],
    ])('%s hangs when hv01 dies: nothing is evacuated before it is back', async (_, [kind, id]) => {
      const { household } = await atWork();
      await lab(kind, 'freeze', id);
      await both(cloudTool('kill', 'hv01'), ceph.guestsOf('hv01', 'kill'));
      await refused(household, 'disks-unknown', 'not-cut-off');
      await expectNothingDone(household);
      await lab(kind, 'thaw', id);
      await expectRecovered(household);
      await ceph.firstWritesAtMs(ids);
      expect(await ceph.disorder()).toEqual([]);
    });

    test.each<[string, (event: SonnyEvent) => boolean]>([
      ['is about to cut hv01 off', isStep('cutting-off')],
      ['has cut hv01 off', isStep('cut-off')],
      ['has begun to evacuate', isStep('moving')],
    ])('kill -9 of ns4 when it %s: another one goes on', async (_, when) => {
      const { household, ns4 } = await atWork();
      await both(cloudTool('kill', 'hv01'), ceph.guestsOf('hv01', 'kill'));
      await household.waitForEvent(when, 60_000);
      await ns4.signal('SIGKILL');
      household.start('ns4', '-vv');
      await expectRecovered(household);
      await ceph.firstWritesAtMs(ids);
      expect(ceph.writersPerInstance(ids)).toEqual([2, 2, 2]);
      await expectBlockedForAYear('hv01');
      expect(await ceph.disorder()).toEqual([]);
    });
  },
);

const isStep =
  (step: string) =>
  ({ facts }: SonnyEvent): boolean =>
    facts.kind === 'progress' && facts.progress.step === step;

/** Its processes stand still, and nothing of it answers. */
async function freeze(): Promise<void> {
  await cloudTool('hang', 'hv01');
  await cloudTool('kill', 'hv01', '--net');
}
