// Which parts of a cloud went stale together, as a table; and what holds whatever the cloud looks like.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Hypervisor } from '../../../../src/shared/documents/inventory.ts';
import type { ScanFinding, ScanResult } from '../../../../src/shared/documents/jobs/scan.ts';
import { scopeText } from '../../../../src/shared/documents/terms/scope.ts';
import { Picture } from '../../../../src/shared/picture/picture.ts';
import { controlsFor, findOutages, unansweredFor } from '../../../../src/shared/rules/control-plane.ts';
import { agent, hypervisor, inventory, nowMs } from '../../../support/inventories.ts';

const rules = { heartbeatPeriodMs: 40_000, hypervisorPorts: [22] };

/**
 * A host by its traits: x agents silent, d compute service down, f forced down, h handled before, r retired, u perhaps
 * so, but its instances were never counted, n no
 * agent, o nova-compute's report old; l agents late by 35 s, s silent for longer, both with a nova-compute that reports.
 */
type Traits = string;
const handled = { state: 'down', status: 'disabled', disabledReason: 'sonny resurrection on hv99' } as const;

function cloudOf(zones: Record<string, Traits[]>, aggregates: Record<string, string[]> = {}): Picture {
  let number = 0;
  const hypervisors: Hypervisor[] = [];
  const agents = [];
  for (const [zone, hosts] of Object.entries(zones))
    for (const traits of hosts) {
      number += 1;
      const host = `hv${String(number).padStart(2, '0')}`;
      const has = (trait: string) => traits.includes(trait);
      hypervisors.push(
        hypervisor(host, {
          zone,
          aggregates: Object.keys(aggregates).filter((name) => aggregates[name]?.includes(host)),
          ...(has('d') ? { state: 'down' } : {}),
          ...(has('o') ? { reportedAtMs: nowMs - 60_000 } : {}),
          ...(has('l') || has('s') ? { reportedAtMs: nowMs - 9_000 } : {}),
          ...(has('f') ? { state: 'down', forcedDown: true } : {}),
          ...(has('h') ? handled : {}),
          ...(has('u') ? { state: 'down', status: 'disabled', runningVms: null } : {}),
          ...(has('r') ? { state: 'down', status: 'disabled', runningVms: 0 } : {}),
        }),
      );
      const heardMsAgo = has('s') ? 81_000 : has('l') ? 65_000 : has('x') ? 60_000 : 5_000;
      if (!has('n')) agents.push(agent(host, heardMsAgo));
    }
  const { hosts } = inventory({ hypervisors, agents });
  return Picture.of({ ...hosts, agents }, null);
}

const found = (seen: Picture, recovering: string[] = []) => {
  const { failed, doubtful } = findOutages(seen, nowMs, rules, new Set(recovering));
  const words = (outages: typeof failed) =>
    outages.map((o) => `${scopeText(o.scope)}: ${o.stale.length} of ${o.total} ${o.of}`);
  return { failed: words(failed), doubtful: words(doubtful) };
};

