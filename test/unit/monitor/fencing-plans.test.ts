// Two ns4 with different plans of fencing, as a story of the monitor: said while all is well, nobody is recovered, and
// over when it is over.
import { expect, test } from 'vitest';
import type { Rules } from '../../../src/monitor/core/state/rules.ts';
import type { FencingPlans } from '../../../src/shared/documents/terms/fencing-plans.ts';
import { agent, hypervisor, inventory, server, spare } from '../../support/inventories.ts';
import { Story } from '../../support/monitor-story.ts';

const same: FencingPlans = [{ plan: 'aaaa', of: ['ctl1', 'ctl2'] }];
const different: FencingPlans = [
  { plan: 'aaaa', of: ['ctl1'] },
  { plan: 'bbbb', of: ['ctl2'] },
];

function cloud(sight: { plans: FencingPlans; dead: boolean }, fencing: Rules['fencing']): Story {
  const s: Story = new Story(
    {
      inventory: () => {
        const made = inventory(
          {
            hypervisors: [hypervisor('hv01'), hypervisor('hv02', { runningVms: 1 }), spare('hv04')],
            agents: sight.dead ? [agent('hv01', 120_000)] : [],
            servers: [server('vm1', 'hv01'), server('vm2', 'hv02')],
          },
          s.atMs,
        );
        return { ...made, hosts: { ...made.hosts, fencingPlans: sight.plans } };
      },
      finding: (name) => (/^(hv01|id-vm1)$/.test(name) ? 'silent' : 'answers'),
    },
    { fencing },
  );
  return s;
}

test('said while all is well, once, and that it is over; then the dead are recovered', () => {
  const sight = { plans: different, dead: false };
  const s = cloud(sight, 'required').round().round();
  expect(s.texts).toEqual([
    'The ns4 of this cloud fence by different plans (ctl1: aaaa; ctl2: bbbb): one of them may power off another machine than is meant. Nobody is fenced and nothing recovered until that is over. Please give all of them the same fencing.yaml, and restart those that had another.',
  ]);
  sight.dead = true;
  s.round().round();
  expect(s.recoveries).toEqual([]);
  expect(s.refusals).toEqual(['fencing-plans-differ', 'fencing-plans-differ']);
  expect(s.texts.at(-1)).toMatch(/^hv01 is dead, but the ns4 of this cloud fence by different plans/);
  sight.plans = same;
  s.round();
  expect(s.texts).toContain('All ns4 fence by the same plan again.');
  expect(s.recoveries).toMatchObject([{ dead: 'hv01', spare: 'hv04' }]);
});

test('nobody fences: no matter', () => {
  const s = cloud({ plans: different, dead: true }, 'none').round();
  expect(s.refusals).toEqual([]);
  expect(s.recoveries).toMatchObject([{ dead: 'hv01' }]);
});
