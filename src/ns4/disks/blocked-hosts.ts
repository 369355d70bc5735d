// Is a host still blocked, and whom of all that Sonny cut off does Ceph still block? Entries that somebody lifted by hand
// are forgotten here.
import type { Clock } from '../../shared/ground/clock.ts';
import type { CannotTell, Limits, Storage } from '../storage/storage.ts';
import { AddressBook } from './address-book.ts';
import { blockedBy } from './blocked.ts';
import type { CutOffStore } from './cut-off-store.ts';
import type { OpenedStore } from './opened-store.ts';

export interface BlockedHost {
  readonly host: string;
  readonly addresses: readonly string[];
  /** When it was cut off last, ms since the epoch. */
  readonly sinceMs: number;
}

/** One that is just being cut off is not listed yet. */
const underWayMs = 600_000;
/** The refresh of an inventory waits for it. */
const listMs = 3_000;

/** Asks Ceph only when somebody is cut off. Where it does not answer, nothing is news. Rejects as a command of a Db does. */
export async function blockedHosts(
  {
    storage,
    cuts,
    clock,
  }: {
    readonly storage: Pick<Storage, 'blocklist'>;
    readonly cuts: Pick<CutOffStore, 'all' | 'forget'>;
    readonly clock: Pick<Clock, 'nowMs'>;
  },
  signal: AbortSignal,
): Promise<BlockedHost[]> {
  const known = [...(await cuts.all())];
  if (known.length === 0) return [];
  const list = await storage.blocklist({ timeoutMs: listMs, signal });
  const nowMs = clock.nowMs();
  const isBlocked = list.kind === 'listed' ? blockedBy(list.entries, nowMs) : () => true;
  const blocked: BlockedHost[] = [];
  for (const [host, cut] of known) {
    const addresses = cut.addresses.filter(isBlocked);
    if (addresses.length > 0) blocked.push({ host, addresses, sinceMs: cut.atMs });
    else if (nowMs - cut.atMs > underWayMs) await cuts.forget(host);
  }
  return blocked.sort((a, b) => (a.host < b.host ? -1 : 1));
}

/** Which of a host's addresses Ceph blocks. */
export type StillBlocked =
  | { readonly kind: 'known'; readonly blocked: readonly string[]; readonly open: readonly string[] }
  | CannotTell;

/**
 * `addresses`: null: those that it was cut off from the last time, or else those that it has now; none at all: nobody
 * knows any. Rejects with the signal's reason, or without Redis.
 */
export async function stillBlocked(
  {
    storage,
    cuts,
    store,
    clock,
  }: {
    readonly storage: Pick<Storage, 'blocklist'>;
    readonly cuts: Pick<CutOffStore, 'of'>;
    readonly store: Pick<OpenedStore, 'addresses'>;
    readonly clock: Pick<Clock, 'nowMs'>;
  },
  host: string,
  addresses: readonly string[] | null,
  limits: Limits,
): Promise<StillBlocked> {
  const asked =
    addresses ??
    (await cuts.of(host))?.addresses ??
    new AddressBook(await store.addresses(), clock.nowMs()).presentOf(host).own;
  const list = await storage.blocklist(limits);
  if (list.kind === 'cannot-tell') return list;
  const isBlocked = blockedBy(list.entries, clock.nowMs());
  const open = asked.filter((address) => !isBlocked(address));
  return { kind: 'known', blocked: asked.filter(isBlocked), open };
}
