// Who speaks for a silent host: only guests that run and were heard before, on networks that somebody vouches for. The
// cases in which a silence that means nothing was taken for death.
import { describe, expect, test } from 'vitest';
import { stateSchema } from '../../../src/monitor/core/state/state.ts';
import type { Server } from '../../../src/shared/documents/inventory.ts';
import { address, agent, hypervisor, inventory, server, spare } from '../../support/inventories.ts';
import { Story, type World } from '../../support/monitor-story.ts';

type Found = ReturnType<World['finding']>;

/** hv01 is without heartbeat; who is not named in `found` answers. */
function judge(
  parts: { servers: Server[]; found: Record<string, Found>; fencing?: 'none' | 'required' },
  elsewhere: Server[] = [server('vm9', 'hv02')],
): Story {
  const cloud = {
    hypervisors: [hypervisor('hv01'), hypervisor('hv02', { runningVms: 1 }), spare('hv04')],
    agents: [agent('hv01', 120_000)],
    servers: [...parts.servers, ...elsewhere],
  };
  const story: Story = new Story(
    { inventory: () => inventory(cloud, story.atMs), finding: (name) => parts.found[name] ?? 'answers' },
    { fencing: parts.fencing ?? 'none' },
  );
  return story.round();
}
const vm1 = server('vm1', 'hv01');
const unreachable = server('vm2', 'hv01', { addresses: [] });
const evidenceOf = (s: Story) =>
  s.events.flatMap((e) => (e.kind === 'host-dead' ? [e.evidence.join('; ')] : [])).join();
const lastScan = (s: Story) => s.requests.flatMap((r) => (r.name === 'scan' ? [r.data] : [])).at(-1);

describe('B2: witnesses that never spoke', () => {
  test('a guest behind a firewall is silent while it lives: without another witness nothing is done', () => {
    const s = judge({ servers: [vm1, unreachable], found: { hv01: 'silent', 'id-vm1': 'never-heard' } });
    expect(s.recoveries).toEqual([]);
    expect(s.refusals).toEqual(['no-witness']);
    expect(s.texts.at(-1)).toBe(
      'hv01 is silent, but none of its 2 instances could testify: "vm1" (never heard); no other runs with an address on an external network. Nothing done: please look.',
    );
  });

  test('where fencing proves it, the own silence of the host goes on', () => {
    const found = { hv01: 'silent', 'id-vm1': 'never-heard' } as const;
    const s = judge({ servers: [vm1], found, fencing: 'required' });
    expect(s.recoveries).toHaveLength(1);
    expect(evidenceOf(s)).toContain(
      'none of its instances could testify ("vm1" (never heard)), so fencing has to prove it',
    );
  });

  test('it hinders nobody who was heard', () => {
    const servers = [vm1, server('vm2', 'hv01')];
    const s = judge({ servers, found: { hv01: 'silent', 'id-vm1': 'silent', 'id-vm2': 'never-heard' } });
    expect(s.recoveries).toHaveLength(1);
    expect(evidenceOf(s)).toContain(
      'its instances do not answer ("vm1"); others cannot tell ("vm2" (never heard)); the controls answer',
    );
  });

  test('one that fell silent while its host was well is none either, and is told so', () => {
    const s = judge({ servers: [vm1], found: { hv01: 'silent', 'id-vm1': 'gone-mute' } });
    expect(s.refusals).toEqual(['no-witness']);
    expect(s.texts.at(-1)).toContain(
      'could testify: "vm1" (did not answer any more while its host was well)',
    );
  });

  test('whether it was heard is asked since its launch', () => {
    const s = judge({ servers: [vm1], found: { hv01: 'silent', 'id-vm1': 'silent' } });
    expect(lastScan(s)?.targets[0]).toMatchObject({ name: 'id-vm1', heardSinceMs: vm1.launchedAtMs });
  });
});

