// Hosts that Sonny cut off from Ceph and whose entries were forgotten, as a story of the monitor: named once, shown by the
// status until it is over.
import { expect, test } from 'vitest';
import type { Hypervisor } from '../../../src/shared/documents/inventory.ts';
import { hypervisor, inventory } from '../../support/inventories.ts';
import { Story } from '../../support/monitor-story.ts';

const dayMs = 86_400_000;

function cloud(sight: { hv01: Partial<Hypervisor>; sinceMs: number | null }): Story {
  const s: Story = new Story({
    inventory: () => {
      const made = inventory({ hypervisors: [hypervisor('hv01', sight.hv01), hypervisor('hv02')] }, s.atMs);
      const cutOff =
        sight.sinceMs === null ? [] : [{ host: 'hv01', addresses: ['10.2.0.1'], sinceMs: sight.sinceMs }];
      return { ...made, hosts: { ...made.hosts, cutOff } };
    },
    finding: () => 'answers',
  });
  return s;
}

test('back in service: named once, and that it is over', () => {
  const sight = { hv01: {}, sinceMs: 0 as number | null };
  const s = cloud(sight).round().round();
  expect(s.refusals).toEqual(['still-cut-off']);
  expect(s.texts.at(-1)).toMatch(/^hv01 \(since .+\) is cut off from Ceph, though back in service/);
  expect(s.state.raised).toMatchObject([{ refusal: { name: 'still-cut-off' }, scope: { kind: 'cloud' } }]);
  sight.sinceMs = null;
  s.round();
  expect(s.texts.at(-1)).toBe('No host that is back in service is cut off from Ceph any more.');
});

test('not back: named when it was long ago, and not before', () => {
  const disabled = { status: 'disabled', disabledReason: 'repair' } as const;
  const sight = { hv01: disabled, sinceMs: 0 };
  const s = cloud(sight);
  sight.sinceMs = s.atMs - 6 * dayMs;
  s.round();
  expect(s.refusals).toEqual([]);
  sight.sinceMs = s.atMs - 8 * dayMs;
  s.round();
  expect(s.texts.at(-1)).toMatch(/^hv01 \(since .+\) is still cut off from Ceph\./);
});
