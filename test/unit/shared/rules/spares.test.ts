// Which spare may stand in: each rule as a row, and the assignment of several.
import { describe, expect, test } from 'vitest';
import { assignSpares } from '../../../../src/monitor/core/plans/spares.ts';
import type { Hypervisor } from '../../../../src/shared/documents/inventory.ts';
import { isMarkedSpare, notSpares } from '../../../../src/shared/documents/inventory.ts';
import { resurrectionReason } from '../../../../src/shared/documents/terms/disabled-reason.ts';
import { isGoneOnWith, spareShortcoming } from '../../../../src/shared/rules/spares.ts';
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
    ['"Spare" in any case, at the beginning', { disabledReason: ' SPARE, kept by anna' }, {}, null],
    ['"spare" elsewhere', { disabledReason: 'kept as spare' }, {}, /does not begin with "spare"/],
    ['enabled', { status: 'enabled', disabledReason: null }, {}, /enabled/],
    ['disabled for another reason', { disabledReason: 'disk trouble' }, {}, /does not begin with "spare"/],
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

test('C4: a host that waits for a spare part is no spare, and is named', () => {
  const dead = hypervisor('hv01');
  const broken = spare('hv04', { disabledReason: 'fan broken, waiting for spare part' });
  const { pairs, missing } = assignSpares(
    ['hv01'],
    picture({ hypervisors: [dead, broken] }),
    new Set(),
    nowMs,
    { heartbeatPeriodMs },
  );
  expect(pairs).toEqual([]);
  expect(missing).toEqual([
    {
      dead: 'hv01',
      candidates: [{ host: 'hv04', why: 'is disabled, but its reason does not begin with "spare"' }],
    },
  ]);
  expect(notSpares([dead, broken, spare('hv05')])).toEqual([
    'hv04 is no spare: its reason contains the word but does not begin with it',
  ]);
});

describe('where a recovery that ended short may be gone on with', () => {
  const mark = (targets: string) => ({
    status: 'disabled' as const,
    state: 'down' as const,
    forcedDown: true,
    disabledReason: resurrectionReason(targets, { recovery: '20261121T030000-hv01.1', sonny: 'ours' }),
  });
  const used = hypervisor('hv04', { vcpusUsed: 20 });
  const rows: [string, Partial<Hypervisor>, Hypervisor, boolean][] = [
    ['the enabled target of its mark', mark('hv04'), used, true],
    ['one of several targets', mark('hv03, hv04'), used, true],
    [
      'the target of an older mark',
      { ...mark(''), disabledReason: 'sonny resurrection on hv04' },
      used,
      true,
    ],
    ['another host', mark('hv03'), used, false],
    ['a name that only begins alike', mark('hv040'), used, false],
    ['a target that was set aside again', mark('hv04'), spare('hv04'), false],
    ['a host that is not forced down', { ...mark('hv04'), forcedDown: false }, used, false],
  ];
  test.each(rows)('%s', (_, change, target, expected) => {
    expect(isGoneOnWith(hypervisor('hv01', change), target)).toBe(expected);
  });
});

test('a host that was recovered to one called "spare1" is no spare when it comes back', () => {
  const dead = hypervisor('hv01');
  const back = hypervisor('hv02', { status: 'disabled', disabledReason: resurrectionReason('spare1', null) });
  expect(isMarkedSpare(back)).toBe(false);
  expect(isMarkedSpare(spare('hv04', { disabledReason: 'spare for sonny' }))).toBe(true);
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
