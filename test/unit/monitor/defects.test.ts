// Defects of the original that the monitor must not have again, by their numbers; the others are tested where the code
// is that could have them (search the tests for "defect 7", say).
import { describe, expect, test } from 'vitest';
import { recoveriesOf } from '../../../src/monitor/core/state/state.ts';
import { witnessesOf } from '../../../src/monitor/core/watches/hosts/witnesses.ts';
import { withAddresses } from '../../../src/ns4/jobs/read-servers.ts';
import { contracts } from '../../../src/shared/documents/jobs/contracts.ts';
import { agent, hypervisor, inventory, nowMs, picture, server, spare } from '../../support/inventories.ts';
import { done, rules, Story, type World } from '../../support/monitor-story.ts';

const hypervisors = [hypervisor('hv01'), hypervisor('hv02', { runningVms: 1 }), spare('hv04')];
const servers = [server('vm1', 'hv01'), server('vm9', 'hv02')];
const silent: World['finding'] = (name) => (['hv01', 'id-vm1'].includes(name) ? 'silent' : 'answers');

function deadHv01(world: Partial<World> = {}): Story {
  const story: Story = new Story({
    inventory: () => inventory({ hypervisors, agents: [agent('hv01', 120_000)], servers }, story.atMs),
    finding: silent,
    ...world,
  });
  return story;
}

test('defect 1: two dead, one spare: the recovery that left has its cooldown stamped, the other is told', () => {
  const told: Story = new Story(
    {
      inventory: () =>
        inventory(
          {
            hypervisors: [...hypervisors, hypervisor('hv03')],
            agents: [agent('hv01', 120_000), agent('hv03', 120_000)],
            servers: [...servers, server('vm3', 'hv03')],
          },
          told.atMs,
        ),
      finding: (name) => (['hv01', 'hv03', 'id-vm1', 'id-vm3'].includes(name) ? 'silent' : 'answers'),
      recover: () => ({ state: 'running' }),
    },
    { deadBackoff: 2 },
  );
  told.round();
  expect(told.recoveries).toEqual([{ dead: 'hv01', spare: 'hv04', attempt: 1 }]);
  expect(told.refusals).toEqual(['no-spare']);
  expect(told.state.cooldown?.sinceMs).toBe(told.atMs);
});

describe('defect 2: a host scan that fails is not "hypervisors are ok"', () => {
  test.each([
    ['failed', { state: 'failed', detail: 'boom' }],
    ['vanished', { state: 'missing' }],
    ['answered without a result', { state: 'done', result: { ok: false, detail: 'aborted' } }],
  ] as const)('%s', (_, outcome) => {
    const story = deadHv01({ scan: () => outcome }).round();
    expect(story.refusals).toEqual(['scan-failed']);
    expect(story.texts.join()).not.toMatch(/\bok\b|answers/);
  });

  test('timed out', () => {
    const story = deadHv01({ scan: () => ({ state: 'running' }) }).round();
    story.atMs += contracts.scan.waitMs + 1;
    story.input({ kind: 'tick' });
    expect(story.refusals).toEqual(['worker-silent']);
  });
});

describe('defect 3: servers that could not be refreshed judge nobody', () => {
  test('the refresh failed', () => {
    const story = deadHv01({
      refresh: (askedForServers) =>
        askedForServers ? { state: 'done', result: { ok: false, detail: 'Nova said 500' } } : refreshed(),
    }).round();
    expect(story.refusals).toEqual(['servers-unavailable']);
    expect(story.recoveries).toEqual([]);
  });

  test('it succeeded, but what Redis holds is of before', () => {
    const story: Story = new Story({
      inventory: () => {
        const now = inventory({ hypervisors, agents: [agent('hv01', 120_000)], servers }, story.atMs);
        return {
          hosts: now.hosts,
          servers: { version: 1, cloud: 'cloud1', collectedAtMs: nowMs - 600_000, servers },
        };
      },
      finding: silent,
    });
    expect(story.round().refusals).toEqual(['servers-unavailable']);
  });
});