describe('guests that do not run, or are under way', () => {
  test.each<[string, Partial<Server>, string]>([
    ['ERROR (table H)', { vmState: 'error', powerState: 0 }, 'error'],
    ['shut off from within', { powerState: 4 }, 'shut down'],
    ['powering off', { taskState: 'powering-off' }, 'powering-off'],
    ['migrating', { taskState: 'migrating' }, 'migrating'],
  ])('silence of one that is %s is no evidence', (_, change, why) => {
    const servers = [server('vm1', 'hv01', change), unreachable];
    const s = judge({ servers, found: { hv01: 'silent', 'id-vm1': 'silent' } });
    expect(s.refusals).toEqual(['no-witness']);
    expect(s.texts.at(-1)).toContain(`could testify: "vm1" (${why});`);
  });

  test.each<[string, Partial<Server>]>([
    ['stopped', { vmState: 'stopped', powerState: 4 }],
    ['in ERROR', { vmState: 'error', powerState: 0 }],
    ['being copied', { taskState: 'image_uploading' }],
  ])('an answer of one that is %s is a sign of life', (_, change) => {
    const servers = [server('vm1', 'hv01', change), server('vm2', 'hv01')];
    const s = judge({ servers, found: { hv01: 'silent', 'id-vm2': 'silent' } });
    expect(s.refusals).toEqual(['guests-answer']);
  });

  test('A1: one in a live migration answers from its destination, and is named', () => {
    const servers = [server('vm1', 'hv01', { taskState: 'migrating' }), server('vm2', 'hv01')];
    const s = judge({ servers, found: { hv01: 'silent', 'id-vm2': 'silent' } });
    expect(s.recoveries).toHaveLength(1);
    expect(lastScan(s)?.targets.map(({ name }) => name)).not.toContain('id-vm1');
    expect(evidenceOf(s)).toContain(
      'its instances do not answer ("vm2"); others cannot tell ("vm1" (migrating))',
    );
  });

  test("a control guest runs, too: nobody waits for a stopped one's answer", () => {
    const elsewhere = [server('vm9', 'hv02', { powerState: 4 }), server('vm8', 'hv02')];
    const s = judge({ servers: [vm1], found: { hv01: 'silent', 'id-vm1': 'silent' } }, elsewhere);
    const controls = lastScan(s)?.controls.map(({ name }) => name);
    expect(controls).toContain('id-vm8');
    expect(controls).not.toContain('id-vm9');
  });
});

describe('C1: a host that was never heard', () => {
  const silentGuest = { hv01: 'never-heard', 'id-vm1': 'silent' } as const;

  test.each(['none', 'required'] as const)(
    'is dead when guests that were heard are silent (%s)',
    (fencing) => {
      const s = judge({ servers: [vm1], found: silentGuest, fencing });
      expect(evidenceOf(s)).toContain('the host itself was never heard, so its own silence is no evidence');
      // Nobody may say that it fell silent.
      expect(s.events.map((e) => e.kind)).not.toContain('hosts-silent');
      const orders = s.requests.filter((r) => r.name === 'recover');
      expect(orders).toMatchObject([{ data: { judgedByGuests: true } }]);
    },
  );

  test.each<['none' | 'required', string, Server[]]>([
    ['none', 'are mute', [vm1]],
    ['required', 'are mute', [vm1]],
    ['none', 'have no address', [unreachable]],
    ['required', 'have no address', [unreachable]],
  ])('is not judged when its guests %s (%s)', (fencing, _, servers) => {
    const found = { hv01: 'never-heard', 'id-vm1': 'never-heard' } as const;
    const s = judge({ servers, found, fencing });
    expect(s.recoveries).toEqual([]);
    expect(s.refusals).toEqual(['never-heard']);
    expect(s.texts.at(-1)).toContain('10.0.0.1 was never heard from here, so its silence says nothing');
  });

  test('an answer of it is one', () => {
    const s = judge({ servers: [vm1], found: { 'id-vm1': 'silent' } });
    expect(s.refusals).toEqual(['host-answers']);
  });

  test('one that was heard is ordered to be recovered by its own silence', () => {
    const s = judge({ servers: [vm1], found: { hv01: 'silent', 'id-vm1': 'silent' } });
    expect(s.requests.filter((r) => r.name === 'recover')).toMatchObject([
      { data: { judgedByGuests: false } },
    ]);
  });
});

test('a host that answers while its guests are asked is not dead, whatever they say', () => {
  const cloud = () => ({
    hypervisors: [hypervisor('hv01'), hypervisor('hv02', { runningVms: 1 }), spare('hv04')],
    agents: [agent('hv01', 120_000)],
    servers: [vm1, server('vm9', 'hv02')],
  });
  const s: Story = new Story({
    inventory: () => inventory(cloud(), s.atMs),
    finding: (name) => {
      const isFirst = s.requests.filter((r) => r.name === 'scan').length === 1;
      return name === 'id-vm1' || (name === 'hv01' && isFirst) ? 'silent' : 'answers';
    },
  });
  expect(s.round().refusals).toEqual(['host-answers']);
});

