// The second lock on the door, as a table: every reason for which ns4 does not begin, or does not go on with, an
// evacuation.
import { describe, expect, test } from 'vitest';
import { permitRecovery, waivableGates, workerGates } from '../../../../src/ns4/recovery/gates.ts';
import type { GuestsAsked } from '../../../../src/ns4/recovery/guests-still-there.ts';
import { signOfLife } from '../../../../src/ns4/recovery/sign-of-life.ts';
import type { Agent, Hypervisor, Server } from '../../../../src/shared/documents/inventory.ts';
import type { ScanFinding, ScanResult } from '../../../../src/shared/documents/jobs/scan.ts';
import type { Refusal } from '../../../../src/shared/documents/refusals/refusals.ts';
import { resurrectionReason } from '../../../../src/shared/documents/terms/disabled-reason.ts';
import { type Plan, planOntoSpare } from '../../../../src/shared/documents/terms/plan.ts';
import { Picture } from '../../../../src/shared/picture/picture.ts';
import { policyOf } from '../../../../src/shared/rules/policy.ts';
import { mergeScans } from '../../../../src/shared/rules/votes.ts';
import { agent, hypervisor, inventory, nowMs, server, spare } from '../../../support/inventories.ts';

const policy = policyOf('hv01', {
  fencing: 'none',
  deadBackoff: 1,
  cooldownMs: 0,
  heartbeatPeriodMs: 40_000,
  disabledHosts: 'leave',
});
const judgedAtMs = nowMs - 30_000;
const order = { dead: 'hv01', plan: planOntoSpare('hv04'), judgedAtMs, sonny: 'ours', byHand: false };

const silent: ScanFinding = { state: 'silent', detail: '3 ports silent' };
const seen = (finding: ScanFinding | null, outcome: 'seen' | 'blind' = 'seen'): ScanResult => ({
  ok: true,
  outcome,
  targets: finding === null ? {} : { hv01: finding },
  controls: { hv02: { state: outcome === 'seen' ? 'answers' : 'silent', detail: '' } },
  tookMs: 1,
});

interface Case {
  dead?: Partial<Hypervisor> | null;
  spare?: Hypervisor | null;
  agents?: Agent[];
  servers?: Server[];
  scan?: ScanResult;
}

const deadAgent = agent('hv01', 90_000, { alive: false });
const down = { state: 'down', reportedAtMs: nowMs - 90_000 } as const;

function facts({ dead = {}, spare: spareHost = spare('hv04'), agents = [deadAgent], ...rest }: Case) {
  const hypervisors = [
    ...(dead === null ? [] : [hypervisor('hv01', { ...down, ...dead })]),
    hypervisor('hv02'),
    ...(spareHost === null ? [] : [spareHost]),
  ];
  const { hosts, servers } = inventory({ hypervisors, agents, servers: rest.servers ?? [] });
  return { hosts, servers, scan: rest.scan ?? seen(silent) };
}

type Facts = ReturnType<typeof facts>;
const permit = (
  { hosts, servers, scan }: Facts,
  resumed: boolean,
  change: Partial<typeof order & { offSinceMs: number; guests: GuestsAsked }> & {
    despite?: readonly string[];
    deadBackoff?: number;
  } = {},
) => {
  const { despite = [], deadBackoff = 1, guests, ...ordered } = change;
  const asked = guests === undefined ? {} : { guests };
  return permitRecovery(
    { order: { ...order, ...ordered }, facts: { scan, nowMs, ...asked }, resumed },
    Picture.of(hosts, servers),
    { ...policy, deadBackoff },
    despite,
  );
};
const judge = (change: Case, resumed: boolean) => permit(facts(change), resumed);

/** The spare as a resumed incident finds it: enabled, with instances on it. */
const inUse: Case = {
  spare: hypervisor('hv04', { vcpusUsed: 2 }),
  servers: [server('vm1', 'hv04'), server('vm2', 'hv01')],
};

