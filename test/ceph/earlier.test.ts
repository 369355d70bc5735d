// For the record: what a Sonny that knows nothing of Ceph does in the same stories, told by the writers. SONNY_DIST names
// the build of revision 44eb2ab, of which the figures are; without it these are skipped.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openImage } from '../support/ceph-lab.ts';
import { cephStories } from '../support/ceph-story.ts';
import { cloudTool } from '../support/cloud-tool.ts';
import { PretendDevice } from '../support/pretend-device.ts';
import type { Ini } from '../support/processes.ts';

const frozenMs = 60_000;
const decidedWithinMs = 120_000;
/** From the thaw, or the mending, to the last write that is counted. */
const countedMs = 10_000;
/** Rounds of the monitor after which it would have begun. */
const roundsMs = 60_000;
const none: Ini = { FENCING: { mode: 'none' } };
const required: Ini = { FENCING: { mode: 'required', hosts: 'fencing.yaml', timeout: 30 } };

describe.skipIf(process.env.SONNY_DIST === undefined)('an earlier build', () => {
  cephStories('over the same Ceph, for the record', (story) => {
    let dir: string;
    let at = 0;
    beforeEach(() => {
      dir = mkdtempSync(join(tmpdir(), 'sonny-earlier-'));
    });
    afterEach(async () => {
      rmSync(dir, { recursive: true, force: true });
      await cloudTool('revive', 'hv01');
    });

    const device = (name: string) => new PretendDevice(join(dir, name));
    /** As it had them: alternatives only. */
    const levelsOfHv01 = (devices: readonly PretendDevice[]) => {
      const levels = devices.map((one) => ({ agent: one.program, options: one.device().options }));
      return JSON.stringify({ hosts: { hv01: { levels } } });
    };
    const waited = async (forMs: number) => {
      const sinceMs = Date.now();
      await story.testbed.until('time to pass', async () => Date.now() - sinceMs > forMs, forMs + 5_000);
    };
    const begins = async (ini: Ini = none, devices: readonly PretendDevice[] = []) => {
      await story.atWorkUnheard(ini, levelsOfHv01(devices));
      at = Date.now();
    };
    const isAsked = async () => (await story.testbed.evacuations()).length > 0;
    const isDone = async () => {
      const servers = await story.testbed.servers();
      return ['vm-1', 'vm-2', 'vm-3'].every((name) => servers.get(name)?.host === 'hv04');
    };
    const asked = () => story.testbed.until('an evacuation', isAsked, decidedWithinMs);
    const done = async () => {
      await story.testbed.until('all three to be moved', isDone, decidedWithinMs);
      await story.ceph.firstWritesAtMs(story.ids);
    };
    /** What the writers counted; printed, as that is what this is for. */
    const lost = async (what: string): Promise<number> => {
      const said = (await story.ceph.disorder()).join('\n');
      const counts = [...said.matchAll(/^acknowledged to \S+ after \S+ looked: (\d+)/gm)].map(([, n]) =>
        Number(n),
      );
      const over = [...said.matchAll(/found overwritten by \S+: (\d+)/gm)].map(([, n]) => Number(n));
      const tookS = ((Date.now() - at) / 1_000).toFixed(0);
      process.stdout.write(
        `${what}: acknowledged late ${counts.join(', ') || 'none'}; overwritten ${over.join(', ') || 'none'} (${tookS} s)\n`,
      );
      return Math.max(0, ...counts, ...over);
    };

    test('hv01 dies: in order', async () => {
      await begins();
      await story.dies();
      await done();
      expect(await lost('dies')).toBe(0);
    });

    test('ns4 is killed as the first instance is asked for: in order', async () => {
      await begins();
      await story.dies();
      await asked();
      await story.ns4.signal('SIGKILL');
      story.household.start('ns4', '-vv');
      await done();
      expect(await lost('dies, and ns4 is killed')).toBe(0);
    });

    test('frozen for a minute, and thawed: by then Ceph has given the locks away itself', async () => {
      await begins();
      await story.freezes();
      await asked();
      await waited(Math.max(0, at + frozenMs - Date.now()));
      await story.thaws();
      await done();
      await waited(countedMs);
      expect(await lost('frozen for a minute')).toBe(0);
    });

    test('frozen, and thawed as the first instance is asked for: two writers', async () => {
      await begins();
      await story.freezes();
      await asked();
      await story.thaws();
      await done();
      await waited(countedMs);
      expect(await lost('frozen until the first is asked for')).toBeGreaterThan(0);
    });

    test('cut off from all but its storage: two writers', async () => {
      await begins();
      await cloudTool('kill', 'hv01');
      await done();
      await waited(countedMs);
      expect(await lost('cut off from all but storage')).toBeGreaterThan(0);
    });

    test('cut off from everything, and back: what Ceph does by itself', async () => {
      await begins();
      await Promise.all([cloudTool('kill', 'hv01'), story.ceph.storageNetwork('hv01', 'cut')]);
      await done();
      await Promise.all([cloudTool('revive', 'hv01'), story.ceph.storageNetwork('hv01', 'mend')]);
      await waited(frozenMs);
      expect(await lost('cut off from everything')).toBe(0);
    });

    test('in live migration, its destination has the disk open: evacuated all the same', async () => {
      await begins();
      const [id = ''] = story.ids;
      const migrate = await story.testbed.migration(id, 'hv03');
      await cloudTool('hang', 'hv01', '--compute');
      await migrate();
      const isMigrating = async () => (await story.testbed.servers()).get('vm-1')?.taskState === 'migrating';
      await story.testbed.until('the migration to begin', isMigrating, 20_000);
      const opener = await openImage(story.ceph.addressOf('hv03'), `${id}_disk`);
      try {
        await story.dies();
        await done();
        expect(story.ceph.writersPerInstance(story.ids)).toEqual([2, 2, 2]);
      } finally {
        await opener.close();
      }
    });

    test('its BMC is dead: nothing moves', async () => {
      const bmc = device('bmc');
      bmc.behave('away');
      await begins(required, [bmc]);
      await story.freezes();
      await waited(roundsMs);
      expect(await isAsked()).toBe(false);
      expect(await lost('BMC dead')).toBe(0);
    });

    test.each<[string, (at: string) => readonly PretendDevice[]]>([
      ['its BMC is that of another machine', () => [device('of hv02')]],
      ['one of two feeds stays on', () => [device('left'), device('right')]],
    ])('%s: two writers', async (title, devices) => {
      await begins(required, devices(title));
      await story.freezes();
      await asked();
      await story.thaws();
      await done();
      await waited(countedMs);
      expect(await lost(title)).toBeGreaterThan(0);
    });
  });
});
