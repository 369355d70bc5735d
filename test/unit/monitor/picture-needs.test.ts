// How much of the inventory a step needs, and that a large cloud is searched for control guests in bounded pieces.
import { describe, expect, test } from 'vitest';
import { needOfOrder, needOfOutcome } from '../../../src/monitor/core/picture-needs.ts';
import { firstState, type State } from '../../../src/monitor/core/state/state.ts';
import { controlGuests, witnessNetworks } from '../../../src/monitor/core/watches/hosts/witnesses.ts';
import type { Server } from '../../../src/shared/documents/inventory.ts';
import type { Finished } from '../../../src/shared/documents/jobs/contracts.ts';
import type { Order } from '../../../src/shared/documents/orders.ts';
import { countsOf, Picture, serversByHost } from '../../../src/shared/picture/picture.ts';
import { hostsPerPiece } from '../../../src/shared/picture/reading.ts';
import { address, agent, hypervisor, inventory, nowMs, server } from '../../support/inventories.ts';
import { rules } from '../../support/monitor-story.ts';

const refresh = { name: 'refresh-inventory' as const, id: 'r', data: { servers: true, requestedAtMs: 0 } };
const scan = { name: 'scan' as const, id: 's', data: { targets: [], controls: [], requestedAtMs: 0 } };
const at = (hosts: State['watches']['hosts']): State => ({
  ...firstState('life'),
  watches: { ...firstState('life').watches, hosts },
});
const judging = (silent: string[]) =>
  at({
    ...{ kind: 'reading-servers', sinceMs: 0, suspectedAtMs: 0, job: refresh },
    silent: Object.fromEntries(silent.map((host) => [host, 'no answer'])),
    neverHeard: {},
  });

describe('whether a step looks at the picture', () => {
  const refreshed = {
    state: 'done' as const,
    result: {
      ...{ ok: true as const, collectedAtMs: 0, serversCollectedAtMs: null },
      ...{ hypervisors: 1, servers: null, tookMs: 1 },
    },
  };
  const failed = { state: 'failed' as const, detail: 'away', workerLost: false };
  const scanning = at({ kind: 'scanning-hosts', sinceMs: 0, job: scan, suspects: [] });
  test.each([
    ['a refresh that went well', judging([]), 'r', refreshed, true],
    ['one that failed', judging([]), 'r', failed, false],
    [
      'one that could not read the cloud',
      judging([]),
      'r',
      { state: 'done', result: { ok: false, detail: 'away' } },
      false,
    ],
    ['one that Redis lost', judging([]), 'r', { state: 'missing' }, false],
    ['one that nobody waits for', scanning, 'r', refreshed, false],
    ['a scan', scanning, 's', failed, true],
    ['the job of a recovery', scanning, 'recover-1', failed, false],
    ['anything while watching', at({ kind: 'watching', nextCheckMs: 0 }), 'r', refreshed, false],
  ] as const)('%s', (_, state, jobId, outcome, expected) => {
    const job = jobId === 'r' ? 'refresh-inventory' : jobId === 's' ? 'scan' : 'recover';
    expect(needOfOutcome(state, { job, id: jobId, outcome } as Finished) !== null).toBe(expected);
  });
});

/** What the step on a refresh that went well asks for. */
function wantedBy(state: State, id: string, picture: Picture) {
  const result = {
    ok: true,
    collectedAtMs: 0,
    serversCollectedAtMs: null,
    hypervisors: 1,
    servers: null,
    tookMs: 1,
  };
  const finished = { job: 'refresh-inventory', id, outcome: { state: 'done', result } } as Finished;
  const need = needOfOutcome(state, finished);
  if (need === null) throw new Error('it does not look at all');
  return need(picture, nowMs, rules);
}

/** A large cloud; only every `nth` host has guests that can be reached. As the driver reads it. */
function readOf(count: number, nth: number, change: Partial<Server> = {}) {
  const names = Array.from({ length: count }, (_, i) => `hv${String(i).padStart(5, '0')}`);
  const { hosts, servers } = inventory({
    hypervisors: names.map((name) => hypervisor(name)),
    agents: names.map((name, i) => agent(name, i === 0 ? 120_000 : 1_000)),
    servers: names.flatMap((name, i) => [
      server(`vm${i}`, name, i % nth === 0 ? change : { addresses: [] }),
      server(`private${i}`, name, { addresses: [] }),
    ]),
  });
  const listed = serversByHost(servers);
  const read = new Map<string, readonly Server[]>();
  const picture = new Picture(hosts, countsOf(servers, listed), read);
  const { hosts: wanted, sample, enough } = wantedBy(judging(['hv00000']), 'r', picture);
  const take = (of: readonly string[]) => {
    for (const host of of) read.set(host, listed.get(host) ?? []);
  };
  take(wanted);
  for (const piece of sample) {
    if (enough(picture)) break;
    take(piece);
  }
  const guests = controlGuests(
    picture,
    new Set(['hv00000']),
    witnessNetworks(picture, ['hv00000']),
    nowMs,
    rules,
  );
  return { picture, wanted, sample, read: [...read.keys()], guests };
}

