// What a journal that begins anew takes over from an earlier one of the same recovery: its proof, and what was told of it.
import { expect, test } from 'vitest';
import { mayBeLate } from '../../../../src/ns4/recovery/stages/late-report.ts';
import { newJournal } from '../../../../src/ns4/recovery/stages/new-journal.ts';
import { planOntoSpare } from '../../../../src/shared/documents/terms/plan.ts';
import { hypervisor, nowMs, picture, server } from '../../../support/inventories.ts';

type Told = ReturnType<typeof newJournal>['progress'][number]['progress'];

const seen = picture({ hypervisors: [hypervisor('hv01')], servers: [server('vm1', 'hv01')] });
const tools = { mover: { name: 'api' }, clock: { nowMs: () => nowMs } };
const order = {
  ...{ recovery: 'i.1', incident: 'i', dead: 'hv01', plan: planOntoSpare('hv04'), judgedAtMs: nowMs },
  evidence: [],
};
const anew = (earlier: ReturnType<typeof newJournal> | null) =>
  newJournal(
    order as unknown as Parameters<typeof newJournal>[0],
    tools as unknown as Parameters<typeof newJournal>[1],
    seen,
    earlier,
  );

const by = { agent: 'fence_ipmilan', level: 1 };
const late = { step: 'late-heartbeat', evidence: 'heartbeat', ...by } as const;

test.each<[Told, boolean]>([
  [{ step: 'powered-off', ...by, failed: [] }, true],
  [{ step: 'crash-kernel-reported', ...by, failed: [] }, true],
  [{ step: 'confirmed-off', who: 'alice', atMs: nowMs, failed: [] }, true],
  [late, true],
  [{ step: 'cut-off', addresses: ['192.0.2.1'] }, true],
  [{ step: 'powering-off', ...by, atMs: nowMs }, false],
  [{ step: 'forced-down' }, false],
  ['a sentence of an older version', false],
])('%j is kept: %s', (progress, isKept) => {
  const earlier = { ...anew(null), progress: [{ atMs: nowMs, progress }] };
  expect(anew(earlier).progress).toEqual(isKept ? earlier.progress : []);
});

test('a living host is not heard as late anew, each time that its facts are asked for again', () => {
  const earlier = { ...anew(null), progress: [{ atMs: nowMs - 21_000, progress: late }] };
  expect(mayBeLate(anew(earlier), nowMs)).toBe(false);
});