describe('two ns4 with different plans of fencing', () => {
  const plans = [
    { plan: 'aaaa', of: ['ctl1'] },
    { plan: 'bbbb', of: ['ctl2'] },
  ];
  test.each([
    ['required', plans, false, [], 'fencing-plans-differ'],
    [
      'required, and an operator would waive it',
      plans,
      false,
      ['fencing-plans-differ'],
      'fencing-plans-differ',
    ],
    ['required, of one plan', plans.slice(0, 1), false, [], null],
    ['required, of nobody', [], false, [], null],
    ['required, half-way: its proof may stand', plans, true, [], null],
    ['none', plans, false, [], null],
  ] as const)('fencing is %s', (mode, fencingPlans, resumed, despite, expected) => {
    const { hosts, servers, scan } = facts(resumed ? inUse : {});
    const refusal = permitRecovery(
      { order, facts: { scan, nowMs }, resumed },
      Picture.of({ ...hosts, fencingPlans: [...fencingPlans] }, servers),
      { ...policy, fencing: mode === 'none' ? 'none' : 'required' },
      despite,
    );
    expect(refusal?.name ?? null).toBe(expected);
  });
});

describe('may it be evacuated?', () => {
  test('a dead host with a fit spare', () => expect(judge({}, false)).toBeNull());
  test('resumed: the spare enabled and partly filled', () => expect(judge(inUse, true)).toBeNull());

  const both: [string, Case, Partial<Refusal>][] = [
    ['the dead host is unknown', { dead: null }, { name: 'unknown-host', host: 'hv01' }],
    ['the spare is unknown', { spare: null }, { name: 'unknown-host', host: 'hv04' }],
    [
      'a fresh heartbeat',
      { agents: [agent('hv01', 5_000)] },
      { name: 'came-back', evidence: 'heartbeat of neutron-openvswitch-agent 5 s ago' },
    ],
    [
      'one agent of several is fresh',
      { agents: [deadAgent, agent('hv01', 40_000, { binary: 'neutron-l3-agent' })] },
      { name: 'came-back', evidence: 'heartbeat of neutron-l3-agent 40 s ago' },
    ],
    ['a heartbeat from the future', { agents: [agent('hv01', -1_500)] }, { name: 'came-back' }],
    [
      'the scan failed',
      { scan: { ok: false, detail: 'EMFILE' } },
      { name: 'scan-failed', of: 'hosts', hosts: ['hv01'], detail: 'EMFILE' },
    ],
    [
      'the host answers',
      { scan: seen({ state: 'answers', detail: '10.0.0.1:22 refused' }) },
      { name: 'came-back', evidence: '10.0.0.1:22 refused' },
    ],
    [
      'the host answers a scanner without controls',
      { scan: seen({ state: 'answers', detail: '10.0.0.1:22 open' }, 'blind') },
      { name: 'came-back' },
    ],
    [
      'the scanner is blind',
      { scan: seen(silent, 'blind') },
      { name: 'scanner-blind', hosts: ['hv01'], controls: ['hv02'] },
    ],
    [
      'the scanner had trouble of its own',
      { scan: seen({ state: 'unknown', detail: 'EMFILE at 10.0.0.1:22' }) },
      { name: 'scan-unknown', detail: 'EMFILE at 10.0.0.1:22' },
    ],
    [
      'fewer vantage points scanned than must agree',
      {
        scan: mergeScans(
          [
            { vantagePoint: 'ctl1', result: seen(silent) },
            { vantagePoint: 'ctl2', result: null },
          ],
          2,
        ),
      },
      {
        name: 'too-few-vantage-points',
        hosts: ['hv01'],
        vantagePoints: ['ctl1'],
        missing: ['ctl2'],
        quorum: 2,
      },
    ],
    [
      'one of two vantage points hears it',
      {
        scan: mergeScans(
          [
            { vantagePoint: 'ctl1', result: seen(silent) },
            { vantagePoint: 'ctl2', result: seen({ state: 'answers', detail: '10.0.0.1:22 open' }) },
          ],
          1,
        ),
      },
      { name: 'came-back', evidence: '10.0.0.1:22 open, heard by ctl2' },
    ],
    ['the scan left it out', { scan: seen(null) }, { name: 'scan-unknown', host: 'hv01' }],
    [
      'the nova-compute of the spare is down',
      { spare: spare('hv04', { state: 'down' }) },
      { name: 'spare-unfit', host: 'hv01', spare: 'hv04', why: 'it has its nova-compute down' },
    ],
    [
      'the network agent of the spare is silent',
      { agents: [deadAgent, agent('hv04', 41_000)] },
      { name: 'spare-unfit', why: 'it has a silent network agent (neutron-openvswitch-agent)' },
    ],
  ];
  test.each(both)('neither begun nor resumed: %s', (_, change, refusal) => {
    expect(judge(change, false)).toMatchObject(refusal);
    expect(judge(change, true)).toMatchObject(refusal);
  });

  const onlyToBegin: [string, Case, string][] = [
    ['is enabled', { spare: hypervisor('hv04') }, 'it is enabled, so not set aside as a spare'],
    [
      'is disabled for another reason',
      { spare: spare('hv04', { disabledReason: 'disk broken' }) },
      'it is disabled, but its reason does not begin with "spare"',
    ],
    ['is elsewhere', { spare: spare('hv04', { zone: 'b' }) }, 'it is in zone b, not nova'],
    ['lacks an aggregate', { dead: { aggregates: ['ssd'] } }, 'it is not in aggregate ssd'],
    ['has instances', { servers: [server('vm9', 'hv04')] }, 'it has 1 instances on it'],
    ['has vCPUs in use', { spare: spare('hv04', { vcpusUsed: 1 }) }, 'it has 1 vCPUs in use'],
    ['is smaller', { spare: spare('hv04', { vcpus: 31 }) }, 'it has 31 vCPUs, fewer than 32'],
    [
      'has too little memory',
      { spare: spare('hv04', { memoryMb: 3_999 }) },
      'it has 3999 MB of memory, less than the 4000 MB in use',
    ],
  ];
  test.each(onlyToBegin)('not begun, but resumed: the spare %s', (_, change, why) => {
    expect(judge(change, false)).toEqual({ name: 'spare-unfit', host: 'hv01', spare: 'hv04', why });
    expect(judge(change, true)).toBeNull();
  });

  test('not begun, but resumed: nova-compute reported after the verdict (our own change may have touched it)', () => {
    const reported = { dead: { reportedAtMs: judgedAtMs + 1 } };
    expect(judge(reported, false)).toMatchObject({
      name: 'came-back',
      evidence: 'nova-compute reported after it was judged dead',
    });
    expect(judge(reported, true)).toBeNull();
    expect(judge({ dead: { reportedAtMs: judgedAtMs } }, false)).toBeNull();
    expect(judge({ dead: { reportedAtMs: null } }, false)).toBeNull();
  });

  test('by hand, where nobody judged it before: a nova-compute that reports is a sign of life, not once begun', () => {
    const byHand = { judgedAtMs: nowMs };
    const reporting = facts({ dead: { reportedAtMs: nowMs - 8_000 } });
    expect(permit(reporting, false, byHand)).toMatchObject({
      ...{ name: 'came-back', host: 'hv01', evidence: 'nova-compute reported 8 s ago' },
    });
    expect(permit(reporting, true, byHand)).toBeNull();
    expect(permit(facts({ dead: { reportedAtMs: nowMs - 21_000 } }), false, byHand)).toBeNull();
  });

  describe('OVN', () => {
    const chassis = (says: 'alive' | 'silent', heardMsAgo: number) =>
      agent('hv01', 3_000, {
        binary: 'ovn-controller',
        ovn: {
          ...{ says, why: says === 'alive' ? 'moved' : 'missed', baseMs: 1, isBehind: says !== 'alive' },
          ...{ heardAtMs: nowMs - heardMsAgo, heardAfterMs: nowMs - heardMsAgo - 10_000 },
          ...{ silentSinceMs: null, lookedAtMs: nowMs },
        },
      });
    test.each([
      ['a beat that moved', chassis('alive', 1_000), 'came-back'],
      ['the beat before it died, however young its stamp is', chassis('silent', 25_000), null],
      ['a movement of long ago', chassis('alive', 81_000), null],
      ['a stamp of the request', { ...chassis('silent', 1_000), ovn: null }, null],
    ] as const)('%s: %s', (_, row, name) => {
      expect(permit(facts({ agents: [row] }), false)?.name ?? null).toBe(name);
    });

    test('against a proof only a look since then counts, whose look before is younger, too', () => {
      const judged = (offMsAgo: number) =>
        signOfLife(
          { dead: 'hv01', judgedAtMs, offSinceMs: nowMs - offMsAgo },
          { agentsOf: () => [chassis('alive', 1_000)], scan: seen(silent), nowMs },
          40_000,
        )?.name ?? null;
      expect(judged(5_000), 'it may have beaten before it was switched off').toBeNull();
      expect(judged(12_000)).toBe('came-back');
    });
  });

  describe('the control plane', () => {
    const many = ['hv05', 'hv06', 'hv07'];
    const among = (dark: string[], controls: string[]) => {
      const base = facts({});
      const others = inventory({
        hypervisors: many.map((h) => hypervisor(h)),
        agents: dark.map((h) => agent(h, 90_000)),
      });
      const { hypervisors, agents } = others.hosts ?? base.hosts;
      return {
        ...base,
        hosts: {
          ...base.hosts,
          hypervisors: [...base.hosts.hypervisors, ...hypervisors],
          agents: [...base.hosts.agents, ...agents],
        },
        scan: {
          ...seen(silent),
          controls: Object.fromEntries(controls.map((host) => [host, { state: 'answers', detail: '' }])),
        } as ScanResult,
      };
    };
    const judgeAmong = (dark: string[], controls: string[], resumed = false) =>
      permit(among(dark, controls), resumed);

    test('most agents are silent: not begun, but resumed', () => {
      expect(judgeAmong(many, ['hv02'])).toMatchObject({
        ...{ name: 'control-plane-suspect', scope: { kind: 'cloud' }, of: 'agents', why: 'most' },
        ...{ stale: ['hv01', ...many], total: 6, hosts: ['hv01'] },
      });
      expect(judgeAmong(many, ['hv02'], true)).toBeNull();
    });

    test('a third is silent: begun only when one of the living answered the same scan', () => {
      expect(judgeAmong(['hv05'], ['hv02'])).toBeNull();
      expect(judgeAmong(['hv05'], ['10.0.0.1:443'])).toMatchObject({
        ...{ name: 'control-plane-suspect', why: 'no-answer', stale: ['hv01', 'hv05'] },
      });
      expect(judgeAmong(['hv05'], [], true)).toBeNull();
    });

    test('a sign of life tells more', () => {
      const alive = among(many, ['hv02']);
      const scan = seen({ state: 'answers', detail: '10.0.0.1:22 open' });
      expect(permit({ ...alive, scan }, false)?.name).toBe('came-back');
    });

    test('an operator may waive it by name', () =>
      expect(permit(among(many, ['hv02']), false, { despite: ['control-plane-suspect'] })).toBeNull());
  });

  describe('targets that are not spares to enable', () => {
    const onto = (host: string, enable: string[] = []): Plan => ({
      ...planOntoSpare(host),
      enable,
    });
    const judgeOnto = (plan: Plan, change: Case = {}, resumed = false) =>
      permit(facts(change), resumed, { plan });

    test('one in use is fine', () => expect(judgeOnto(onto('hv02'))).toBeNull());
    test("Nova's choice needs no target", () => {
      const [others] = planOntoSpare('hv04').moves;
      const moves = others ? [{ ...others, target: { kind: 'scheduler' as const } }] : [];
      expect(judgeOnto({ method: 'reserved_host', moves, enable: [] })).toBeNull();
    });
    test.each([
      ['disabled', { spare: spare('hv04') }, 'it is disabled'],
      ['down', { spare: hypervisor('hv04', { state: 'down' }) }, 'it has its nova-compute down'],
      [
        'without its network agent',
        { spare: hypervisor('hv04'), agents: [deadAgent, agent('hv04', 41_000)] },
        'it has a silent network agent (neutron-openvswitch-agent)',
      ],
    ] as [string, Case, string][])('%s', (_, change, why) => {
      expect(judgeOnto(onto('hv04'), change)).toEqual({
        name: 'spare-unfit',
        host: 'hv01',
        spare: 'hv04',
        why,
      });
    });
    test('one to enable is judged as a spare, target or not', () =>
      expect(judgeOnto(onto('hv02', ['hv04']), { spare: hypervisor('hv04') })).toMatchObject({
        name: 'spare-unfit',
        spare: 'hv04',
        why: 'it is enabled, so not set aside as a spare',
      }));
  });

  describe('an operator waives a gate', () => {
    const despite = (names: string[], change: Case) => permit(facts(change), false, { despite: names });
    const stale = { agents: [deadAgent, agent('hv02', 90_000), agent('hv04', 1_000)] };

    test('the control plane, not what guards a disk', () => {
      expect(despite([], stale)?.name).toBe('control-plane-suspect');
      expect(despite(['control-plane-suspect'], stale)).toBeNull();
      const alive = { agents: [agent('hv01', 1_000)] };
      expect(despite(['came-back', 'silent'], alive)?.name).toBe('came-back');
      expect(despite(['scanner-blind'], { scan: seen(silent, 'blind') })?.name).toBe('scanner-blind');
      expect(despite(['spare-unfit'], { spare: spare('hv04', { state: 'down' }) })?.name).toBe('spare-unfit');
    });
  });

  test('the dead host is no spare for itself', () => {
    const refusal = permit(facts({}), false, { plan: planOntoSpare('hv01') });
    expect(refusal).toMatchObject({ name: 'spare-unfit', why: 'it is the dead hypervisor itself' });
  });

  test('a sign of life weighs more than an unfit spare', () => {
    const change = { agents: [agent('hv01', 1_000)], spare: spare('hv04', { state: 'down' }) };
    expect(judge(change, false)?.name).toBe('came-back');
  });

  test.each([false, true])(
    'a heartbeat since the verdict, silent again (resumed: %s): the host lived, and is to be judged anew',
    (resumed) => {
      const change = facts({ agents: [agent('hv01', 120_000)] });
      expect(permit(change, resumed, { judgedAtMs: nowMs - 300_000 })).toMatchObject({
        name: 'came-back',
        evidence: 'heartbeat of neutron-openvswitch-agent 120 s ago',
      });
    },
  );
});

