// Which instances may tell that their host lives, while they are being moved.
import { expect, test } from 'vitest';
import { answeringOf, guestsStillThere } from '../../../../src/ns4/recovery/guests-still-there.ts';
import { addArrivals, newJournal } from '../../../../src/ns4/recovery/stages/new-journal.ts';
import type { Server } from '../../../../src/shared/documents/inventory.ts';
import { planOntoSpare } from '../../../../src/shared/documents/terms/plan.ts';
import { hypervisor, nowMs, picture, server } from '../../../support/inventories.ts';

const rules = { instancePorts: [22, 80] };
const of = (change: Partial<Server>) =>
  picture({ hypervisors: [hypervisor('hv01')], servers: [server('vm1', 'hv01', change)] });
const names = (seen: ReturnType<typeof of>, journal: Parameters<typeof guestsStillThere>[2] = null) =>
  guestsStillThere('hv01', seen, journal, rules).map(({ name }) => name);

test.each<[string, Partial<Server>, boolean]>([
  ['it runs, with an external address', {}, true],
  ['it is stopped, as far as Nova knows', { vmState: 'stopped', powerState: 4 }, true],
  ['in ERROR', { vmState: 'error' }, true],
  ['it is being moved: it may answer from elsewhere', { taskState: 'migrating' }, false],
  ['an address on an internal network only', { addresses: [] }, false],
])('%s', (_, change, isAsked) => {
  expect(names(of(change))).toEqual(isAsked ? ['id-vm1'] : []);
});

test('each address with each port', () => {
  expect(guestsStillThere('hv01', of({}), null, rules)[0]?.endpoints).toEqual([
    { address: '192.0.2.1', port: 22 },
    { address: '192.0.2.1', port: 80 },
  ]);
});

test.each([
  ['nothing was asked for', {}, true],
  ['it is about to be asked for', { state: 'asking', attempts: 1 }, false],
  ['Nova gave up on it, and something of it may run at its target', { state: 'pending', attempts: 1 }, false],
  ['it has its end', { state: 'ended' }, false],
] as const)('of a journal: %s', (_, change, isAsked) => {
  const seen = of({});
  const tools = { mover: { name: 'api' }, clock: { nowMs: () => nowMs } } as const;
  const order = {
    ...{ recovery: 'i.1', incident: 'i', dead: 'hv01', plan: planOntoSpare('hv04'), judgedAtMs: nowMs },
    evidence: [],
  };
  const journal = newJournal(
    order as unknown as Parameters<typeof newJournal>[0],
    tools as unknown as Parameters<typeof newJournal>[1],
    seen,
    null,
  );
  addArrivals(journal, seen);
  Object.assign(journal.instances['id-vm1'] ?? {}, change);
  expect(names(seen, journal)).toEqual(isAsked ? ['id-vm1'] : []);
});

test('an answer counts whatever becomes of the rest; a scan that failed says nothing', () => {
  const targets = guestsStillThere('hv01', of({}), null, rules);
  const finding = { state: 'answers', detail: '192.0.2.1:22 open' } as const;
  const scan = {
    ok: true,
    outcome: 'blind',
    targets: { 'id-vm1': finding },
    controls: {},
    tookMs: 1,
  } as const;
  expect(answeringOf(targets, scan, () => 'vm1')).toEqual([
    { id: 'id-vm1', name: 'vm1', on: '192.0.2.1:22 open' },
  ]);
  expect(answeringOf(targets, { ok: false, detail: 'boom' }, () => 'vm1')).toEqual([]);
});
