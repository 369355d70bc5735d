// C7: two recoveries onto one spare. The target belongs to a recovery as the dead host does, from its lock to its end.
import { describe, expect, test } from 'vitest';
import type { RecoveryReport } from '../../../../src/shared/documents/jobs/recover.ts';
import { PretendCrew } from '../../../support/pretend-crew.ts';

const taken = { name: 'spare-unfit', host: 'hv2', spare: 's1', why: 'another recovery works at it' };

/** Two workers of one Sonny; hv1 and hv2 are dead, and the recovery of hv1 onto s1 began `ms` ago with its fencing. */
async function begun(ms: number) {
  const cloud = new PretendCrew(1, 4);
  await cloud.kill('hv1');
  await cloud.kill('hv2');
  const first = cloud.worker('first', undefined, { takesMs: 60_000, says: 'off' });
  const second = cloud.worker('second', first.redis);
  const reports: RecoveryReport[] = [];
  const order = { ...cloud.order('ours', 'hv1', 's1'), despite: ['control-plane-suspect'] };
  void cloud.recover(first, order).then((report) => reports.push(report));
  await cloud.timeline.runUntil(cloud.timeline.nowMs + ms);
  const end = async (running: Promise<RecoveryReport>) => {
    const ended: RecoveryReport[] = [];
    void running.then((report) => ended.push(report));
    await cloud.timeline.runUntil(cloud.timeline.nowMs + 600_000, () => ended.length > 0);
    return ended[0];
  };
  const other = () => ({ ...cloud.order('ours', 'hv2', 's1'), despite: ['control-plane-suspect'] });
  return { cloud, first, second, reports, order, other, end };
}

describe('C7: a second order onto a spare that a recovery has', () => {
  test('while it is being fenced', async () => {
    const { cloud, second, other, end, reports } = await begun(4_000);
    expect(cloud.world.host('s1').disabled, 'not enabled yet: only the lock tells').toBe(true);
    expect(await end(cloud.recover(second, other()))).toMatchObject({ outcome: 'refused', refusal: taken });
    await cloud.timeline.runUntil(cloud.timeline.nowMs + 600_000, () => reports.length > 0);
    expect(reports).toMatchObject([{ outcome: 'done' }]);
  });

  test('after its worker was killed, until another one ended it', async () => {
    const { cloud, first, second, order, other, end } = await begun(4_000);
    first.ns4.process.kill();
    await cloud.timeline.runUntil(cloud.timeline.nowMs + 30_000);
    expect(cloud.world.host('s1').disabled).toBe(true);
    expect(await end(cloud.recover(second, other()))).toMatchObject({ outcome: 'refused', refusal: taken });
    expect(await end(cloud.recover(second, { ...order, attempt: 2 }))).toMatchObject({ outcome: 'done' });
    expect(await end(cloud.recover(second, { ...other(), recovery: 'i-hv2.2' }))).toMatchObject({
      outcome: 'refused',
      refusal: { name: 'spare-unfit', why: 'it is enabled, so not set aside as a spare' },
    });
  });
});