describe('somebody else works at the host', () => {
  const marked = (recovery: string, sonny: string) => ({
    ...{ status: 'disabled' as const, forcedDown: true },
    disabledReason: resurrectionReason('hv04', { recovery, sonny }),
  });
  const foreign = { name: 'foreign-mark', host: 'hv01', recovery: 'r.1' };
  const operator = {
    ...{ name: 'operator-at-work', host: 'hv01', reason: 'BIOS update', meanwhile: false },
  };
  const oldMark = { ...marked('', ''), disabledReason: 'sonny resurrection on hv04' };
  const maintenance = { status: 'disabled' as const, disabledReason: 'BIOS update' };
  const rows: [string, Partial<Hypervisor>, Partial<typeof order>, Refusal | null][] = [
    ['C2: forced down by another Sonny', marked('r.1', 'theirs'), {}, foreign as Refusal],
    ['by hand as well', marked('r.1', 'theirs'), { byHand: true }, foreign as Refusal],
    ['forced down by an earlier recovery of this one', marked('r.1', 'ours'), {}, null],
    ['its mark is not in force any more', { ...marked('r.1', 'theirs'), forcedDown: false }, {}, null],
    ['an older mark, which does not say whose', oldMark, {}, { ...foreign, recovery: null } as Refusal],
    ['an older mark, by hand', oldMark, { byHand: true }, null],
    ['an older mark, by an order of that version', oldMark, { sonny: '' }, null],
    ['C5: disabled by an operator', maintenance, {}, operator as Refusal],
    ['by hand, too', maintenance, { byHand: true }, operator as Refusal],
    [
      'disabled without a reason',
      { status: 'disabled', disabledReason: null },
      {},
      { ...operator, reason: '' } as Refusal,
    ],
    ['disabled by Nova itself', { status: 'disabled', disabledReason: 'AUTO: libvirt lost' }, {}, null],
    ['set aside as a spare', { status: 'disabled', disabledReason: 'spare' }, {}, null],
  ];
  test.each(rows)('%s', (_, dead, change, expected) => {
    expect(permit(facts({ dead }), false, change)).toEqual(expected);
  });

  test('his change of the service is no sign of life of the host', () => {
    const change = { ...maintenance, reportedAtMs: nowMs };
    expect(permit(facts({ dead: change }), false)?.name).toBe('operator-at-work');
  });

  test('both are waived by name, and the configuration may have such hosts recovered', () => {
    const both = facts({ dead: marked('r.1', 'theirs') });
    expect(permit(both, false, { despite: ['foreign-mark'] })).toBeNull();
    const one = facts({ dead: maintenance });
    expect(permit(one, false, { despite: ['operator-at-work'] })).toBeNull();
    const about = { order, facts: { scan: one.scan, nowMs }, resumed: false };
    const seenBy = Picture.of(one.hosts, one.servers);
    expect(permitRecovery(about, seenBy, { ...policy, disabledHosts: 'recover' }, [])).toBeNull();
  });

  test('half-way the mark is watched otherwise', () => {
    expect(permit(facts({ ...inUse, dead: marked('r.1', 'theirs') }), true)).toBeNull();
  });

  test('D3: the target of an earlier recovery is fit though it is in use', () => {
    expect(permit(facts({ ...inUse, dead: marked('r.1', 'ours') }), false)).toBeNull();
    const down = hypervisor('hv04', { state: 'down' });
    expect(permit(facts({ ...inUse, spare: down, dead: marked('r.1', 'ours') }), false)).toMatchObject({
      name: 'spare-unfit',
      why: 'it has its nova-compute down',
    });
  });
});

