// Who could be recovered if he died today: a row for each thing that stands in the way, and what is said of it.
import { describe, expect, test } from 'vitest';
import type { SeenOfHost } from '../../../../src/ns4/commands/look-at-hosts.ts';
import { type Surveyed, surveyed } from '../../../../src/ns4/commands/readiness.ts';
import {
  hostRemarks,
  recoveryText,
  scanText,
  sparesText,
} from '../../../../src/ns4/commands/readiness-text.ts';
import type { Hypervisor } from '../../../../src/shared/documents/inventory.ts';
import type { ScanFinding } from '../../../../src/shared/documents/jobs/scan.ts';
import { resurrectionReason } from '../../../../src/shared/documents/terms/disabled-reason.ts';
import { policyOf } from '../../../../src/shared/rules/policy.ts';
import { agent, hypervisor, picture, server, spare } from '../../../support/inventories.ts';

const policy = policyOf('', {
  ...{ fencing: 'none', deadBackoff: 1, cooldownMs: 0, heartbeatPeriodMs: 40_000 },
  disabledHosts: 'leave',
});
const answers: ScanFinding = { state: 'answers', detail: '10.0.0.1:22 open' };
const seenOf = (change: Partial<SeenOfHost> = {}): SeenOfHost => ({
  ...{ ports: answers, guests: [], disks: null },
  ...change,
});

interface Case {
  readonly hv01?: Partial<Hypervisor>;
  readonly hv04?: Parameters<typeof spare>[1];
  readonly agents?: ReturnType<typeof agent>[];
  readonly seen?: Partial<SeenOfHost>;
  readonly about?: Partial<Surveyed>;
}

/** hv01 and hv02 run something, hv03 nothing, hv04 is the spare. */
function survey({ hv01 = {}, hv04 = {}, agents = [], seen = {}, about = {} }: Case) {
  const of = picture({
    hypervisors: [
      hypervisor('hv01', hv01),
      hypervisor('hv02'),
      hypervisor('hv03', { runningVms: 0 }),
      spare('hv04', hv04),
    ],
    agents,
    servers: [server('vm1', 'hv01'), server('vm2', 'hv02')],
  });
  const looked = new Map(of.hypervisors.map(({ host }) => [host, seenOf(host === 'hv01' ? seen : {})]));
  const found = surveyed({
    ...{ picture: of, seen: looked, scanTrouble: null, tooFew: [], policy },
    ...{ taken: new Set(), recovering: new Set(), proofOf: () => ({ by: 'silence' }) },
    ...about,
  });
  return { ...found, picture: of, looked: { seen: looked, scans: [] } };
}

const long = 600_000;
const table: [string, Case, [string, RegExp][]][] = [
  ['all is well', {}, []],
  ['no address', { hv01: { address: null } }, [['address', /no address in Nova/]]],
  ['its address is that of another', { hv01: { address: '10.0.0.2' } }, [['address', /as has hv02/]]],
  [
    'the scanner cannot tell',
    { seen: { ports: { state: 'unknown', detail: 'ENETUNREACH at 10.0.0.1:22' } } },
    [['scan', /cannot be scanned: ENETUNREACH/]],
  ],
  [
    'never heard: its guests may tell',
    { seen: { ports: { state: 'unknown', neverHeard: true, detail: 'never heard from here' } } },
    [],
  ],
  [
    'silent, though it lives: told, and no obstacle',
    { seen: { ports: { state: 'silent', detail: '' } } },
    [],
  ],
  ['no scan can be believed', { about: { scanTrouble: 'the scan is blind' } }, [['scan', /blind/]]],
  [
    'too few senses',
    { about: { tooFew: [{ host: 'hv01', reason: 'nobody was heard', help: 'a port' }] } },
    [['senses', /could not be told dead: nobody was heard; would help: a port/]],
  ],
  [
    'Ceph hangs',
    { seen: { disks: { state: 'unknown', detail: 'no monitor answers' } } },
    [['disks', /no monitor answers/]],
  ],
  ['its disks are open', { seen: { disks: { state: 'answers', detail: '' } } }, []],
  ['its disks never answered', { seen: { disks: { state: 'unknown', neverHeard: true, detail: '' } } }, []],
  [
    'an operator is at work',
    { hv01: { status: 'disabled', disabledReason: 'BIOS update' } },
    [['operator', /disabled by somebody/]],
  ],
  [
    'an operator is at work, and such hosts are recovered',
    {
      hv01: { status: 'disabled', disabledReason: 'BIOS update' },
      about: { policy: { ...policy, disabledHosts: 'recover' } },
    },
    [],
  ],
  ['no proof', { about: { proofOf: () => ({ by: null, why: 'no level' }) } }, [['proof', /no level/]]],
  ['the spare is too small', { hv04: { vcpus: 2 } }, [['spare', /has no spare that fits: hv04 has 2 vCPUs/]]],
  ['the spare has a silent agent', { agents: [agent('hv04', long)] }, [['spare', /silent network agent/]]],
  ['the spare is taken', { about: { taken: new Set(['hv04']) } }, [['spare', /taken by another/]]],
  ['no spare', { hv04: { disabledReason: 'broken' } }, [['spare', /none is set aside/]]],
  [
    'one that merely mentions the word',
    { hv04: { disabledReason: 'waiting for spare part' } },
    [['spare', /hv04 is disabled, but its reason does not begin with "spare"/]],
  ],
  [
    'the control plane is in doubt',
    {
      agents: [agent('hv01', long), agent('hv02', long), agent('hv03', long)],
    },
    [['outage', /would not be judged: 3 of 4 agents are stale together/]],
  ],
];

