// `ns4 --fence HOST --action on` of the level `ceph`: the entries of a host in Ceph's blocklist go, once nothing of what
// ran there before can be left. What Sonny cannot know a person says, who types the host's name.
import type { Clock } from '../../shared/ground/clock.ts';
import { timings } from '../../shared/ground/timings.ts';
import { AddressBook } from '../disks/address-book.ts';
import { rangesOver, wholeAddressOf } from '../disks/blocked.ts';
import type { Cut, CutOffStore } from '../disks/cut-off-store.ts';
import type { OpenedStore } from '../disks/opened-store.ts';
import { type BootSeen, bootSeen, rebooted, timeText } from '../disks/rebooted.ts';
import type { look } from '../fencing/level.ts';
import { agentsOf, type DeviceLevel } from '../fencing/plan.ts';
import type { Storage } from '../storage/storage.ts';
import type { Recoveries } from './recoveries.ts';

export interface LiftParts extends Recoveries {
  readonly storage: Pick<Storage, 'blocklist' | 'unblock'>;
  readonly store: Pick<OpenedStore, 'addresses'>;
  readonly cuts: Pick<CutOffStore, 'all' | 'forget'>;
  /** By which the host could be seen off. */
  readonly levels: readonly DeviceLevel[];
  /** Why none of them is asked, and none believed that saw it off before, for people; null: they are. */
  readonly doubt: string | null;
  readonly look: typeof look;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** What the host's nova-compute tells of its uptime; null: nobody can be asked, or does not tell. */
  uptime(host: string): Promise<string | null>;
  /**
   * Why copies of what was evacuated may be left on it, in words, as Nova has it; null: nova-compute destroyed them all. A
   * host may start its former guests at its boot (libvirt-guests), and they write as soon as its entry goes.
   */
  copiesLeft(host: string): Promise<string | null>;
  /** Asks for the host's name; rejects when it is not given. */
  ask(what: string): Promise<void>;
}

interface Lifted {
  readonly well: boolean;
  readonly text: string;
}

/** A device is asked this long at most: the answer may be had otherwise. */
const deviceMs = 15_000;
/** The monitors agree within a second, as a rule; a worker that finds the host held waits no longer than this. */
const unblockMs = 10_000;
/** From the hold to the request: well before the hold would run out, should its renewals not get through. */
const lastLookMs = timings.recoveryLock.lifeMs / 2;

/**
 * Asking takes its time, and a prompt as much as it likes. So all that the answer rests on is looked at again as the last
 * thing, while no recovery of the host can begin: one that was under way or over meanwhile keeps its entries. A recovery
 * that begins afterwards sets them anew before anything moves.
 *
 * What remains: a request to lift of which nobody knows what became (Ceph did not answer, or this process stood still
 * while it left) may be carried out after the hold. A recovery whose proof is the level `ceph` sees the entry go.
 *
 * Rejects without Redis, or as `ask` does.
 */
export async function lift(host: string, parts: LiftParts): Promise<Lifted> {
  const { storage, store, cuts, clock, timeoutMs, signal } = parts;
  if (await parts.isRecovering(host)) return failed(recovering);
  const limits = { timeoutMs, signal };
  const all = await cuts.all();
  const cut = all.get(host) ?? null;
  const learned = new AddressBook(await store.addresses(), clock.nowMs()).of(host);
  const own = new Set([...(cut?.addresses ?? []), ...learned.map(({ address }) => address)]);
  const list = await storage.blocklist(limits);
  if (list.kind === 'cannot-tell') return failed(`whom Ceph blocks could not be read: ${list.reason}`);
  const entries = list.entries.flatMap((entry) => wholeAddressOf(entry) ?? []);
  const blocked = [...new Set(entries)].filter((address) => own.has(address));
  const ranges = rangesOver(list.entries, [...own]);
  if (blocked.length === 0) {
    if (ranges.length > 0) return failed(rangesText(ranges));
    const nothing: Lifted = { well: true, text: 'not cut off from Ceph: there is nothing to lift' };
    if (cut === null) return nothing;
    return ifUnchanged(host, { cut, blocked }, parts, async () => {
      await cuts.forget(host);
      return nothing;
    });
  }
  const shared = sharedBy(host, blocked, all);
  if (shared !== null) return failed(shared);
  const { doubt } = parts;
  const believed = cut === null || doubt === null ? cut : { ...cut, seenOff: null };
  const devices = doubt === null ? await devicesSay(parts) : [];
  const known = rebooted(believed, devices, null);
  const found = known.kind === 'unknown' ? rebooted(believed, devices, await bootOf(host, parts)) : known;
  if (found.kind === 'no') return failed(notRebooted(found.why));
  const left = await parts.copiesLeft(host);
  const doubts = [
    ...(found.kind === 'unknown' ? [...(doubt === null ? [] : [doubt]), found.why] : []),
    ...(left === null ? [] : [left]),
  ];
  if (doubts.length > 0)
    await parts.ask(
      `${doubts.join('. ')}. ${host} was booted since it was cut off, or is off, and no guest of before is left on it, nor starts there ("virsh list --all", libvirt-guests): you have made sure`,
    );
  return ifUnchanged(host, { cut, blocked }, parts, async (held) => {
    const changed = await storage.unblock(blocked, {
      timeoutMs: Math.min(unblockMs, timeoutMs),
      signal: held,
    });
    if (changed.kind === 'cannot-tell') return failed(`${blocked.join(', ')}: ${changed.reason}`);
    const why = doubts.length > 0 ? 'by your word' : found.why;
    const lifted = `${blocked.join(', ')} lifted (${why})`;
    // Not forgotten either: whoever looks for hosts that are still cut off is to find it.
    if (ranges.length > 0)
      return { well: false, text: `${lifted}; still cut off from Ceph: ${rangesText(ranges)}` };
    if (cut !== null) await cuts.forget(host);
    return { well: true, text: `no longer cut off from Ceph: ${lifted}` };
  });
}

