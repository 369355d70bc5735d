// Reading a list to its end, page by page, whatever happens to it meanwhile. Pure but for the page it is handed.
import { CloudError } from '../cloud/cloud.ts';

export interface Page<T> {
  readonly items: readonly T[];
  /** What the link to the next page says to begin after; null when this was the last one. */
  readonly nextMarker: string | null;
}

/** Often enough for a busy cloud; a list that never holds still is given up. */
const MAX_RESTARTS = 3;
const MAX_PAGES = 5_000;
/** More than any cloud has of anything that Sonny lists: what is held of each is bounded, so that all of it is. */
export const MAX_ITEMS = 100_000;

/**
 * All items of a list, without repetitions. When the one that a page was to begin after has vanished (a server deleted
 * meanwhile), the listing starts again from the beginning.
 * @throws CloudError what `readPage` throws; not-done when links go in circles or the list never holds still
 */
export async function readAllPages<T>(
  readPage: (marker: string | null) => Promise<Page<T>>,
  idOf: (item: T) => string,
): Promise<T[]> {
  for (let restarts = 0; ; restarts++) {
    const all = await readOnce(readPage, idOf, restarts < MAX_RESTARTS);
    if (all !== 'marker-vanished') return all;
  }
}

async function readOnce<T>(
  readPage: (marker: string | null) => Promise<Page<T>>,
  idOf: (item: T) => string,
  mayRestart: boolean,
): Promise<T[] | 'marker-vanished'> {
  const found = new Map<string, T>();
  const markers = new Set<string>();
  let marker: string | null = null;
  for (;;) {
    let page: Page<T>;
    try {
      page = await readPage(marker);
    } catch (error) {
      if (mayRestart && marker !== null && isVanished(error, marker)) return 'marker-vanished';
      throw error;
    }
    for (const item of page.items) found.set(idOf(item), item);
    if (found.size > MAX_ITEMS)
      throw new CloudError('not-done', `the list has more than ${MAX_ITEMS} items, which nobody holds`, null);
    // Nova links on from a full last page, too; the empty page behind it has no link.
    if (page.nextMarker === null) return [...found.values()];
    if (markers.has(page.nextMarker) || markers.size >= MAX_PAGES) {
      throw new CloudError('not-done', `the list does not end: it came to ${page.nextMarker} again`, null);
    }
    marker = page.nextMarker;
    markers.add(marker);
  }
}

/**
 * Servers and hypervisors say 400 "marker [ID] not found", migrations 400 "Marker ID could not be found.", Neutron 404
 * "Port ID could not be found." (all seen on the Zed release).
 */
function isVanished(error: unknown, marker: string): boolean {
  return (
    error instanceof CloudError &&
    (error.status === 400 || error.status === 404) &&
    error.message.includes(marker) &&
    /not (be )?found/i.test(error.message)
  );
}

/**
 * The marker of a link to the next page, null when there is no link. Only the marker is taken: the link's host is the
 * service as it sees itself, behind whatever proxy.
 * @throws CloudError (not-done) for a link without a marker
 */
export function markerOf(href: string | null | undefined, what: string): string | null {
  if (href === null || href === undefined) return null;
  const query = href.includes('?') ? href.slice(href.indexOf('?') + 1) : '';
  const marker = new URLSearchParams(query.split('#')[0]).get('marker');
  if (marker) return marker;
  throw new CloudError('not-done', `${what}: the link to the next page has no marker`, null);
}