test('an order to recover a host looks at its instances, other orders look at nothing', () => {
  const { picture } = readOf(10, 1);
  const order = { by: 'anna', atMs: 0 };
  const recover: Order = { ...order, kind: 'recover', id: 'o', host: 'hv00001', target: null, despite: [] };
  expect(needOfOrder(recover)?.(picture, nowMs, rules)).toMatchObject({ hosts: ['hv00001'], sample: [] });
  expect(needOfOrder({ ...order, kind: 'reset-cooldown' })).toBeNull();
});

describe('whose servers are read', () => {
  test('none but to judge silent hosts', () => {
    const { picture } = readOf(10, 1);
    expect(wantedBy(at({ kind: 'refreshing', sinceMs: 0, job: refresh }), 'r', picture)).toMatchObject({
      hosts: [],
      sample: [],
    });
  });

  test('of 3,000 hosts: those of the silent one, and one piece from all over the cloud', () => {
    const { wanted, sample, read, guests } = readOf(3_000, 1);
    expect(wanted).toEqual(['hv00000']);
    expect(read).toHaveLength(1 + hostsPerPiece);
    expect(guests).toHaveLength(20);
    const places = sample[0]?.map((host) => Number(host.slice(2))) ?? [];
    for (let tenth = 0; tenth < 10; tenth += 1)
      expect(places.some((place) => Math.floor(place / 300) === tenth)).toBe(true);
  });

  test('more pieces where few guests can be reached', () => {
    const { read, guests } = readOf(3_000, 7);
    expect(read.length).toBeGreaterThan(1 + hostsPerPiece);
    expect(guests).toHaveLength(20);
  });

  test('a bounded number of hosts where none can be', () => {
    const { read, guests } = readOf(3_000, 1, { addresses: [] });
    expect([read.length, guests.length]).toEqual([1_001, 0]);
  });

  test('a small cloud whole, but never a silent host or one without instances', () => {
    const { read, guests } = readOf(8, 1);
    expect(read).toHaveLength(8);
    expect(guests.map(({ name }) => name)).toEqual(['vm1', 'vm2', 'vm3', 'vm4', 'vm5', 'vm6', 'vm7']);
    expect(readOf(8, 1, { vmState: 'stopped' }).guests).toEqual([]);
  });

  // A network with few guests is looked for on: its own guests are the only ones to vouch for it.
  test('on until there are enough on the networks of the witnesses, and these come first', () => {
    const rare = { addresses: [address('198.51.100.1', { networkId: 'net-rare', network: 'rare' })] };
    const names = Array.from({ length: 400 }, (_, i) => `hv${String(i).padStart(5, '0')}`);
    const { hosts, servers } = inventory({
      hypervisors: names.map((name) => hypervisor(name)),
      agents: names.map((name, i) => agent(name, i === 0 ? 120_000 : 1_000)),
      servers: names.map((name, i) => server(`vm${i}`, name, i % 40 === 0 ? rare : {})),
    });
    const listed = serversByHost(servers);
    const read = new Map<string, readonly Server[]>();
    const picture = new Picture(hosts, countsOf(servers, listed), read);
    const { sample, enough } = wantedBy(judging(['hv00000']), 'r', picture);
    read.set('hv00000', listed.get('hv00000') ?? []);
    for (const piece of sample) {
      if (enough(picture)) break;
      for (const host of piece) read.set(host, listed.get(host) ?? []);
    }
    expect(read.size).toBe(400);
    const silent = new Set(['hv00000']);
    const guests = controlGuests(picture, silent, witnessNetworks(picture, silent), nowMs, rules);
    expect(guests).toHaveLength(20);
    const isRare = (guest: (typeof guests)[number]) => guest.networks.includes('net-rare');
    expect(guests.map(isRare)).toEqual(guests.map((_, i) => i < 9));
  });
});
