// A list of any service, as one call: query, pages, and every item checked.
import { z } from 'zod';
import { markerOf, type Page, readAllPages } from './paging.ts';
import type { Call, Session } from './session.ts';
import { validated } from './validation.ts';

export interface List<T> {
  readonly call: Pick<Call, 'service' | 'path' | 'microversion'>;
  readonly query?: readonly (readonly [name: string, value: string])[];
  /** The key the items stand under; links stand under "<key>_links" (Nova, Neutron) or "links" (Keystone). */
  readonly key: string;
  readonly item: z.ZodType<T>;
  readonly idOf: (item: T) => string;
  /** Items asked for per page; null where the service knows no limit (it then sends all). */
  readonly pageSize: number | null;
}

const listLinks = z.array(z.object({ rel: z.string(), href: z.string() }));
const keystoneLinks = z.object({ next: z.string().nullish() });
type Links = z.infer<typeof listLinks> | z.infer<typeof keystoneLinks> | null | undefined;

function nextLink(links: Readonly<Record<string, Links>>): string | null {
  for (const value of Object.values(links)) {
    const href = Array.isArray(value) ? value.find((link) => link.rel === 'next')?.href : value?.next;
    if (href) return href;
  }
  return null;
}

/** All items of the list, paged to the end. @throws CloudError */
export function readList<T>(session: Session, list: List<T>, signal: AbortSignal): Promise<T[]> {
  const items = z.object({ [list.key]: z.array(list.item) });
  const links = z.object({ [`${list.key}_links`]: listLinks.nullish(), links: keystoneLinks.nullish() });
  const readPage = async (marker: string | null): Promise<Page<T>> => {
    const query = new URLSearchParams();
    for (const [name, value] of list.query ?? []) query.append(name, value);
    if (list.pageSize !== null) query.set('limit', String(list.pageSize));
    if (marker !== null) query.set('marker', marker);
    const reply = await session.call({ ...list.call, method: 'GET', query }, signal);
    const page = validated(items, reply.body, reply.what)[list.key] ?? [];
    return {
      items: page,
      nextMarker: markerOf(nextLink(validated(links, reply.body, reply.what)), reply.what),
    };
  };
  return readAllPages(readPage, list.idOf);
}
