// C2: two Sonnys with a Redis each on one cloud. Nova itself excludes one of them: by the mark on the dead host.
import { describe, expect, test } from 'vitest';
import type { RecoveryReport } from '../../../../src/shared/documents/jobs/recover.ts';
import { groupBy } from '../../../../src/shared/ground/group-by.ts';
import type { Weather } from '../../../simulation/weather.ts';
import { PretendCrew } from '../../../support/pretend-crew.ts';

const seeds = Array.from({ length: 100 }, (_, i) => i + 1);

/** Both judge hv1 dead, the second one `laterMs` after the first, and both recover it. */
async function both(seed: number, weather: Partial<Weather>) {
  const two = new PretendCrew(seed, 8, weather);
  await two.kill('hv1');
  const laterMs = two.random.pick([0, 0, 0, 50, 400, 1_000, 2_500, 6_000]);
  const spares = two.random.pick([
    ['s1', 's1'],
    ['s1', 's2'],
  ]);
  const reports: RecoveryReport[] = [];
  for (const [i, name] of ['here', 'there'].entries())
    two.timeline.after(i * laterMs, () => {
      const order = two.order(name, 'hv1', spares[i] ?? 's1');
      void two.recover(two.worker(name), order).then((report) => reports.push(report));
    });
  await two.timeline.runUntil(two.timeline.nowMs + 3_600_000, () => reports.length === 2);
  return { two, reports };
}

describe('C2: one dead host, two Sonnys that know nothing of each other', () => {
  test.each([
    ['in fair weather', {}],
    ['when answers are slow', { readSlow: 0.3 }],
    ['when answers get lost', { readSlow: 0.1, changeAnswerLost: 0.2 }],
  ])(
    '%s no instance is asked for by both: they are moved, and who stops says why',
    {
      timeout: 30_000,
    },
    async (_, weather) => {
      const refusals = new Set<string>();
      let whole = 0;
      for (const seed of seeds) {
        const { two, reports } = await both(seed, weather);
        for (const [instance, requests] of groupBy(two.asked, (asked) => asked.instance))
          expect(new Set(requests.map(({ by }) => by)).size, `${instance} in history ${seed}`).toBe(1);
        expect(reports, `history ${seed}`).toHaveLength(2);
        for (const { outcome, refusal } of reports) if (outcome !== 'done') refusals.add(refusal?.name ?? '');
        // The first one may have asked for the last of them when the second one came: then both end well.
        const isMoved = two.world.instances.every(({ host }) => host !== 'hv1');
        if (isMoved && reports.some(({ outcome }) => outcome === 'done')) whole += 1;
      }
      expect([...refusals].sort()).toEqual(['foreign-mark']);
      expect(whole).toBe(seeds.length);
    },
  );
});