describe('dry mode in ns4 itself, whatever the monitor was configured to', () => {
  test('refuses what is begun, not what is to be ended', () => {
    expect(permit(facts({}), false, { deadBackoff: 0 })).toEqual({ name: 'dry-mode', hosts: ['hv01'] });
    expect(permit(facts(inUse), true, { deadBackoff: 0 })).toBeNull();
  });

  test('is waived by its name', () =>
    expect(permit(facts({}), false, { deadBackoff: 0, despite: ['dry-mode'] })).toBeNull());
});

describe('C1: a host that nobody ever heard', () => {
  const mute: ScanFinding = { state: 'unknown', neverHeard: true, detail: 'never heard from here' };
  const judgeMute = (change: object, outcome?: 'blind') =>
    permitRecovery(
      { order: { ...order, ...change }, facts: { scan: seen(mute, outcome), nowMs }, resumed: false },
      Picture.of(facts({}).hosts, facts({}).servers),
      policy,
      [],
    );

  test('is not evacuated by a silence that says nothing', () =>
    expect(judgeMute({})).toMatchObject({ name: 'scan-unknown', detail: 'never heard from here' }));

  test.each([
    ['guests that were heard testified', { judgedByGuests: true }],
    ['an operator orders it', { byHand: true }],
    ['it is proven off', { offSinceMs: nowMs - 10_000 }],
  ])('is evacuated when %s', (_, change) => expect(judgeMute(change)).toBeNull());

  test('but not by a blind scanner', () =>
    expect(judgeMute({ judgedByGuests: true }, 'blind')).toMatchObject({ name: 'scanner-blind' }));
});

