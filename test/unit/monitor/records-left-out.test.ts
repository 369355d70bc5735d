// Records of OpenStack that make no sense, as a story of the monitor: told once until they change, shown by the status
// until they are gone, and no reason not to judge the others.
import { expect, test } from 'vitest';
import type { Hosts } from '../../../src/shared/documents/inventory.ts';
import { hypervisor, inventory } from '../../support/inventories.ts';
import { Story } from '../../support/monitor-story.ts';

const list = 'compute /servers/detail?all_tenants=1';

test('told once until they change, and that it is over; the others are judged', () => {
  let leftOut: Hosts['leftOut'] = [{ list, count: 1, of: 10, some: '"x" (host: no name of a host)' }];
  const s: Story = new Story({
    inventory: () => {
      const made = inventory({ hypervisors: [hypervisor('hv01'), hypervisor('hv02')] }, s.atMs);
      return { ...made, hosts: { ...made.hosts, leftOut } };
    },
    finding: () => 'answers',
  });
  s.round().round();
  // Another instance is no news.
  leftOut = leftOut.map((one) => ({ ...one, of: 11 }));
  s.round();
  expect(s.refusals).toEqual(['records-left-out']);
  expect(s.texts.at(-1)).toBe(
    `In what OpenStack lists, ${list}: 1 of 10 records make no sense and are left out, judged by nobody: "x" (host: no name of a host).`,
  );
  expect(s.state.raised).toMatchObject([{ refusal: { name: 'records-left-out' }, scope: { kind: 'cloud' } }]);
  leftOut = [{ list, count: 2, of: 11, some: '"x" (host: no name of a host); "y" (id: no id)' }];
  s.round();
  expect(s.refusals).toEqual(['records-left-out', 'records-left-out']);
  leftOut = [];
  s.round();
  expect(s.texts.at(-1)).toBe('All records of OpenStack make sense again.');
  expect(s.state.raised).toEqual([]);
});
