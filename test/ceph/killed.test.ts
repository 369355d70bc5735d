// kill -9 of ns4 at each step of a recovery over a real Ceph: another one goes on, and no write comes out of order.
import { describe, expect, test } from 'vitest';
import type { SonnyEvent } from '../../src/shared/documents/events/events.ts';
import { cephStories } from '../support/ceph-story.ts';
import { fencingYaml } from '../support/fencing-yaml.ts';

type Moment = (events: readonly SonnyEvent[]) => boolean;

const told =
  (step: string): Moment =>
  (events) =>
    events.some(({ facts }) => facts.kind === 'progress' && facts.progress.step === step);
const instancesEnded =
  (count: number): Moment =>
  (events) =>
    events.filter(({ facts }) => facts.kind === 'instance-ended').length >= count;

const moments: readonly [string, Moment][] = [
  ['has been ordered', (events) => events.some(({ facts }) => facts.kind === 'recovery-requested')],
  ['is about to cut hv01 off', told('cutting-off')],
  ['has cut hv01 off', told('cut-off')],
  ['has forced hv01 down', told('forced-down')],
  ['has begun to evacuate', told('moving')],
  ['has one instance back', instancesEnded(1)],
  ['waits for the guests to answer', instancesEnded(3)],
];

const levelAlone = { FENCING: { mode: 'required', hosts: 'fencing.yaml', timeout: 30 } };

describe.each([
  ['with no fence', {}, undefined, 'hv01 is cut off from Ceph ('],
  [
    'with the level ceph as proof',
    levelAlone,
    fencingYaml({ hv01: ['ceph'] }),
    'hv01 is cut off from Ceph (ceph, level 1: ',
  ],
] as const)('%s', (_how, ini, yaml, proof) => {
  cephStories('kill -9 of ns4', (story) => {
    test.each(moments)('when it %s: another one goes on', async (_, isNow) => {
      const { household, ns4 } = await story.atWork(ini, yaml);
      await story.dies();
      const untilMs = Date.now() + 90_000;
      while (!isNow(await household.events()))
        if (Date.now() > untilMs) throw new Error(`the moment did not come\n${await household.story()}`);
      await ns4.signal('SIGKILL');
      household.start('ns4', '-vv');
      await story.expectRecovered();
      expect(await story.texts()).toContain(proof);
      expect(story.ceph.writersPerInstance(story.ids)).toEqual([2, 2, 2]);
      await story.expectBlockedForAYear('hv01');
      await story.expectOrder();
    });
  });
});