test('a sign of life and a spare that does not fit cannot be waived', () => {
  const despite = workerGates.map(({ name }) => name);
  expect(permit(facts({ agents: [agent('hv01', 1_000)] }), false, { despite })?.name).toBe('came-back');
  expect(permit(facts({ spare: spare('hv04', { state: 'down' }) }), false, { despite })?.name).toBe(
    'spare-unfit',
  );
  expect(permit(facts({ spare: null }), false, { despite })?.name).toBe('unknown-host');
});

describe('its instances answer', () => {
  const guests: GuestsAsked = {
    asked: 3,
    answering: [{ id: 'id-vm1', name: 'vm1', on: '192.0.2.1:22 open' }],
    trouble: null,
  };

  test('regression B4: before the first change they end it, by verdict, by order and by hand', () => {
    const refusal = { name: 'guests-answer', host: 'hv01', answering: ['"vm1"'], silent: 2 };
    expect(permit(facts({}), false, { guests })).toEqual(refusal);
    const silence = { asked: 3, answering: [], trouble: null };
    expect(permit(facts({}), false, { guests: silence })).toBeNull();
    const trouble = { ...silence, trouble: 'boom' };
    const doubt = { name: 'scan-failed', of: 'guests', hosts: ['hv01'], detail: 'boom' };
    expect(permit(facts({}), false, { guests: trouble })).toEqual(doubt);
    expect(permit(facts(inUse), true, { guests: trouble }), 'the host itself was asked').toBeNull();
  });

  test('D5: one that answers is a veto for all before the first change, also where a proof is demanded', () => {
    const one: GuestsAsked = { ...guests, asked: 9 };
    const { hosts, servers, scan } = facts({});
    const about = { order, facts: { scan, nowMs, guests: one }, resumed: false };
    const found = permitRecovery(about, Picture.of(hosts, servers), { ...policy, fencing: 'required' }, []);
    expect(found).toEqual({ name: 'guests-answer', host: 'hv01', answering: ['"vm1"'], silent: 8 });
  });

  test('only with the name typed they are waived, never by --despite', () => {
    expect(permit(facts({}), false, { guests, despite: ['guests-answer'] })).toBeNull();
    expect(waivableGates).not.toContain('guests-answer');
  });

  test('half-way they are a sign of life, unless the host is proven off: then each is left alone', () => {
    expect(permit(facts(inUse), true, { guests })).toMatchObject({ name: 'came-back', host: 'hv01' });
    expect(permit(facts(inUse), true, { guests, offSinceMs: nowMs - 10_000 })).toBeNull();
  });
});
