// How much is read for a picture, and what happens when the servers are replaced while it is read.
import { describe, expect, it } from 'vitest';
import type { InstanceCounts, Server } from '../../../../src/shared/documents/inventory.ts';
import { countsOf, serversByHost } from '../../../../src/shared/picture/picture.ts';
import {
  GenerationGoneError,
  hostsPerPiece,
  type InventorySource,
  noServers,
  readPicture,
  readThrough,
} from '../../../../src/shared/picture/reading.ts';
import { hypervisor, inventory, server } from '../../../support/inventories.ts';

const names = Array.from({ length: 120 }, (_, i) => `hv${String(i + 1).padStart(3, '0')}`);
const { hosts, servers } = inventory({
  hypervisors: names.map((name) => hypervisor(name)),
  servers: names.flatMap((name, i) => [server(`a${i}`, name), server(`b${i}`, name)]),
});
const listed = serversByHost(servers);

/** A store that notes what is read. `gone`: how many readings of servers come too late. */
function stored(gone = 0, counts: Partial<InstanceCounts> | null = {}) {
  const reads: (readonly string[])[] = [];
  let heads = 0;
  let left = gone;
  const source: InventorySource = {
    head: async () => {
      heads += 1;
      const generation = `g${heads}`;
      const known = { version: 1 as const, cloud: 'c', generation, ...countsOf(servers, listed) };
      return { hosts, counts: counts && { ...known, ...counts } };
    },
    servers: async (generation, of) => {
      expect(generation, 'the one of the last head').toBe(`g${heads}`);
      reads.push(of);
      left -= 1;
      if (left >= 0) throw new GenerationGoneError('gone');
      return new Map(of.map((host) => [host, listed.get(host) ?? []]));
    },
  };
  return { source, reads, heads: () => heads };
}

describe('readPicture', () => {
  it('reads no servers when none are wanted', async () => {
    const { source, reads } = stored();
    const picture = await readPicture(source, () => noServers);
    expect([picture?.instancesOn('hv001'), reads]).toEqual([2, []]);
  });

  it('reads the wanted hosts, then pieces of a sample until there are enough', async () => {
    const { source, reads } = stored();
    const picture = await readPicture(source, () => ({
      hosts: ['hv001', 'hv999'],
      sample: [['hv002', 'hv003'], ['hv004'], ['hv005']],
      enough: (seen) => seen.hostsRead.length >= 5,
    }));
    expect(reads).toEqual([['hv001', 'hv999'], ['hv002', 'hv003'], ['hv004']]);
    expect(picture?.serversOf('hv004').map((s) => s.name)).toEqual(['a3', 'b3']);
    expect(picture?.serversOf('hv999'), 'read, and there is none').toEqual([]);
  });

  it('never asks for too many hosts at once', async () => {
    const { source, reads } = stored();
    await readPicture(source, () => ({ ...noServers, hosts: names }));
    expect(reads.map((piece) => piece.length)).toEqual([hostsPerPiece, hostsPerPiece, 20]);
  });

  it('begins anew with another head when the servers were replaced meanwhile, once', async () => {
    const once = stored(1);
    const picture = await readPicture(once.source, () => ({ ...noServers, hosts: ['hv001'] }));
    expect([picture?.serversOf('hv001').length, once.heads()]).toEqual([2, 2]);
    const lost = stored(2);
    const read = readPicture(lost.source, () => ({ ...noServers, hosts: ['hv001'] }));
    await expect(read).rejects.toThrow(GenerationGoneError);
    expect(lost.heads()).toBe(2);
  });

  it('asks for nothing where no servers were ever listed', async () => {
    const { source, reads } = stored(0, null);
    const picture = await readPicture(source, () => ({ ...noServers, hosts: ['hv001'] }));
    expect([picture?.serversCollectedAtMs, reads]).toEqual([null, []]);
    expect(await readPicture({ ...source, head: async () => null }, () => noServers)).toBeNull();
  });
});

describe('readThrough', () => {
  it('shows every server once, in pieces', async () => {
    const { source, reads } = stored();
    const seen: string[] = [];
    const picture = await readThrough(source, () => (piece: readonly Server[]) => {
      seen.push(...piece.map((s) => s.name));
    });
    expect(seen.sort()).toEqual(servers.servers.map((s) => s.name).sort());
    expect(Math.max(...reads.map((piece) => piece.length))).toBe(hostsPerPiece);
    expect(() => picture?.serversOf('hv001'), 'and keeps none').toThrow('not read');
  });

  it('begins anew when they were replaced meanwhile', async () => {
    const { source } = stored(1);
    const begun: Server[][] = [];
    await readThrough(source, () => {
      const seen: Server[] = [];
      begun.push(seen);
      return (piece) => seen.push(...piece);
    });
    expect(begun.map((seen) => seen.length)).toEqual([0, 240]);
  });
});
