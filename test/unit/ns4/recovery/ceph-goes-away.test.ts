// A Ceph that goes away in the middle of a recovery: nothing is asked for blindly, and it is Ceph that is named.
import { describe, expect, test } from 'vitest';
import { PretendCeph } from '../../../../simulator/ceph/ceph.ts';
import type { RecoveryReport } from '../../../../src/shared/documents/jobs/recover.ts';
import { askEverybody } from '../../../simulation/processes/opened.ts';
import { PretendRedis } from '../../../simulation/world/redis.ts';
import { PretendCrew } from '../../../support/pretend-crew.ts';

/** hv1 dies with its disks on Ceph and is recovered; `onForcedDown` is called when it is forced down. */
async function recovered(onForcedDown: (ceph: PretendCeph) => void) {
  const crew = new PretendCrew(1, 2);
  const ceph = new PretendCeph(crew.world);
  crew.world.onPresence = () => ceph.watches.follow();
  ceph.watches.follow();
  const redis = new PretendRedis(crew.timeline);
  askEverybody(ceph, redis, crew.timeline.nowMs);
  await crew.kill('hv1');
  let report: RecoveryReport | null = null;
  let failure: unknown = null;
  let isTold = false;
  crew
    .recover(crew.worker('here', redis, null, ceph), crew.order('here', 'hv1', 's1'))
    .then((ended) => {
      report = ended;
    })
    .catch((error) => {
      failure = error;
    });
  await crew.timeline.runUntil(crew.timeline.nowMs + 3_600_000, () => {
    if (!isTold && crew.world.host('hv1').forcedDown) {
      isTold = true;
      onForcedDown(ceph);
    }
    return report !== null || failure !== null;
  });
  return { crew, ceph, report: report as RecoveryReport | null, failure };
}

describe('a recovery whose disks are on Ceph', () => {
  test('cuts the host off, and then moves its instances', async () => {
    const { crew, ceph, report } = await recovered(() => {});
    expect(report?.outcome).toBe('done');
    expect(ceph.blocklist.entries.map(({ address }) => address)).toEqual(['10.2.0.1']);
    expect(crew.asked).toHaveLength(2);
  });

  test('asks for nothing while Ceph does not answer, and says so', async () => {
    const { crew, failure } = await recovered((ceph) => {
      ceph.isAway = true;
    });
    expect(crew.asked).toEqual([]);
    expect(String(failure)).toContain(
      'whether anybody has the disks of the instances of hv1 open cannot be told: Ceph did not answer in time',
    );
  });
});