describe('what stands in the way', () => {
  test.each(table)('%s', (_, about, expected) => {
    const one = survey(about).hosts.find(({ host }) => host === 'hv01');
    expect(one?.obstacles).toEqual(
      expected.map(([kind, why]) => ({ kind, why: expect.stringMatching(why) })),
    );
  });
});

test.each<[string, Case]>([
  ['down', { hv01: { state: 'down' } }],
  ['forced down', { hv01: { forcedDown: true } }],
  ['not heard now', { agents: [agent('hv01', long)] }],
  ['in recovery', { about: { recovering: new Set(['hv01']) } }],
  [
    'recovered before',
    { hv01: { state: 'down', status: 'disabled', disabledReason: resurrectionReason('hv09', null) } },
  ],
])('%s: counted apart', (_, about) => {
  const { hosts, gone, empty, picture: of } = survey(about);
  expect({ hosts: hosts.map(({ host }) => host), gone, empty }).toEqual({
    ...{ hosts: ['hv02'], gone: ['hv01'], empty: ['hv03', 'hv04'] },
  });
  expect(recoveryText({ hosts, gone, empty }, of.cellDown)).toMatch(/^1 of 1 hypervisor .*hv01 gone already/);
});

describe('what is said', () => {
  test('the last line: how many, by what, onto what, and who not', () => {
    const two = survey({
      hv01: { address: null },
      about: { proofOf: (host) => (host === 'hv01' ? { by: null, why: 'no level' } : { by: 'device' }) },
    });
    expect(recoveryText(two, ['hv77'])).toBe(
      '1 of 2 hypervisors with instances could be recovered today: 1 with a proof by fence devices; onto hv04; ' +
        'not: a useless address and no proof (hv01); besides: 2 run nothing, 1 in a cell that does not answer',
    );
    expect(recoveryText(survey({ hv04: { state: 'down' } }), [])).toBe(
      '0 of 2 hypervisors with instances could be recovered today; not: no spare (hv01, hv02); besides: 2 run nothing',
    );
  });

  test('nothing to recover', () => {
    expect(recoveryText({ hosts: [], empty: ['hv01', 'hv02'], gone: ['hv03'] }, [])).toBe(
      'no hypervisor that lives runs anything: nothing to recover; besides: 2 run nothing, hv03 gone already',
    );
  });

  test('of single hosts, and alike of several once', () => {
    const odd = survey({
      hv01: { address: '10.0.0.2' },
      agents: [agent('hv02', 1_000), agent('hv02', 3_600_000, { binary: 'neutron-sriov-nic-agent' })],
      about: { proofOf: () => ({ by: null, why: 'has no proof' }) },
    });
    expect(hostRemarks(odd.picture, odd.looked, odd, policy)).toEqual([
      'hv01 has the address 10.0.0.2 in Nova, as has hv02: as long as one of them answers, none is dead',
      'hv02 has the address 10.0.0.2 in Nova, as has hv01: as long as one of them answers, none is dead',
      'hv02 lives, and its neutron-sriov-nic-agent is silent for minutes or hours',
      'hv01, hv02: each has no proof',
    ]);
  });

  test('one that lives and does not answer the scan', () => {
    const quiet = survey({ seen: { ports: { state: 'silent', detail: '3 ports silent' } } });
    expect(hostRemarks(quiet.picture, quiet.looked, quiet, policy)).toEqual([
      expect.stringMatching(/^hv01 lives \(.+\) and does not answer the scan: 3 ports silent$/),
    ]);
    expect(scanText(quiet.looked)).toBe(
      '4 hypervisors scanned, 3 answer; no instance has an address that can be asked',
    );
  });

  test('spares: whom each fits, and why one fits nobody', () => {
    const { hosts } = survey({ hv04: { zone: 'b', vcpus: 2 } });
    expect(sparesText(['hv04'], { hosts })).toEqual({
      found: 'hv04 fits 0 of 2',
      warnings: ['hv04 fits nobody: it is in zone b, not nova'],
    });
    expect(sparesText([], { hosts }).found).toBe('none');
  });

  test('a thousand hosts fill no more than a page', () => {
    const names = Array.from({ length: 1_000 }, (_, i) => `hv${i + 1}`);
    const of = picture({
      hypervisors: names.map((name, i) => hypervisor(name, { address: null, memoryMbUsed: i })),
      servers: names.map((name) => server(`vm-${name}`, name)),
    });
    const looked = { seen: new Map(names.map((name) => [name, seenOf()])), scans: [] };
    const all = surveyed({
      ...{ picture: of, seen: looked.seen, scanTrouble: null, tooFew: [], policy },
      ...{ taken: new Set(), recovering: new Set() },
      proofOf: (host) => ({ by: null, why: `of ${host} alone` }),
    });
    const remarks = hostRemarks(of, looked, all, policy);
    expect(remarks.length).toBeLessThan(15);
    expect(remarks.join('\n').length).toBeLessThan(3_000);
    expect(remarks[0]).toBe(
      '1000 hypervisors (hv1, hv2, hv3, hv4, hv5 and 995 more): each has no address in Nova (my_ip in its nova.conf), so nobody can scan it',
    );
    expect(recoveryText(all, []).length).toBeLessThan(300);
  });
});
