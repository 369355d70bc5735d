// Which spare may stand in: each rule as a row, and the assignment of several.
import { describe, expect, test } from 'vitest';
import { assignSpares } from '../../../../src/monitor/core/plans/spares.ts';
import { isMarkedSpare, resurrectionReason } from '../../../../src/shared/documents/inventory.ts';
import { spareShortcoming } from '../../../../src/shared/rules/spares.ts';
import { agent, hypervisor, nowMs, picture, server, spare } from '../../../support/inventories.ts';

const heartbeatPeriodMs = 40_000;

describe('spareShortcoming', () => {
  const dead = hypervisor('hv01', { aggregates: ['az', 'ssd'], memoryMbUsed: 64_000 });
  const fitting = { aggregates: ['az', 'gpu', 'ssd'] };
  const table: [
    string,
    Parameters<typeof spare>[1],
    Partial<Parameters<typeof picture>[0]>,
    RegExp | null,
  ][] = [
    ['fits', {}, {}, null],
    ['"Spare" in any case, anywhere in the reason', { disabledReason: 'kept as SPARE by anna' }, {}, null],
    ['enabled', { status: 'enabled', disabledReason: null }, {}, /enabled/],
    ['disabled for another reason', { disabledReason: 'disk trouble' }, {}, /does not say "spare"/],
    ['nova-compute down', { state: 'down' }, {}, /nova-compute down/],
    ['another zone', { zone: 'b' }, {}, /in zone b, not nova/],
    [
      'defect 17: every aggregate of the dead host counts, not the last one',
      { aggregates: ['ssd'] },
      {},
      /not in aggregate az/,
    ],
    ['an instance on it', {}, { servers: [server('vm1', 'hv04')] }, /1 instances/],
    ['vCPUs in use', { vcpusUsed: 2 }, {}, /2 vCPUs in use/],
    ['fewer vCPUs', { vcpus: 16 }, {}, /16 vCPUs, fewer than 32/],
    ['less memory than was in use', { memoryMb: 32_000 }, {}, /32000 MB/],
    ['silent agent', {}, { agents: [agent('hv04', 41_000)] }, /silent network agent/],
    [
      'one silent agent of two',
      {},
      { agents: [agent('hv04', 1_000), agent('hv04', 41_000, { binary: 'neutron-l3-agent' })] },
      /neutron-l3-agent/,
    ],
  ];
  test.each(table)('%s', (_, change, parts, expected) => {
    const candidate = spare('hv04', { ...fitting, ...change });
    const seen = picture({ hypervisors: [dead, candidate], ...parts });
    const why = spareShortcoming({ dead, spare: candidate, picture: seen, heartbeatPeriodMs, nowMs });
    if (expected === null) expect(why).toBeNull();
    else expect(why).toMatch(expected);
  });

  test('defect 17: a host in no aggregate has a spare all the same', () => {
    const assigned = assignSpares(
      ['hv01'],
      picture({ hypervisors: [hypervisor('hv01'), spare('hv04')] }),
      new Set(),
      nowMs,
      { heartbeatPeriodMs },
    );
    expect(assigned.pairs).toEqual([{ dead: 'hv01', spare: 'hv04' }]);
  });
});

test('a host that was recovered to one called "spare1" is no spare when it comes back', () => {
  const dead = hypervisor('hv01');
  const back = hypervisor('hv02', { status: 'disabled', disabledReason: resurrectionReason('spare1') });
  expect(isMarkedSpare(back)).toBe(false);
  expect(isMarkedSpare(spare('hv04', { disabledReason: 'a spare for sonny' }))).toBe(true);
  const { pairs, missing } = assignSpares(
    ['hv01'],
    picture({ hypervisors: [dead, back] }),
    new Set(),
    nowMs,
    {
      heartbeatPeriodMs,
    },
  );
  expect({ pairs, missing }).toEqual({ pairs: [], missing: [{ dead: 'hv01', candidates: [] }] });
});

describe('assignSpares', () => {
  test('as many dead hosts as possible get one, whatever their order', () => {
    const hypervisors = [
      hypervisor('hv01'),
      hypervisor('hv02', { aggregates: ['ssd'] }),
      spare('hv03', { aggregates: ['ssd'], vcpus: 32 }),
      spare('hv04', { vcpus: 64, aggregates: ['gpu', 'other'] }),
    ];
    for (const dead of [
      ['hv01', 'hv02'],
      ['hv02', 'hv01'],
    ]) {
      const { pairs, missing } = assignSpares(dead, picture({ hypervisors }), new Set(), nowMs, {
        heartbeatPeriodMs,
      });
      expect(new Map(pairs.map((p) => [p.dead, p.spare]))).toEqual(
        new Map([
          ['hv01', 'hv04'],
          ['hv02', 'hv03'],
        ]),
      );
      expect(missing).toEqual([]);
    }
  });

  test('defect 1: with one spare for two, one is recovered and the other one is told why not', () => {
    const hypervisors = [hypervisor('hv01'), hypervisor('hv02'), spare('hv04')];
    const { pairs, missing } = assignSpares(['hv01', 'hv02'], picture({ hypervisors }), new Set(), nowMs, {
      heartbeatPeriodMs,
    });
    expect(pairs).toEqual([{ dead: 'hv01', spare: 'hv04' }]);
    expect(missing).toEqual([{ dead: 'hv02', candidates: [{ host: 'hv04', why: 'stands in for hv01' }] }]);
  });

  test('one taken by a recovery under way is not given again', () => {
    const { missing } = assignSpares(
      ['hv01'],
      picture({ hypervisors: [hypervisor('hv01'), spare('hv04')] }),
      new Set(['hv04']),
      nowMs,
      { heartbeatPeriodMs },
    );
    expect(missing[0]?.candidates).toEqual([{ host: 'hv04', why: 'is taken by another recovery' }]);
  });
});
