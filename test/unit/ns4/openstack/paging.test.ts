import { describe, expect, it } from 'vitest';
import { CloudError } from '../../../../src/ns4/cloud/cloud.ts';
import { markerOf, type Page, readAllPages } from '../../../../src/ns4/openstack/paging.ts';

/** A list as Nova pages it: a link whenever the page is full, also when nothing follows. */
function novaPages(ids: readonly string[], limit: number): (marker: string | null) => Promise<Page<string>> {
  return async (marker) => {
    const start = marker === null ? 0 : ids.indexOf(marker) + 1;
    if (marker !== null && start === 0) throw notFound(marker);
    const items = ids.slice(start, start + limit);
    return { items, nextMarker: items.length === limit ? (items.at(-1) ?? null) : null };
  };
}

const notFound = (marker: string): CloudError =>
  new CloudError('refused', `Nova GET /servers/detail: 400 marker [${marker}] not found`, 400);
const itself = (id: string): string => id;

describe('readAllPages', () => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
  it.each([1, 2, 3, 4, 5, 6, 7])('reads all with %i to a page', async (limit) => {
    expect(await readAllPages(novaPages(ids, limit), itself)).toEqual(ids);
  });

  it('reads an empty list', async () => {
    expect(await readAllPages(novaPages([], 2), itself)).toEqual([]);
  });

  it('has each item once, in its newest form', async () => {
    const pages = [
      {
        items: [
          { id: 'a', n: 1 },
          { id: 'b', n: 1 },
        ],
        nextMarker: 'b',
      },
      {
        items: [
          { id: 'a', n: 2 },
          { id: 'c', n: 2 },
        ],
        nextMarker: null,
      },
    ];
    const all = await readAllPages(
      async () => pages.shift() as Page<{ id: string; n: number }>,
      (x) => x.id,
    );
    expect(all).toEqual([
      { id: 'a', n: 2 },
      { id: 'b', n: 1 },
      { id: 'c', n: 2 },
    ]);
  });

  it.each([
    (id: string) => notFound(id),
    (id: string) => new CloudError('refused', `Nova: 400 Marker ${id} could not be found.`, 400),
    (id: string) => new CloudError('refused', `Neutron: 404 Port ${id} could not be found.`, 404),
  ])('starts again when the marker has vanished (%#)', async (vanished) => {
    let deleted = false;
    const read = async (marker: string | null): Promise<Page<string>> => {
      if (marker === 'b' && !deleted) {
        deleted = true;
        throw vanished('b');
      }
      return novaPages(deleted ? ['a', 'c', 'd'] : ['a', 'b', 'c', 'd'], 2)(marker);
    };
    expect(await readAllPages(read, itself)).toEqual(['a', 'c', 'd']);
  });

  it('gives up a list that never holds still', async () => {
    let reads = 0;
    const read = async (marker: string | null): Promise<Page<string>> => {
      reads++;
      if (marker !== null) throw notFound(marker);
      return { items: ['a'], nextMarker: 'a' };
    };
    await expect(readAllPages(read, itself)).rejects.toThrow('marker [a] not found');
    expect(reads).toBe(8);
  });

  it('does not take another refusal for a vanished marker', async () => {
    let reads = 0;
    const read = async (marker: string | null): Promise<Page<string>> => {
      reads++;
      if (marker !== null) throw new CloudError('refused', 'Nova GET /servers/detail: 403 no', 403);
      return { items: ['a'], nextMarker: 'a' };
    };
    await expect(readAllPages(read, itself)).rejects.toThrow('403');
    expect(reads).toBe(2);
  });

  it('notices links that go in circles', async () => {
    const next: Record<string, string> = { a: 'b', b: 'a' };
    const read = async (marker: string | null): Promise<Page<string>> => ({
      items: [marker ?? 'start'],
      nextMarker: next[marker ?? 'b'] ?? null,
    });
    await expect(readAllPages(read, itself)).rejects.toMatchObject({ outcome: 'not-done' });
  });
});

describe('markerOf', () => {
  it.each([
    { href: null, marker: null },
    { href: undefined, marker: null },
    { href: 'http://inside:8774/v2.1/servers/detail?all_tenants=1&limit=2&marker=a-b', marker: 'a-b' },
    { href: '/servers?marker=a%20b#x', marker: 'a b' },
  ])('$href', ({ href, marker }) => {
    expect(markerOf(href, 'Nova')).toBe(marker);
  });
  it('refuses a link without one', () => {
    expect(() => markerOf('http://x/servers?limit=2', 'Nova GET /servers')).toThrow(
      /Nova GET \/servers: .* no marker/,
    );
    expect(() => markerOf(`/servers?marker=${'a'.repeat(10_000)}`, 'Nova')).toThrow(
      /no marker that could be/,
    );
  });
});