describe('what went stale together', () => {
  const table: [string, Picture, { failed?: string[]; doubtful?: string[]; recovering?: string[] }][] = [
    ['nothing', cloudOf({ a: ['', '', '', ''] }), {}],
    ['most, but retired', cloudOf({ a: ['xr', 'xr', 'xr', 'xd', '', ''] }), {}],
    [
      'most, of whom nobody knows whether they are empty',
      cloudOf({ a: ['xu', 'xu', 'xu', 'xd', '', ''] }),
      { failed: ['cloud: 4 of 6 agents'] },
    ],
    [
      'some have silent agents, others nothing but a nova-compute: together they are most',
      cloudOf({ a: ['x', 'x', 'no', 'no', ''] }),
      { failed: ['cloud: 4 of 5 hypervisors'] },
    ],
    ['one of four', cloudOf({ a: ['xd', '', '', ''] }), {}],
    ['two of seven: less than a third', cloudOf({ a: ['xd', 'xd', '', '', '', '', ''] }), {}],
    [
      'two of six: a third',
      cloudOf({ a: ['x', 'x', '', '', '', ''] }),
      { doubtful: ['cloud: 2 of 6 agents'] },
    ],
    [
      'two of three: too few to be most',
      cloudOf({ a: ['xd', 'xd', ''] }),
      { doubtful: ['cloud: 2 of 3 agents'] },
    ],
    [
      'three of six: half is not most',
      cloudOf({ a: ['x', 'x', 'x', '', '', ''] }),
      { doubtful: ['cloud: 3 of 6 agents'] },
    ],
    ['three of five: most', cloudOf({ a: ['x', 'x', 'x', '', ''] }), { failed: ['cloud: 3 of 5 agents'] }],
    ['two of two: nobody to ask', cloudOf({ a: ['x', 'x'] }), { failed: ['cloud: 2 of 2 agents'] }],
    ['RabbitMQ: all', cloudOf({ a: ['xd', 'xd', 'xd', 'xd'] }), { failed: ['cloud: 4 of 4 agents'] }],
    [
      'under load the agents of all are late, and every nova-compute reports',
      cloudOf({ a: ['l', 'l', 'l', 'l'] }),
      {},
    ],
    [
      'neutron-server: all agents are silent for longer than late, though every nova-compute reports',
      cloudOf({ a: ['s', 's', 's', 's'] }),
      { failed: ['cloud: 4 of 4 agents'] },
    ],
    [
      'two are late, two are silent: who is late does not make the others most',
      cloudOf({ a: ['l', 'l', 'xd', 'xd'] }),
      { doubtful: ['cloud: 2 of 4 agents'] },
    ],
    [
      'nova-conductor: all compute services, the agents beat',
      cloudOf({ a: ['d', 'd', 'd', 'd'] }),
      { failed: ['cloud: 4 of 4 compute services'] },
    ],
    [
      'most of one zone',
      cloudOf({ a: ['x', 'x', 'x'], b: ['', '', '', '', '', '', ''] }),
      { failed: ['zone a: 3 of 3 agents'] },
    ],
    [
      'a cell: the compute services of one zone',
      cloudOf({ a: ['d', 'd', 'd', ''], b: ['', '', '', '', '', '', ''] }),
      { failed: ['zone a: 3 of 4 compute services'] },
    ],
    [
      'a zone of two, both silent: nobody of it could answer',
      cloudOf({ a: ['x', 'x'], b: ['', '', '', '', ''] }),
      { failed: ['zone a: 2 of 2 agents'] },
    ],
    [
      'a third of a zone, less of the cloud',
      cloudOf({ a: ['x', 'x', '', ''], b: ['', '', '', ''] }),
      { doubtful: ['zone a: 2 of 4 agents'] },
    ],
    [
      "a rack's aggregate across zones",
      cloudOf(
        { a: ['x', '', '', ''], b: ['x', 'x', '', '', '', '', ''] },
        { rack7: ['hv01', 'hv05', 'hv06'] },
      ),
      { failed: ['aggregate rack7: 3 of 3 agents'] },
    ],
    [
      'an aggregate with the hosts of a zone is told once',
      cloudOf({ a: ['x', 'x', 'x'], b: ['', '', '', '', '', '', ''] }, { r: ['hv01', 'hv02', 'hv03'] }),
      { failed: ['zone a: 3 of 3 agents'] },
    ],
    [
      'handled before, forced down by somebody: not counted',
      cloudOf({ a: ['xh', 'xf', 'xf', 'x', '', '', ''] }),
      {},
    ],
    ['a recovery under way: not counted', cloudOf({ a: ['x', 'xd', '', ''] }), { recovering: ['hv02'] }],
    [
      'hosts without agents do not count for the agents',
      cloudOf({ a: ['x', 'x', 'n', 'n', 'n', 'n', ''] }),
      { doubtful: ['cloud: 2 of 3 agents'] },
    ],
  ];
  test.each(table)('%s', (_, seen, { failed = [], doubtful = [], recovering = [] }) => {
    expect(found(seen, recovering)).toEqual({ failed, doubtful });
  });
});

