// When two plans of fencing are the same one: whatever makes another device of one is another plan, a secret is not told.
import { expect, test } from 'vitest';
import { describePlans } from '../../../../src/ns4/commands/fencing-checks.ts';
import type { Device, FencingPlan, Level } from '../../../../src/ns4/fencing/plan.ts';
import { planHash } from '../../../../src/ns4/fencing/plan-hash.ts';

const bmc = (options: Record<string, string>, change: Partial<Device> = {}): Device => ({
  ...{ agent: 'fence_ipmilan', program: '/usr/sbin/fence_ipmilan', options },
  ...change,
});
const levels = (...devices: Device[][]): Level[] => devices.map((of, i) => ({ number: i + 1, devices: of }));
const plan = (
  hosts: Record<string, readonly Level[]>,
  others: FencingPlan['others'] = null,
): Parameters<typeof planHash>[0] => ({ hosts: new Map(Object.entries(hosts)), others });

const one = bmc({ ip: '10.0.0.1', username: 'sonny', password: 'hunter2' });
const two = bmc({ ip: '10.0.0.2', username: 'sonny', password: 'hunter2' });
const base = plan({ hv01: levels([one]), hv02: levels([two]) });

test('a short text, without anything of a secret', () => {
  expect(planHash(base)).toMatch(/^[0-9a-f]{16}$/);
});

test.each([
  ['itself', plan({ hv01: levels([one]), hv02: levels([two]) }), true],
  ['hosts in another order', plan({ hv02: levels([two]), hv01: levels([one]) }), true],
  [
    'options in another order, another password, the program elsewhere',
    plan({
      hv01: levels([bmc({ password: 'other', username: 'sonny', ip: '10.0.0.1' }, { program: '/sbin/x' })]),
      hv02: levels([two]),
    }),
    true,
  ],
  [
    'no password at all',
    plan({ hv01: levels([bmc({ ip: '10.0.0.1', username: 'sonny' })]), hv02: levels([two]) }),
    false,
  ],
  ['devices exchanged', plan({ hv01: levels([two]), hv02: levels([one]) }), false],
  ['another agent', plan({ hv01: levels([{ ...one, agent: 'fence_own' }]), hv02: levels([two]) }), false],
  ['a host less', plan({ hv01: levels([one]) }), false],
  ['a second level', plan({ hv01: levels([one], [two]), hv02: levels([two]) }), false],
  ['both in one level', plan({ hv01: levels([one, two]), hv02: levels([two]) }), false],
  [
    'another one for everybody else',
    plan({ hv01: levels([one]), hv02: levels([two]) }, (host) => levels([bmc({ ip: `${host}-bmc` })])),
    false,
  ],
])('%s', (_, other, same) => {
  expect(planHash(other) === planHash(base)).toBe(same);
});

test('--check: whose plan is another one than that of the file', () => {
  const ctl1 = { name: 'ctl1', plan: 'aaaa' };
  expect(describePlans('aaaa', [ctl1, { name: 'ctl2', plan: 'aaaa' }])).toBe('aaaa; of ctl1, ctl2');
  expect(describePlans('aaaa', [])).toBe('aaaa; of no ns4 that is there');
  expect(() => describePlans('aaaa', [ctl1, { name: 'ctl2', plan: 'bbbb' }])).toThrow(
    'this fencing.yaml is aaaa, and ctl2: bbbb: nobody is fenced before all have the same; an ns4 reads it when it starts',
  );
});
