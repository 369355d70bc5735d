// The scanner on real loopback sockets, without root: a silent host is a listener whose thread is blocked and whose
// accept queue is full, so that the kernel drops every SYN.
import { readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AddressBlock, takeAddressBlock } from '../../simulator/network/address-block.ts';
import { LoopbackAddress } from '../../simulator/network/loopback-address.ts';
import { scan } from '../../src/ns4/scan/scan.ts';
import type { ScanSettings } from '../../src/shared/config/settings.ts';
import type { Endpoint, ScanTarget } from '../../src/shared/documents/jobs/scan.ts';
import { systemClock } from '../../src/shared/ground/clock.ts';
import { scanWithFiles } from '../support/scan-elsewhere.ts';

const never = new AbortController().signal;
const settings = { timeoutMs: 250, refusedMeans: 'alive', controls: [] } as const;
const [openPort, closedPort, otherPort] = [10_022, 10_111, 10_509];

let block: AddressBlock;
let dead: LoopbackAddress;
const living = { address: '', servers: [] as Server[] };

beforeAll(async () => {
  block = await takeAddressBlock();
  living.address = `127.${block.number}.1.1`;
  for (const port of [openPort, otherPort]) {
    const server = createServer((connection) => connection.on('error', () => {}).resume());
    await new Promise<void>((resolve) => server.listen(port, living.address, resolve));
    living.servers.push(server);
  }
  dead = new LoopbackAddress(`127.${block.number}.1.2`, {
    open: [openPort, otherPort],
    closed: [closedPort],
  });
  await dead.become('silent');
});
afterAll(async () => {
  for (const server of living.servers) server.close();
  await dead?.close();
  await block?.release();
});

const at = (address: string, ...ports: number[]): Endpoint[] => ports.map((port) => ({ address, port }));
const target = (name: string, endpoints: Endpoint[]): ScanTarget => ({ name, endpoints });
const control = () => target('control', at(living.address, openPort));
const openFiles = () => readdirSync('/proc/self/fd').length;

function run(
  targets: ScanTarget[],
  controls: ScanTarget[] = [control()],
  change: Partial<ScanSettings> = {},
) {
  return scan({ targets, controls }, { ...settings, ...change }, {}, systemClock, never);
}

