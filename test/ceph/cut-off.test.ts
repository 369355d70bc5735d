// The level `ceph` of fencing.yaml as the proof that a recovery needs, on a real OpenStack over a real Ceph: alone, and
// behind a BMC that died with its host.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lab } from '../support/ceph-lab.ts';
import { cephStories } from '../support/ceph-story.ts';
import { fencingYaml } from '../support/fencing-yaml.ts';
import { IpmiSim } from '../support/ipmi-sim.ts';

const required = { FENCING: { mode: 'required', hosts: 'fencing.yaml', timeout: 30 } };
const alone = fencingYaml({ hv01: ['ceph'] });

cephStories('the level ceph', (story) => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'sonny-cut-off-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  test('alone: hv01 dies, is cut off and recovered', async () => {
    await story.atWork(required, alone);
    const deadAtMs = Date.now();
    await story.dies();
    await story.expectRecovered();
    await story.showTimes(deadAtMs);
    expect(await story.texts()).toContain('hv01 is cut off from Ceph (ceph, level 1: ');
    await story.expectBlockedForAYear('hv01');
    await story.expectOrder();
  });

  test('behind a dead BMC: hv01 freezes, is recovered without anybody, and wakes: its writes are refused', async () => {
    const bmc = await IpmiSim.start(dir);
    await bmc.stop();
    await story.atWork(required, fencingYaml({ hv01: [bmc.level().devices, 'ceph'] }));
    const frozenAtMs = Date.now();
    await story.freezes();
    await story.expectRecovered();
    await story.showTimes(frozenAtMs);
    expect(await story.texts()).toContain('hv01 is cut off from Ceph (ceph, level 2: ');
    await story.thaws();
    await story.ceph.untilWriters('hv01', 'were blocked', frozenAtMs, 60_000);
    await story.ceph.untilWriters('hv04', 'wrote', Date.now(), 30_000);
    await story.expectOrder();
  });

  test('hv01 is cut off from all but its storage: it is not cut off from that as well', async () => {
    await story.atWork(required, alone);
    await story.livesOnByItsStorage();
  });

  test('an OSD hangs when hv01 dies: no proof before it is back', async () => {
    await story.atWork(required, alone);
    await lab('osd', 'freeze', '1');
    await story.dies();
    await story.refused('disks-unknown', 'fence-failed');
    await story.expectNothingDone();
    await lab('osd', 'thaw', '1');
    await story.expectRecovered();
    await story.expectOrder();
  });
});
