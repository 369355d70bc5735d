// What a recovery asks before its first change, and when: the guests are asked while the inventory is read anew, by the
// addresses they had before; what the new one says counts.
import { describe, expect, test } from 'vitest';
import { type Facts, Recovery } from '../../../../../src/ns4/recovery/recovery.ts';
import { freshFacts } from '../../../../../src/ns4/recovery/stages/fresh-facts.ts';
import type { Server } from '../../../../../src/shared/documents/inventory.ts';
import type { ScanResult, ScanTarget } from '../../../../../src/shared/documents/jobs/scan.ts';
import { systemClock } from '../../../../../src/shared/ground/clock.ts';
import type { Picture } from '../../../../../src/shared/picture/picture.ts';
import { silentLog } from '../../../../simulation/processes/silent-log.ts';
import { address, hypervisor, inventory, picture, server } from '../../../../support/inventories.ts';

type Finding = 'answers' | 'silent';
interface Case {
  /** Of the inventory from before; null: there is none; an error: it cannot be read. */
  readonly before: readonly Server[] | null | Error;
  readonly now: readonly Server[];
  /** By address; the others are silent. */
  readonly answering?: readonly string[];
  readonly despite?: readonly string[];
  /** What a scan that asks for this address comes to instead. */
  readonly fails?: string;
  /** What the monitor wrote into its order. */
  readonly ordered?: Partial<Pick<Recovery['order'], 'controls' | 'instancePorts'>>;
}

const vm = (name: string, on: string, change: Partial<Server> = {}) =>
  server(name, 'hv01', { addresses: [address(on)], ...change });
const hypervisors = [hypervisor('hv01'), hypervisor('hv02')];
const cloudWith = (servers: readonly Server[]) => ({ hypervisors, servers: [...servers] });

/** Runs the stage; `story` has what was asked, and where among it the inventory was read. */
async function run(
  about: Case,
): Promise<{ guests: Facts['guests']; story: string[]; endpoints: Set<string> }> {
  const { before, now, answering = [], despite = [], fails, ordered } = about;
  const story: string[] = [];
  const endpoints = new Set<string>();
  let begunScans = () => {};
  const scansBegan = new Promise<void>((done) => {
    begunScans = done;
  });
  const known = async (): Promise<Picture | null> => {
    if (before instanceof Error) throw before;
    return before === null ? null : picture(cloudWith(before));
  };
  const scan = async ({ targets }: { targets: ScanTarget[] }): Promise<ScanResult> => {
    const all = targets.flatMap((target) => target.endpoints);
    for (const { address, port } of all) endpoints.add(`${address}:${port}`);
    const asked = [...new Set(all.map(({ address }) => address))];
    story.push(`asked ${asked.join(' ')}`);
    if (fails !== undefined && asked.includes(fails)) return { ok: false, detail: 'no descriptors' };
    const found = ({ endpoints }: ScanTarget): Finding =>
      endpoints.some((endpoint) => answering.includes(endpoint.address)) ? 'answers' : 'silent';
    const findings = targets.map((target) => [target.name, { state: found(target), detail: 'so' }]);
    return { ok: true, outcome: 'seen', targets: Object.fromEntries(findings), controls: {}, tookMs: 1 };
  };
  const refresh = async () => {
    // Whoever is to be asked beside it is asked by now.
    setTimeout(begunScans, 5);
    await scansBegan;
    story.push('inventory read');
    return inventory(cloudWith(now));
  };
  const order = { dead: 'hv01', address: '10.0.0.1', controls: [], despite, ...ordered };
  const tools = {
    clock: systemClock,
    log: silentLog,
    storage: null,
    hypervisorPorts: [22],
    instancePorts: [22],
  };
  const stop = new AbortController().signal;
  const recovery = new Recovery(
    order as unknown as Recovery['order'],
    { ...tools, known, scan, refresh } as unknown as Recovery['tools'],
    0,
    stop,
  );
  expect(await freshFacts.run(recovery)).toBe('next');
  return { guests: recovery.facts.guests, story, endpoints };
}
const none = { answering: [], trouble: null };