describe('findings', () => {
  it('asks who refused in the name of guests, of all guests before of their further ports', async () => {
    const guest = (name: string, address: string): ScanTarget => ({
      ...{ name, kind: 'guest', endpoints: at(address, closedPort, closedPort + 1) },
    });
    const [first, second] = [`127.${block.number}.2.1`, `127.${block.number}.2.2`];
    const asked: Endpoint[] = [];
    const heard: string[] = [];
    const result = await scan(
      { targets: [guest('vm1', first), guest('vm2', second)], controls: [control()] },
      settings,
      {
        onHeard: (address) => heard.push(address),
        offenders: {
          ask: async (endpoints) => {
            asked.push(...endpoints);
            return new Map([[1, { id: 1, end: 'refused', errno: 'ECONNREFUSED', tookMs: 1 }]]);
          },
        },
      },
      systemClock,
      never,
    );
    expect(asked).toEqual([
      ...[...at(first, closedPort), ...at(second, closedPort)],
      ...[...at(first, closedPort + 1), ...at(second, closedPort + 1)],
    ]);
    // Of the first nothing was found out: a sign of life, but nothing to remember.
    expect(heard).toEqual([living.address, second]);
    expect(result.targets).toEqual({
      vm1: { state: 'answers', detail: `${first}:${closedPort} refused` },
      vm2: { state: 'answers', detail: `${second}:${closedPort} refused` },
    });
  });

  it('tells open, refused and silent hosts apart', async () => {
    const ports = [closedPort, openPort, otherPort];
    const result = await run([
      target('open', at(living.address, openPort)),
      target('refused', at(living.address, closedPort)),
      target('silent', at(dead.address, ...ports)),
      target('half', [...at(dead.address, openPort), ...at(living.address, closedPort)]),
      target('nowhere', []),
    ]);
    expect(result).toEqual({
      ok: true,
      outcome: 'seen',
      tookMs: expect.any(Number),
      controls: { control: { state: 'answers', detail: `${living.address}:${openPort} open` } },
      targets: {
        open: { state: 'answers', detail: `${living.address}:${openPort} open` },
        refused: { state: 'answers', detail: `${living.address}:${closedPort} refused` },
        silent: { state: 'silent', detail: '3 ports silent' },
        half: { state: 'answers', detail: `${living.address}:${closedPort} refused` },
        nowhere: { state: 'unknown', detail: 'it has no address to scan' },
      },
    });
    expect(result.tookMs).toBeGreaterThanOrEqual(settings.timeoutMs - 5);
  });

  it('takes a refusal for silence where something else may send it', async () => {
    const result = await run([target('refused', at(living.address, closedPort))], [control()], {
      refusedMeans: 'silent',
    });
    expect(result.targets.refused?.state).toBe('silent');
  });

  it.each([
    ['hv01.example.org', 'hv01.example.org:22'],
    ['localhost', 'localhost:22'],
    ['127.1', '127.1:22'],
    ['', ':22'],
    ['0.0.0.0', '0.0.0.0:22'],
    ['::', '[::]:22'],
  ])('resolves no names, and does not take itself for the host: "%s"', async (address, name) => {
    const result = await run([target('x', [{ address, port: 22 }])]);
    expect(result.targets.x).toEqual({ state: 'unknown', detail: `invalid address at ${name}` });
  });

  it('lets no second target of the same name hide the first', async () => {
    const two = [target('x', at(living.address, openPort)), target('x', at(dead.address, openPort))];
    for (const targets of [two, [...two].reverse()])
      expect((await run(targets)).targets.x?.state).toBe('answers');
  });

  it('does not depend on the order of the targets', async () => {
    const kinds: Record<string, Endpoint[]> = {
      open: at(living.address, openPort),
      refused: at(living.address, closedPort),
      silent: at(dead.address, openPort, otherPort),
      half: [...at(dead.address, openPort), ...at(living.address, openPort)],
      unknown: [...at(dead.address, openPort), { address: 'a.name', port: 22 }],
      nowhere: [],
    };
    const targets = Object.keys(kinds).flatMap((kind) =>
      [1, 2, 3].map((n) => target(`${kind}${n}`, kinds[kind] ?? [])),
    );
    const expected = await run(targets);
    expect(Object.values(expected.targets).map((f) => f.state)).toEqual([
      ...Array(6).fill('answers'),
      ...Array(3).fill('silent'),
      ...Array(3).fill('answers'),
      ...Array(6).fill('unknown'),
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(targets, { minLength: targets.length }),
        fc.integer({ min: 1, max: 30 }),
        async (shuffled, maxSockets) => {
          const found = await scan(
            { targets: shuffled, controls: [control()] },
            { ...settings, timeoutMs: 60 },
            { maxSockets },
            systemClock,
            never,
          );
          expect(found.targets).toEqual(expected.targets);
        },
      ),
      { numRuns: 8 },
    );
  });
});

describe('controls', () => {
  const silent = () => target('silent', at(dead.address, openPort));
  const deaf = () => target('deaf', at(dead.address, otherPort));

  it.each<[string, () => Parameters<typeof run>, 'seen' | 'blind']>([
    ['none, all targets answer', () => [[control()], []], 'seen'],
    ['none, no targets', () => [[], []], 'seen'],
    ['none, a silent target', () => [[control(), silent()], []], 'blind'],
    ['none, an unknown target', () => [[target('nowhere', [])], []], 'blind'],
    ['one that is silent', () => [[silent()], [deaf()]], 'blind'],
    ['one without an address', () => [[silent()], [target('nowhere', [])]], 'blind'],
    ['one of two answers', () => [[silent()], [deaf(), control()]], 'seen'],
    ['configured, answers', () => [[silent()], [deaf()], { controls: at(living.address, openPort) }], 'seen'],
    ['configured, silent', () => [[silent()], [], { controls: at(dead.address, otherPort) }], 'blind'],
  ])('%s', async (_what, request, outcome) => {
    expect((await run(...request())).outcome).toBe(outcome);
  });

  it.each<[string, 'host' | 'guest', 'seen' | 'blind']>([
    ['a gateway does not vouch for a scanner that hears no hypervisor', 'host', 'blind'],
    ['a gateway stands in where no hypervisor was asked', 'guest', 'seen'],
  ])('%s', async (_what, kind, outcome) => {
    const controls = [{ ...deaf(), kind }];
    const result = await run([silent()], controls, { controls: at(living.address, openPort) });
    expect(result.outcome).toBe(outcome);
  });

  it('believes the answer of one hypervisor among silent ones', async () => {
    const hosts = [deaf(), control()].map((one) => ({ ...one, kind: 'host' as const }));
    expect((await run([silent()], hosts)).outcome).toBe('seen');
  });

  it('reports the configured ones by their address', async () => {
    const { controls } = await run([silent()], [deaf()], { controls: at(living.address, openPort) });
    expect(Object.keys(controls).sort()).toEqual([`${living.address}:${openPort}`, 'deaf']);
  });
});

