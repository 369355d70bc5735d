// `ns4 --fence HOST --action on` of the level `ceph`: the entries of a host in Ceph's blocklist go, once nothing of what
// ran there before can be left. What Sonny cannot know a person says, who types the host's name.
import type { Clock } from '../../shared/ground/clock.ts';
import { AddressBook } from '../disks/address-book.ts';
import { wholeAddressOf } from '../disks/blocked.ts';
import type { CutOffStore } from '../disks/cut-off-store.ts';
import type { OpenedStore } from '../disks/opened-store.ts';
import { type BootSeen, bootSeen, rebooted } from '../disks/rebooted.ts';
import type { look } from '../fencing/level.ts';
import { agentsOf, type DeviceLevel } from '../fencing/plan.ts';
import type { Storage } from '../storage/storage.ts';

export interface LiftParts {
  readonly storage: Pick<Storage, 'blocklist' | 'unblock'>;
  readonly store: Pick<OpenedStore, 'addresses'>;
  readonly cuts: Pick<CutOffStore, 'all' | 'forget'>;
  /** By which the host could be seen off. */
  readonly levels: readonly DeviceLevel[];
  readonly look: typeof look;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** What the host's nova-compute tells of its uptime; null: nobody can be asked, or does not tell. */
  uptime(host: string): Promise<string | null>;
  /** Is a recovery of the host under way? */
  isRecovering(host: string): Promise<boolean>;
  /** Asks for the host's name; rejects when it is not given. */
  ask(what: string): Promise<void>;
}

interface Lifted {
  readonly well: boolean;
  readonly text: string;
}

/** A device is asked this long at most: the answer may be had otherwise. */
const deviceMs = 15_000;

/** Rejects without Redis, or as `ask` does. */
export async function lift(host: string, parts: LiftParts): Promise<Lifted> {
  const { storage, store, cuts, clock, timeoutMs, signal } = parts;
  const limits = { timeoutMs, signal };
  const all = await cuts.all();
  const cut = all.get(host) ?? null;
  const learned = new AddressBook(await store.addresses(), clock.nowMs()).of(host);
  const own = new Set([...(cut?.addresses ?? []), ...learned.map(({ address }) => address)]);
  const list = await storage.blocklist(limits);
  if (list.kind === 'cannot-tell') return failed(`whom Ceph blocks could not be read: ${list.reason}`);
  const entries = list.entries.flatMap((entry) => wholeAddressOf(entry) ?? []);
  const blocked = [...new Set(entries)].filter((address) => own.has(address));
  if (blocked.length === 0) {
    if (cut !== null) await cuts.forget(host);
    return { well: true, text: 'not cut off from Ceph: there is nothing to lift' };
  }
  for (const [other, { addresses }] of all) {
    const both = blocked.filter((address) => other !== host && addresses.includes(address));
    if (both.length > 0) return failed(`${both.join(', ')} is blocked for ${other} as well`);
  }
  if (await parts.isRecovering(host)) return failed('its recovery is under way');
  const devices = await Promise.all(parts.levels.map((level) => says(level, parts)));
  const known = rebooted(cut, devices, null);
  const found = known.kind === 'unknown' ? rebooted(cut, devices, await bootOf(host, parts)) : known;
  if (found.kind === 'no') return failed(`${found.why}. Reboot it, or power it off`);
  if (found.kind === 'unknown')
    await parts.ask(
      `${found.why}. ${host} was booted since it was cut off, or is off, so that no guest of before is left: you have made sure`,
    );
  const changed = await storage.unblock(blocked, limits);
  if (changed.kind === 'cannot-tell') return failed(`${blocked.join(', ')}: ${changed.reason}`);
  if (cut !== null) await cuts.forget(host);
  const why = found.kind === 'unknown' ? 'by your word' : found.why;
  return { well: true, text: `no longer cut off from Ceph: ${blocked.join(', ')} lifted (${why})` };
}

async function says(level: DeviceLevel, { look, timeoutMs, signal }: LiftParts) {
  const seen = await look({ level, timeoutMs: Math.min(deviceMs, timeoutMs), signal });
  return { name: `${agentsOf(level)}, level ${level.number}`, says: seen.says };
}

async function bootOf(host: string, { uptime, clock }: LiftParts): Promise<BootSeen | null> {
  const told = await uptime(host);
  return told === null ? null : bootSeen(told, clock.nowMs());
}

const failed = (why: string): Lifted => ({ well: false, text: `not lifted: ${why}` });