describe('the guests are asked', () => {
  test('beside the refresh, and not again when nothing changed', async () => {
    const servers = [vm('vm1', '192.0.2.1'), vm('vm2', '192.0.2.2')];
    const { guests, story } = await run({ before: servers, now: servers });
    expect(story).toEqual(['asked 10.0.0.1', 'asked 192.0.2.1 192.0.2.2', 'inventory read']);
    expect(guests).toEqual({ ...none, asked: 2 });
  });

  test.each<[string, Case['before']]>([
    ['there is no inventory from before', null],
    ['it cannot be read', new Error('Redis is away')],
    ['they were not on this host', []],
  ])('after it when %s', async (_, before) => {
    const { guests, story } = await run({ before, now: [vm('vm1', '192.0.2.1')], answering: ['192.0.2.1'] });
    expect(story).toEqual(['asked 10.0.0.1', 'inventory read', 'asked 192.0.2.1']);
    expect(guests).toMatchObject({ asked: 1, answering: [{ id: 'id-vm1', name: 'vm1' }] });
  });

  test.each<[string, Server]>([
    ['has another address now', vm('vm2', '192.0.2.3')],
    [
      'has one more address now',
      vm('vm2', '192.0.2.2', { addresses: [address('192.0.2.2'), address('192.0.2.3')] }),
    ],
    ['was launched anew', vm('vm2', '192.0.2.2', { launchedAtMs: 7 })],
    ['is another instance now', { ...vm('vm2', '192.0.2.2'), id: 'id-vm3' }],
  ])('again, who %s', async (_, changed) => {
    const vm1 = vm('vm1', '192.0.2.1');
    const { guests, story } = await run({ before: [vm1, vm('vm2', '192.0.2.2')], now: [vm1, changed] });
    const addresses = changed.addresses.map((of) => of.address).join(' ');
    expect(story).toEqual([
      'asked 10.0.0.1',
      'asked 192.0.2.1 192.0.2.2',
      'inventory read',
      `asked ${addresses}`,
    ]);
    expect(guests).toEqual({ ...none, asked: 2 });
  });

  test('not at all by the word of an operator', async () => {
    const servers = [vm('vm1', '192.0.2.1')];
    const { guests, story } = await run({ before: servers, now: servers, despite: ['guests-answer'] });
    expect(story).toEqual(['asked 10.0.0.1', 'inventory read']);
    expect(guests).toEqual({ ...none, asked: 0 });
  });
});

describe('an ns4 with other ports than the monitor', () => {
  const servers = [vm('vm1', '192.0.2.1')];
  const at = (...ports: number[]) => [
    { name: 'hv02', kind: 'host' as const, endpoints: ports.map((port) => ({ address: '10.0.0.2', port })) },
  ];

  test('asks the host wherever its controls are asked, and guests where the monitor asked them', async () => {
    const ordered = { controls: at(16509, 22), instancePorts: [3389] };
    const { endpoints } = await run({ before: servers, now: servers, ordered });
    expect([...endpoints].sort()).toEqual([
      '10.0.0.1:16509',
      '10.0.0.1:22',
      '192.0.2.1:22',
      '192.0.2.1:3389',
    ]);
  });

  test('and a monitor of before, which names none: at its own', async () => {
    const { endpoints } = await run({ before: servers, now: servers });
    expect([...endpoints].sort()).toEqual(['10.0.0.1:22', '192.0.2.1:22']);
  });

  test('asks at a bounded number of them', async () => {
    const many = Array.from({ length: 1_000 }, (_, n) => n + 1_000);
    const ordered = { controls: at(...many), instancePorts: many };
    const { endpoints } = await run({ before: servers, now: servers, ordered });
    expect(endpoints.size).toBe(2 * 65);
  });
});

describe('an answer', () => {
  test('counts at the address of now, whichever scan heard it', async () => {
    const { guests } = await run({
      before: [vm('vm1', '192.0.2.1'), vm('vm2', '192.0.2.2')],
      now: [vm('vm1', '192.0.2.1'), vm('vm2', '192.0.2.3')],
      answering: ['192.0.2.1', '192.0.2.3'],
    });
    expect(guests.answering.map(({ name }) => name)).toEqual(['vm1', 'vm2']);
  });

  test.each<[string, readonly Server[]]>([
    ['that somebody else has by now', [vm('vm1', '192.0.2.9')]],
    ['whose instance has left the host', []],
  ])('at an address of before %s is none', async (_, now) => {
    const { guests } = await run({ before: [vm('vm1', '192.0.2.1')], now, answering: ['192.0.2.1'] });
    expect(guests.answering).toEqual([]);
  });

  test.each(['192.0.2.1', '192.0.2.3'])('that could not be had is told: of the scan of %s', async (fails) => {
    const { guests } = await run({
      before: [vm('vm1', '192.0.2.1')],
      now: [vm('vm1', '192.0.2.1'), vm('vm2', '192.0.2.3')],
      fails,
    });
    expect(guests.trouble).toBe('no descriptors');
  });
});