describe('defect 4: every wait ends, and the monitor is not blind meanwhile', () => {
  test.each([
    ['the refresh', { refresh: () => ({ state: 'running' }) }, contracts['refresh-inventory'].waitMs],
    ['the host scan', { scan: () => ({ state: 'running' }) }, contracts.scan.waitMs],
    [
      'the refresh of the servers',
      { refresh: (s) => (s ? { state: 'running' } : refreshed()) },
      contracts['refresh-inventory'].waitMs,
    ],
  ] as [string, Partial<World>, number][])('%s', (_, world, waitMs) => {
    const story = deadHv01(world).round();
    expect(story.state.watches.hosts.kind).not.toBe('watching');
    story.atMs += waitMs + 1;
    story.input({ kind: 'tick' });
    expect(story.state.watches.hosts.kind).toBe('watching');
    expect(story.refusals).toEqual(['worker-silent']);
  });

  test('the guest scan', () => {
    const story: Story = deadHv01({
      scan: () => (story.state.watches.hosts.kind === 'scanning-guests' ? { state: 'running' } : null),
    });
    story.round();
    expect(story.state.watches.hosts.kind).toBe('scanning-guests');
    story.atMs += contracts.scan.waitMs + 1;
    expect(story.input({ kind: 'tick' }).state.watches.hosts.kind).toBe('watching');
  });

  test('the evacuation: watching goes on beside it, and it is given up in the end', () => {
    const story = deadHv01({ recover: () => ({ state: 'running' }) }).round();
    expect(story.state.watches.hosts.kind).toBe('watching');
    story.atMs += contracts.recover.waitMs + 1;
    expect(recoveriesOf(story.input({ kind: 'tick' }).state)).toEqual([]);
  });
});

test('defect 5: a silent host without a witness is told, not skipped in silence', () => {
  const story: Story = new Story({
    inventory: () =>
      inventory(
        {
          hypervisors,
          agents: [agent('hv01', 120_000)],
          servers: [server('vm1', 'hv01', { addresses: [] })],
        },
        story.atMs,
      ),
    finding: silent,
  });
  story.round();
  expect(story.texts.at(-1)).toMatch(/^hv01 is silent, but none of its 1 instances could testify/);
});

describe('defect 6: the configured networks and every address on them count', () => {
  const networks = ['private', 'public', 'dmz'].map((name) => ({
    ...{ id: `net-${name}`, name },
    isPublic: name !== 'private',
  }));
  const on = (name: string, address: string, type: 'fixed' | 'floating' = 'fixed') => ({
    ...{ instanceId: 'id-vm1', networkId: `net-${name}` },
    ...{ address, type },
  });
  const several = [
    on('private', '10.0.0.5'),
    on('public', '198.51.100.5', 'floating'),
    on('public', '203.0.113.5'),
    on('public', '2001:db8::5'),
    on('dmz', '203.0.113.99'),
  ];
  const addressesFor = (externalNetworks: string[]) =>
    witnessesOf(
      'hv01',
      picture({
        hypervisors,
        servers: withAddresses([server('vm1', 'hv01')], networks, several, externalNetworks),
      }),
      rules,
    ).asked.flatMap(({ target }) => target.endpoints.map((endpoint) => endpoint.address));

  test.each([
    [['public'], ['198.51.100.5', '203.0.113.5', '2001:db8::5']],
    [
      ['public', 'dmz'],
      ['198.51.100.5', '203.0.113.5', '2001:db8::5', '203.0.113.99'],
    ],
    [['ext-net'], ['198.51.100.5']],
  ])('%j', (networks, expected) => expect(addressesFor(networks)).toEqual(expected));
});

test('defect 14: a monitor that starts asks for what it waits for under the same ids, and takes nothing back', () => {
  const before = deadHv01({ recover: () => ({ state: 'running' }) }).round();
  const after = deadHv01({ recover: (request) => done(request) });
  after.state = JSON.parse(JSON.stringify(before.state));
  after.atMs = before.atMs;
  after.round();
  const ids = (story: Story) => story.requests.flatMap((r) => (r.name === 'recover' ? [r.id] : []));
  expect(ids(after)).toEqual(ids(before));
  expect(after.events.filter((e) => e.kind === 'recovery-ended')).toHaveLength(1);
  expect(contracts.recover.timeoutMs, 'a large host takes longer than the 180 s of before').toBeGreaterThan(
    1_800_000,
  );
});

test('defect 15: no cooldown when every evacuation failed before it did anything', () => {
  const story = deadHv01({
    recover: (request) =>
      done(request, {
        outcome: 'refused',
        acted: false,
        instances: [],
        refusal: { name: 'api-unavailable', host: 'hv01', detail: 'Nova is away' },
      }),
  }).round();
  expect(story.recoveries).toHaveLength(1);
  expect(story.state.cooldown).toBeNull();
});

function refreshed() {
  return {
    state: 'done' as const,
    result: {
      ok: true as const,
      collectedAtMs: nowMs,
      serversCollectedAtMs: null,
      hypervisors: 3,
      servers: null,
      tookMs: 10,
    },
  };
}
