// Paging as Nova does it: `limit` and `marker`, and a link to the next page whenever a page is full, also when nothing
// follows. A marker that has gone meanwhile is a 400.
import { ApiRefusal } from '../world/refusal.ts';
import type { Call } from './call.ts';

/** Nova's osapi_max_limit. */
const maxLimit = 1_000;

interface Page<T> {
  readonly items: readonly T[];
  /** For `NAME_links`, null when the page is not full. */
  readonly links: readonly { rel: string; href: string }[] | null;
}

/** Cuts the asked page from all items; `markerMissing` words the refusal. */
export function cutPage<T>(
  call: Call,
  items: readonly T[],
  idOf: (item: T) => string,
  markerMissing: (marker: string) => string = (marker) => `marker [${marker}] not found`,
): Page<T> {
  const asked = call.query.get('limit') ?? '';
  if (!/^[0-9]*$/.test(asked)) {
    throw new ApiRefusal(
      400,
      `Invalid input for query parameters limit. Value: ${asked}. '${asked}' does not match '^[0-9]*$'`,
    );
  }
  const limit = asked === '' ? maxLimit : Math.min(Number(asked), maxLimit);
  const marker = call.query.get('marker');
  let start = 0;
  if (marker !== null) {
    const index = items.findIndex((item) => idOf(item) === marker);
    if (index < 0) throw new ApiRefusal(400, markerMissing(marker));
    start = index + 1;
  }
  const page = items.slice(start, start + limit);
  const last = page.at(-1);
  if (last === undefined || page.length < limit) return { items: page, links: null };
  const next = new URLSearchParams(call.query);
  next.delete('marker');
  next.append('marker', idOf(last));
  const href = `${call.url.origin}${call.path}?${next}`;
  return { items: page, links: [{ rel: 'next', href }] };
}
