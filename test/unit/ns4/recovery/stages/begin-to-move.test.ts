// The instances are looked at while the mark in Nova takes its time; nothing is asked for before it is read back.
import { expect, test } from 'vitest';
import type { ComputeService } from '../../../../../src/ns4/cloud/cloud.ts';
import { TakenHostError } from '../../../../../src/ns4/recovery/mark.ts';
import type { Recovery } from '../../../../../src/ns4/recovery/recovery.ts';
import { closeServices } from '../../../../../src/ns4/recovery/stages/close-services.ts';
import { move } from '../../../../../src/ns4/recovery/stages/move.ts';
import { planOntoSpare } from '../../../../../src/shared/documents/terms/plan.ts';
import { silentLog } from '../../../../simulation/processes/silent-log.ts';
import { instantClock } from '../../../../support/instant-clock.ts';

/** A recovery that is about to close hv01; `foreign`: another Sonny writes its mark meanwhile. */
function lab({ isTold = false, foreign = false } = {}) {
  const story: string[] = [];
  const clock = instantClock();
  const services = new Map<string, ComputeService>(
    ['hv01', 'hv04'].map((host) => [host, service(host, host === 'hv01' ? 'enabled' : 'disabled')]),
  );
  const cloud = {
    clockSkewMs: () => 0,
    listComputeServices: async (_: AbortSignal, host: string) => [services.get(host)],
    changeComputeService: async (id: string, change: Partial<ComputeService>) => {
      story.push(`${id} ${change.status}`);
      const changed = { ...services.get(id), ...change } as ComputeService;
      if (change.forcedDown) Object.assign(changed, { state: 'down' });
      services.set(id, changed);
      return changed;
    },
  };
  const refusal = { name: 'foreign-mark', host: 'hv01', recovery: null } as const;
  const journal = {
    ...{ id: 'i.1', incident: 'i', sonny: 'ours', dead: 'hv01', plan: planOntoSpare('hv04'), acted: false },
    ...{ instances: {}, ended: null, openedAtMs: 0, judgedAtMs: 0, evidence: [], proof: null },
    progress: isTold ? [{ atMs: 0, progress: { step: 'forced-down' } }] : [],
  };
  const mover = {
    begin: () => {
      story.push('looks');
      return async () => {
        story.push('moves');
      };
    },
  };
  const recovery = {
    ...{ opened: journal, journal, facts: {}, stillSilent: {}, signal: new AbortController().signal },
    order: { sonny: 'ours', byHand: false, despite: [], dead: 'hv01' },
    lock: { save: async () => {}, end: async () => {} },
    mark: {
      confirm: async () => {
        story.push('mark read');
        if (foreign) throw new TakenHostError(refusal);
      },
    },
    tools: { cloud, clock, mover, log: silentLog, policy: { disabledHosts: 'leave' } },
    move: null,
    tell: async () => {},
  } as unknown as Recovery;
  return { recovery, story };
}

const service = (host: string, status: 'enabled' | 'disabled') =>
  ({ id: host, host, status, state: 'up', disabledReason: null, forcedDown: false }) as ComputeService;

test('looked at once the mark is written, moved once it was read and the spare is enabled', async () => {
  const { recovery, story } = lab();
  expect(await closeServices.run(recovery)).toBe('next');
  expect(story).toEqual(['hv01 disabled', 'looks', 'mark read', 'hv04 enabled']);
  await move.run(recovery);
  expect(story.slice(4)).toEqual(['moves']);
});

test('a worker that continues has nothing to wait for: looked at when they are moved', async () => {
  const { recovery, story } = lab({ isTold: true });
  await closeServices.run(recovery);
  await move.run(recovery);
  expect(story).toEqual(['mark read', 'hv04 enabled', 'looks', 'moves']);
});

test('the mark is another one by then: nothing is enabled or moved', async () => {
  const { recovery, story } = lab({ foreign: true });
  expect(await closeServices.run(recovery)).toMatchObject({ report: { outcome: 'refused' } });
  expect(story).toEqual(['hv01 disabled', 'looks', 'mark read']);
});