describe('who must answer', () => {
  const seen = cloudOf({ a: ['x', 'x', '', ''], b: ['', '', '', ''] });
  const outages = findOutages(seen, nowMs, rules, new Set());
  const answers = { state: 'answers' as const, detail: '' };
  const silent = { state: 'silent' as const, detail: '' };

  test('a living member of the same part; others, and what config.ini names, do not count', () => {
    const answered = (host: string, controls: Record<string, ScanFinding>) => {
      const targets = { [host]: silent };
      const scan: ScanResult = { ok: true, outcome: 'seen', targets, controls, tookMs: 1 };
      const outage = unansweredFor(host, outages, scan, [host]);
      return outage && scopeText(outage.scope);
    };
    expect(answered('hv01', { hv03: answers })).toBeUndefined();
    expect(answered('hv01', { hv03: silent, hv05: answers, '10.0.0.1:443': answers })).toBe('zone a');
    expect(answered('hv05', {}), 'its zone is well').toBeUndefined();
  });

  const unasked = { says: 'cannot-tell', why: 'never-moved', isBehind: false, heardAtMs: null } as const;
  const moved = { says: 'alive', why: 'moved', isBehind: false, heardAtMs: nowMs - 20_000 } as const;
  test.each([
    ['and their nova-computes report', unasked, 9_000],
    ['and their beats moved', moved, 60_000],
  ])(
    'on an OVN cloud whose stamps are old for all, %s: there are controls, by hand too',
    (_, seenSo, ageMs) => {
      const names = ['hv01', 'hv02', 'hv03'];
      const reportedAtMs = nowMs - ageMs;
      const state = {
        ...seenSo,
        baseMs: 1,
        heardAfterMs: null,
        silentSinceMs: null,
        lookedAtMs: nowMs - 20_000,
      };
      const { hosts } = inventory({
        hypervisors: names.map((name) => hypervisor(name, { reportedAtMs })),
        agents: names.map((name) => agent(name, 75_000, { binary: 'ovn-controller', ovn: state })),
      });
      const controls = controlsFor(new Set(['hv01']), Picture.of(hosts, null), nowMs, rules);
      expect(controls.map(({ name }) => name)).toEqual(['hv02', 'hv03']);
    },
  );

  test('members of every zone and aggregate of a suspect are probed along', () => {
    const big = cloudOf(
      { a: Array(60).fill(''), b: ['x', ...Array(10).fill('')] },
      { ssd: ['hv61', 'hv70', 'hv71'] },
    );
    const names = controlsFor(new Set(['hv61']), big, nowMs, rules).map((c) => c.name);
    expect(names).toEqual(expect.arrayContaining(['hv70', 'hv71']));
    expect(names.filter((name) => name > 'hv61').length).toBeGreaterThanOrEqual(4);
    expect(names).not.toContain('hv61');
    expect(new Set(names).size).toBe(names.length);
  });
});

test('whatever the cloud: most of the agents silent is never judged, and more silence never makes a part sounder', () => {
  const traits = fc.constantFrom('', 'x', 'd', 'xd', 'xh', 'xf', 'n');
  const zone = fc.array(traits, { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(zone, zone, fc.nat(), (a, b, pick) => {
      const { failed } = findOutages(cloudOf({ a, b }), nowMs, rules, new Set());
      const counted = [...a, ...b].filter((t) => !/[nhf]/.test(t));
      const silent = counted.filter((t) => t.includes('x')).length;
      if (silent >= 3 && silent * 2 > counted.length)
        expect(failed.map((o) => scopeText(o.scope))).toEqual(['cloud']);
      const living = [...a, ...b].map((t, i) => (t === '' ? i : -1)).filter((i) => i >= 0);
      const next = living[pick % Math.max(1, living.length)];
      if (next === undefined || failed.length === 0) return;
      const darker = [...a, ...b].map((t, i) => (i === next ? 'x' : t));
      const after = findOutages(
        cloudOf({ a: darker.slice(0, a.length), b: darker.slice(a.length) }),
        nowMs,
        rules,
        new Set(),
      );
      const refused = new Set(after.failed.flatMap((o) => [...o.hosts]));
      for (const host of failed.flatMap((o) => [...o.hosts])) expect(refused.has(host)).toBe(true);
    }),
    { numRuns: 500 },
  );
});
