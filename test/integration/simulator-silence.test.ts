// Is the silence real? A killed host must give no answer at all, a living one's closed port must refuse.
import { createConnection } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LoopbackAddress } from '../../simulator/network/loopback-address.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';

const open = 10022;
const closed = 10111;
const silentForMs = 1_500;

/** What a TCP connect meets: connected, an error code, or silence for `withinMs`. */
function probe(address: string | null, port: number, withinMs = silentForMs): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: address ?? '', port });
    const timer = setTimeout(() => done('silence'), withinMs);
    const done = (what: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(what);
    };
    socket.on('connect', () => done('connected'));
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? 'error'));
  });
}

describe('silence', () => {
  let simulator: Simulator;
  const at = (name: string): string | null => simulator.addressOf(name);

  beforeAll(async () => {
    simulator = await startSimulator({
      computes: 3,
      durations: { scheduleMs: 50, rebuildMs: 100, oldHostShownMs: 20 },
    });
    await simulator.boot('web', 'hv01');
    await simulator.boot('db', 'hv01');
    await simulator.boot('off', 'hv02', { stopped: true });
    await simulator.boot('inside', 'hv02', { network: 'private' });
    await simulator.boot('floating', 'hv02', { network: 'private', floating: true });
  });
  afterAll(() => simulator.close());

  it('is not what a living host gives: open ports accept, closed ones refuse', async () => {
    expect(await probe(at('hv01'), open)).toBe('connected');
    expect(await probe(at('hv01'), 16509)).toBe('connected');
    expect(await probe(at('hv01'), closed)).toBe('ECONNREFUSED');
    expect(await probe(at('web'), open)).toBe('connected');
    expect(await probe(at('floating'), open)).toBe('connected');
    expect(at('inside')).toBeNull();
  });

  it('is what a guest that is shut off gives', async () => {
    expect(await probe(at('off'), open)).toBe('silence');
  });

  it('falls on a killed host and its guests, on every port, for many scanners at once, and lasts', async () => {
    await simulator.kill('hv01');
    const probes = Array.from({ length: 30 }, (_, index) =>
      probe(at(['hv01', 'web', 'db'][index % 3] ?? ''), open),
    );
    expect(new Set(await Promise.all(probes))).toEqual(new Set(['silence']));
    expect(await probe(at('hv01'), closed)).toBe('silence');
    expect(await probe(at('hv01'), 16509, 4_000)).toBe('silence');
    expect(await probe(at('hv02'), open)).toBe('connected');
  });

  it('ends when the host is revived', async () => {
    await simulator.revive('hv01');
    expect(await probe(at('hv01'), open)).toBe('connected');
    expect(await probe(at('hv01'), closed)).toBe('ECONNREFUSED');
    expect(await probe(at('web'), open)).toBe('connected');
  });

  it('can be of the agents only, of the host alone, of one address, or a refusal', async () => {
    await simulator.kill('hv01', ['compute', 'agent']);
    expect(await probe(at('hv01'), open)).toBe('connected');
    await simulator.kill('hv01', ['address']);
    expect(await probe(at('hv01'), open)).toBe('silence');
    expect(await probe(at('web'), open)).toBe('connected');
    await simulator.silence('web');
    expect(await probe(at('web'), open)).toBe('silence');
    expect(await probe(at('db'), open)).toBe('connected');
    await simulator.refuse('web');
    expect(await probe(at('web'), open)).toBe('ECONNREFUSED');
    await simulator.restore('web');
    await simulator.revive('hv01');
    expect(await probe(at('web'), open)).toBe('connected');
    await simulator.hang('hv01');
    expect(await probe(at('hv01'), open)).toBe('silence');
    expect(await probe(at('web'), open)).toBe('silence');
    await simulator.revive('hv01');
    expect(simulator.snapshot().servers.web?.everTwoWriters).toBe(false);
  });

  it('leaves other simulators alone', async () => {
    const other = await startSimulator({ computes: 1 });
    expect(other.addressOf('hv01')).not.toBe(at('hv01'));
    await other.kill('hv01');
    expect(await probe(at('hv01'), open)).toBe('connected');
    await other.close();
    await expect(startSimulator({ block: simulator.settings.block })).rejects.toThrow(/taken/);
  });
});

it('an address that goes from silence to refusal drops what waited in its queues, and its thread ends', async () => {
  const ports = Array.from({ length: 30 }, (_, index) => 10_100 + index);
  for (let round = 0; round < 10; round += 1) {
    const address = new LoopbackAddress('127.63.0.1', { open: ports, closed: [] });
    await address.become('answers');
    await address.become('silent');
    await address.become('refuses');
    await address.close();
  }
});
