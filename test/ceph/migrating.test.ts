// A host dies while one of its instances is being live-migrated: that one is left alone and named, with where its disk
// is open; the others are recovered.
import { afterEach, expect, test } from 'vitest';
import { openImage } from '../support/ceph-lab.ts';
import { cephStories } from '../support/ceph-story.ts';
import { cloudTool } from '../support/cloud-tool.ts';

cephStories('an instance in live migration', (story) => {
  // A process that stands still looks well to the tool.
  afterEach(() => cloudTool('revive', 'hv01').then(() => undefined));

  test.each<[string, boolean]>([
    ['its destination has the disk open', true],
    ['nobody has the disk open', false],
  ])('%s: it is left alone, named, and told where to look', async (_, isOpen) => {
    await story.atWork();
    const { ceph, testbed, household } = story;
    const [id = ''] = story.ids;
    // Nova's conductor asks the source whether it can migrate, and waits a minute for its answer; but only one that
    // counts as up, which it does for some seconds more.
    const migrate = await testbed.migration(id, 'hv03');
    await cloudTool('hang', 'hv01', '--compute');
    await migrate();
    const isMigrating = async () => (await testbed.servers()).get('vm-1')?.taskState === 'migrating';
    await testbed.until('the migration to begin', isMigrating, 20_000);
    // As QEMU's incoming side: it opens the image, and writes only when it is switched over.
    const opener = isOpen ? await openImage(ceph.addressOf('hv03'), `${id}_disk`) : null;
    try {
      await story.dies();
      await story.ended();
      const said = await story.texts();
      expect(said, await household.story()).toMatch(
        /"vm-1" stays where it is: it is being live-migrated from hv01 to (hv03|a host that Nova does not name) \(\w+\)/,
      );
      expect(said).toContain(
        isOpen
          ? `its disks are open at hv03 (${ceph.addressOf('hv03')})`
          : 'nobody who answers has its disks open',
      );
      const servers = await testbed.servers();
      expect(servers.get('vm-1')?.host).toBe('hv01');
      for (const name of ['vm-2', 'vm-3'])
        expect(servers.get(name), name).toMatchObject({ status: 'ACTIVE', host: 'hv04' });
      expect(ceph.writersPerInstance(story.ids)).toEqual([1, 2, 2]);
      await ceph.firstWritesAtMs(story.ids);
      await story.expectOrder();
    } finally {
      await opener?.close();
      // Its host comes up again when Nova has given the migration up.
      const isOver = async () => !(await isMigrating());
      await testbed.until('Nova to give the migration up', isOver, 120_000, 1_000);
    }
  });
});