describe("a project's own network with the name of the external one (table H)", () => {
  const theirs = server('vm2', 'hv01', {
    addresses: [address('192.0.2.9', { networkId: 'net-theirs', external: false })],
  });

  test('keeps no host from being recovered', () => {
    const s = judge({ servers: [vm1, theirs], found: { hv01: 'silent', 'id-vm1': 'silent' } });
    expect(s.recoveries).toHaveLength(1);
    expect(lastScan(s)?.targets.map(({ name }) => name)).not.toContain('id-vm2');
  });

  test('lets none of its guests testify', () => {
    const s = judge({ servers: [theirs], found: { hv01: 'silent', 'id-vm2': 'silent' } });
    expect(s.refusals).toEqual(['no-witness']);
  });
});

describe('vouchers on the same network', () => {
  const onB = { networkId: 'net-b', network: 'b' };
  const witness = server('vm1', 'hv01', { addresses: [address('198.51.100.1', onB)] });
  const onOther = server('vm9', 'hv02');
  const onSame = server('vm8', 'hv02', { addresses: [address('198.51.100.8', onB)] });

  test('one that answers lets the silence count', () => {
    const s = judge({ servers: [witness], found: { hv01: 'silent', 'id-vm1': 'silent' } }, [onOther, onSame]);
    expect(s.recoveries).toHaveLength(1);
    expect(evidenceOf(s)).not.toContain('vouched');
  });

  test('guests on other networks do not, where one on the same is silent as well', () => {
    const found = { hv01: 'silent', 'id-vm1': 'silent', 'id-vm8': 'silent' } as const;
    const s = judge({ servers: [witness], found }, [onOther, onSame]);
    expect(s.recoveries).toEqual([]);
    expect(s.refusals).toEqual(['scanner-blind']);
  });

  test.each([
    ['there is no other', [onOther], {}],
    ['no other was ever heard', [onOther, onSame], { 'id-vm8': 'never-heard' }],
  ] as const)('they do where %s, and it is said', (_, elsewhere, more) => {
    const found: Record<string, Found> = { hv01: 'silent', 'id-vm1': 'silent', ...more };
    const s = judge({ servers: [witness], found }, [...elsewhere]);
    expect(s.recoveries).toHaveLength(1);
    expect(evidenceOf(s)).toContain('nobody else on "b" could be asked, so guests on other networks vouched');
  });

  test('one dark network of two keeps the host undecided', () => {
    const found = { hv01: 'silent', 'id-vm1': 'silent', 'id-vm2': 'silent', 'id-vm8': 'silent' } as const;
    const s = judge({ servers: [witness, server('vm2', 'hv01')], found }, [onOther, onSame]);
    expect(s.refusals).toEqual(['scanner-blind']);
  });
});

test('a round that an older monitor left is judged on', () => {
  const s: Story = new Story({
    inventory: () =>
      inventory(
        {
          hypervisors: [hypervisor('hv01'), hypervisor('hv02', { runningVms: 1 }), spare('hv04')],
          agents: [agent('hv01', 120_000)],
          servers: [vm1, server('vm9', 'hv02')],
        },
        s.atMs,
      ),
  });
  const scan = { name: 'scan', id: 's', data: { targets: [], controls: [], requestedAtMs: 0 } };
  const stored = {
    ...s.state,
    watches: {
      hosts: {
        ...{ kind: 'scanning-guests', sinceMs: s.atMs, job: scan, silent: { hv01: 'no answer' } },
        ...{ witnesses: { hv01: [{ target: 'id-vm1', name: 'vm1' }] }, bystanders: [], unwitnessed: [] },
        controlGuests: [{ target: 'id-vm9', name: 'vm9' }],
      },
    },
  };
  s.state = stateSchema.parse(stored);
  const result = {
    ...{ ok: true as const, outcome: 'seen' as const, tookMs: 1 },
    targets: { 'id-vm1': { state: 'silent' as const, detail: '' } },
    controls: { 'id-vm9': { state: 'answers' as const, detail: '' } },
  };
  s.outcome(scan as Parameters<Story['outcome']>[0], { state: 'done', result });
  expect(evidenceOf(s)).toContain('its instances do not answer (vm1)');
});