describe('bounds', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => target(`t${i}`, at(dead.address, openPort)));

  it('keeps to the number of sockets, and leaves none behind', async () => {
    const before = openFiles();
    let most = 0;
    const meter = setInterval(() => {
      most = Math.max(most, openFiles() - before);
    }, 5);
    const result = await scan(
      { targets: many(120), controls: [control()] },
      { ...settings, timeoutMs: 100 },
      { maxSockets: 50 },
      systemClock,
      never,
    );
    clearInterval(meter);
    expect(Object.values(result.targets).every((f) => f.state === 'silent')).toBe(true);
    expect(most).toBeGreaterThan(30);
    expect(most).toBeLessThanOrEqual(52);
    // Also those that never connected: the kernel would go on trying for two minutes.
    await expect.poll(openFiles).toBeLessThanOrEqual(before + 1);
    expect(result.tookMs).toBeGreaterThanOrEqual(3 * 95);
  });

  it('drops the other sockets of a host that answers', async () => {
    const result = await run(
      [target('x', [...at(dead.address, openPort, otherPort), ...at(living.address, openPort)])],
      [control()],
      { timeoutMs: 20_000 },
    );
    expect(result.targets.x?.state).toBe('answers');
    expect(result.tookMs).toBeLessThan(2_000);
  });

  it('opens no socket to a host that has answered', async () => {
    const x = target('x', [...at(living.address, openPort), ...at(dead.address, openPort)]);
    const result = await scan(
      { targets: [x], controls: [] },
      { ...settings, timeoutMs: 20_000 },
      { maxSockets: 1 },
      systemClock,
      never,
    );
    expect(result.targets.x?.state).toBe('answers');
    expect(result.tookMs).toBeLessThan(2_000);
  });

  it('ends at once when told so, with the reason', async () => {
    const before = openFiles();
    const stop = new AbortController();
    const scanning = scan(
      { targets: many(100), controls: [] },
      { ...settings, timeoutMs: 20_000 },
      { maxSockets: 40 },
      systemClock,
      stop.signal,
    );
    const reason = new Error('the worker stops');
    setTimeout(() => stop.abort(reason), 50);
    await expect(scanning).rejects.toBe(reason);
    expect(openFiles()).toBeLessThanOrEqual(before + 1);
    await expect(
      scan({ targets: many(1), controls: [] }, settings, {}, systemClock, stop.signal),
    ).rejects.toBe(reason);
  });

  it('believes an answer that waited while the process was busy', async () => {
    const scanning = run([target('x', at(living.address, openPort))], [control()], { timeoutMs: 100 });
    // Right after the connects, and for longer than they may take.
    setImmediate(() => {
      const endMs = performance.now() + 400;
      while (performance.now() < endMs);
    });
    expect((await scanning).targets.x?.state).toBe('answers');
  });

  it('takes a want of descriptors for unknown, not for silence', async () => {
    const { result } = await scanWithFiles(100, {
      request: { targets: many(200), controls: [control()] },
      maxSockets: 500,
    });
    const states = Object.values(result.targets).map((f) => f.state);
    expect(result.outcome).toBe('seen');
    expect(states).toContain('unknown');
    expect(new Set(states)).toEqual(new Set(['silent', 'unknown']));
    expect(Object.values(result.targets).find((f) => f.state === 'unknown')?.detail).toBe(
      `EMFILE at ${dead.address}:${openPort}`,
    );
    // And by itself it keeps below the limit.
    const kept = await scanWithFiles(100, { request: { targets: many(40), controls: [control()] } });
    expect(Object.values(kept.result.targets).every((f) => f.state === 'silent')).toBe(true);
  });
});