/**
 * Does it while no recovery of the host can begin, if what is known of the host is still what was found. `held`: aborted
 * with the hold.
 */
async function ifUnchanged(
  host: string,
  { cut, blocked }: { readonly cut: Cut | null; readonly blocked: readonly string[] },
  { hold, cuts, clock, signal }: LiftParts,
  act: (held: AbortSignal) => Promise<Lifted>,
): Promise<Lifted> {
  const sinceMs = clock.steadyMs();
  const held = await hold(host);
  if (held === null) return failed(recovering);
  try {
    const all = await cuts.all();
    const now = all.get(host) ?? null;
    if (!isSame(cut, now)) return failed(changedText(cut, now));
    const shared = sharedBy(host, blocked, all);
    if (shared !== null) return failed(shared);
    if (clock.steadyMs() - sinceMs > lastLookMs) return failed('Redis is too slow for the last look');
    return await act(AbortSignal.any([signal, held.lost]));
  } finally {
    await held.release();
  }
}

function isSame(before: Cut | null, now: Cut | null): boolean {
  if (before === null || now === null) return before === now;
  return before.atMs === now.atMs && before.addresses.join() === now.addresses.join();
}

const changedText = (before: Cut | null, now: Cut | null): string =>
  now === null || before?.atMs === now.atMs
    ? 'what is known of its entries changed meanwhile. Ask again'
    : `it was cut off anew at ${timeText(now.atMs)}, while this was asked. Begin again, by looking at it`;

/** An address of these that is another host's as well, in words; null: none is. */
function sharedBy(host: string, blocked: readonly string[], all: ReadonlyMap<string, Cut>): string | null {
  for (const [other, { addresses }] of all) {
    const both = blocked.filter((address) => other !== host && addresses.includes(address));
    if (both.length > 0) return `${both.join(', ')} is blocked for ${other} as well`;
  }
  return null;
}

/** What the devices of each level say now, together. Rejects when aborted only. */
export function devicesSay({
  levels,
  look,
  timeoutMs,
  signal,
}: Pick<LiftParts, 'levels' | 'look' | 'timeoutMs' | 'signal'>) {
  return Promise.all(
    levels.map(async (level) => {
      const { says } = await look({ level, timeoutMs: Math.min(deviceMs, timeoutMs), signal });
      return { name: `${agentsOf(level)}, level ${level.number}`, says };
    }),
  );
}

/** When its nova-compute says that the host was booted; null: it does not tell. */
export async function bootOf(
  host: string,
  { uptime, clock }: Pick<LiftParts, 'uptime' | 'clock'>,
): Promise<BootSeen | null> {
  const told = await uptime(host);
  return told === null ? null : bootSeen(told, clock.nowMs());
}

/** A range is somebody else's, and may keep out others as well. */
const rangesText = (ranges: readonly string[]): string =>
  `blocked by a range, which Sonny did not set; after its reboot: ${ranges.map((range) => `ceph osd blocklist range rm ${range}`).join('; ')}`;

export const recovering = 'its recovery, or one onto it, is under way';

export const failed = (why: string): Lifted => ({ well: false, text: `not lifted: ${why}` });

/** `why`: it runs since before. */
export const notRebooted = (why: string): string => `${why}. Reboot it, or power it off`;
