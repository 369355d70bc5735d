// A list of any service, as one call: query, pages, and every item checked.
import { z } from 'zod';
import { CloudError } from '../cloud/cloud.ts';
import { issueText } from './left-out.ts';
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
  /**
   * A record that makes no sense is an error, not left out: of these lists each may tell of something under way, which
   * nobody may pass over.
   */
  readonly strict?: boolean;
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

/**
 * All items of the list, paged to the end. A record that makes no sense is left out and noted (see LeftOut), unless none
 * of several does: then the list is another one than is meant.
 * @throws CloudError
 */
export async function readList<T>(session: Session, list: List<T>, signal: AbortSignal): Promise<T[]> {
  const items = z.object({ [list.key]: z.array(z.unknown()) });
  const links = z.object({ [`${list.key}_links`]: listLinks.nullish(), links: keystoneLinks.nullish() });
  let seen = 0;
  let odd: { raw: unknown; error: z.ZodError; what: string; at: number }[] = [];
  const readPage = async (marker: string | null): Promise<Page<T>> => {
    if (marker === null) [seen, odd] = [0, []];
    const query = new URLSearchParams();
    for (const [name, value] of list.query ?? []) query.append(name, value);
    if (list.pageSize !== null) query.set('limit', String(list.pageSize));
    if (marker !== null) query.set('marker', marker);
    const reply = await session.call({ ...list.call, method: 'GET', query }, signal);
    const page = validated(items, reply.body, reply.what)[list.key] ?? [];
    const sensible: T[] = [];
    for (const [at, raw] of page.entries()) {
      const { data, error, success } = list.item.safeParse(raw);
      if (success) sensible.push(data);
      else odd.push({ raw, error, what: reply.what, at });
    }
    seen += page.length;
    if (list.strict) refuseOdd(list.key, odd);
    return {
      items: sensible,
      nextMarker: markerOf(nextLink(validated(links, reply.body, reply.what)), reply.what),
    };
  };
  const all = await readAllPages(readPage, list.idOf);
  if (seen > 1 && odd.length === seen) refuseOdd(list.key, odd);
  const filter = (list.query ?? []).filter(([name]) => name !== 'fields');
  // What is on one host is in the whole list as well, which is read again and again: that tells when it is over.
  if (filter.some(([name]) => name === 'host')) return all;
  const named =
    filter.length === 0 ? '' : `?${new URLSearchParams(filter.map(([n, v]): [string, string] => [n, v]))}`;
  session.leftOut.note(`${list.call.service} ${list.call.path}${named}`, seen, odd);
  return all;
}

function refuseOdd(key: string, odd: readonly { error: z.ZodError; what: string; at: number }[]): void {
  const [first] = odd;
  if (first === undefined) return;
  const why = issueText(first.error, `${key}[${first.at}]`);
  throw new CloudError('not-done', `${first.what}: the answer makes no sense (${why})`, null);
}
