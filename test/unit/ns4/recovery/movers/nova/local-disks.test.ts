// A host full of instances whose disks an evacuation would make anew: each is left where it is and named, however many.
import { expect, test } from 'vitest';
import type { Moving } from '../../../../../../src/ns4/recovery/movers/mover.ts';
import { byApi } from '../../../../../../src/ns4/recovery/movers/nova/by-api.ts';
import type { Order } from '../../../../../../src/ns4/recovery/recovery.ts';
import { newJournal } from '../../../../../../src/ns4/recovery/stages/new-journal.ts';
import { planOntoSpare } from '../../../../../../src/shared/documents/terms/plan.ts';
import { Picture } from '../../../../../../src/shared/picture/picture.ts';
import { silentLog } from '../../../../../simulation/processes/silent-log.ts';
import { instantClock } from '../../../../../support/instant-clock.ts';
import { hypervisor, inventory, server } from '../../../../../support/inventories.ts';

test('a hundred and five with local disks: no look is too old, all have their end, nothing is asked for', async () => {
  const servers = Array.from({ length: 105 }, (_, number) => server(`vm${number}`, 'hv01'));
  const { hosts, servers: list } = inventory({
    hypervisors: [hypervisor('hv01'), hypervisor('hv04')],
    servers,
  });
  const clock = instantClock();
  const order = { recovery: 'i.1', incident: 'i', sonny: '', dead: 'hv01', plan: planOntoSpare('hv04') };
  const journal = newJournal(
    { ...order, judgedAtMs: 0, evidence: [] } as unknown as Order,
    { mover: byApi, clock },
    Picture.of(hosts, list),
    null,
  );
  const asked: string[] = [];
  const moving = {
    ...{ journal, clock, log: silentLog, concurrency: 8, signal: new AbortController().signal },
    lock: { save: async () => {} },
    cloud: {
      clockSkewMs: () => 0,
      listMigrations: async () => [],
      listEvacuations: async () => [],
      listMigrationsOf: async () => [],
      listServers: async () => servers,
      readServer: async (id: string) => servers.find((one) => one.id === id) ?? null,
    },
    say: async () => {},
    evacuate: async (id: string) => void asked.push(id),
    confirmMark: async () => {},
    mayMove: async () => ({ kind: 'absent', why: 'its disk is on none of these pools' }),
    whereOpen: async () => null,
    heard: async () => [],
    leaveAlone: async () => {},
    isPowerFresh: () => true,
    confirmSilence: async () => {},
  } as unknown as Moving;
  await byApi.begin(moving)();
  const ends = Object.values(journal.instances).map(({ report }) => `${report?.outcome}: ${report?.why}`);
  expect(ends).toHaveLength(105);
  expect(new Set(ends)).toEqual(new Set(['skipped: its disk is on none of these pools']));
  expect(asked).toEqual([]);
  expect(journal.acted).toBe(false);
});
