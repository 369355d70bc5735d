// Cuts a host off from the disks of its instances: its addresses are blocked for a year, every placement group is seen
// to know that, and none of the disks is open or locked by anybody who is not blocked. Only all three together are proof.
import type { Clock } from '../../shared/ground/clock.ts';
import { disksOf, isVolume } from '../storage/image-names.ts';
import type { ByImage, CannotTell, ImageClients, Limits, Storage } from '../storage/storage.ts';
import { AddressBook } from './address-book.ts';
import type { Asked } from './ask-instances.ts';
import { blockedBy } from './blocked.ts';
import type { Cut, CutOffStore } from './cut-off-store.ts';
import { missingDisks } from './missing-disks.ts';
import type { OpenedStore } from './opened-store.ts';
import { deniedIn, imagesOf, readDisks, readMs, samplesOf, unreadText } from './read-disks.ts';

/**
 * Ceph's own protection, when a new owner breaks the lock of one that lost its watch, lasts an hour: a host that comes
 * back later takes its lock back and writes. Entries are taken away when the host was seen to have rebooted.
 */
const yearSeconds = 365 * 86_400;
/** The monitors agree within a second, as a rule. */
const blockMs = 10_000;
/** For a few images, before anything is done: whoever does not answer by then says nothing against it. */
const permittedMs = 2_000;

export type CutOffResult =
  /** No addresses: none of its disks is on this Ceph. */
  | { readonly done: true; readonly addresses: readonly string[]; readonly atMs: number }
  | { readonly done: false; readonly why: string };

export interface CutOffParts {
  readonly storage: Pick<Storage, 'block' | 'blocklist' | 'barrier' | 'watchers' | 'locks'>;
  readonly pools: readonly string[];
  readonly store: Pick<OpenedStore, 'addresses'>;
  /** Keeps who is cut off. */
  readonly cuts: Pick<CutOffStore, 'note'>;
  /** For the barrier: a host that dies with its OSDs delays it until Ceph serves their placement groups again. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

export interface CutOffRequest {
  readonly host: string;
  /** Those that are still its own: what is somewhere else already is open there. */
  readonly instances: readonly Asked[];
  readonly signal: AbortSignal;
  /**
   * It is to be the proof that the host writes nowhere: all within so long, and every disk is on this Ceph. Absent: it is
   * done beside whatever proof there is.
   */
  readonly asProofWithinMs?: number;
  /** A device showed the host off in this recovery; null: none did. */
  readonly seenOff: Cut['seenOff'];
  /** Another proof stands, so that all move whatever comes of this: it is blocked even where no disk may be read. */
  readonly isProven?: boolean;
  /** The last thing before anything is blocked: confirms that it may be. What it rejects with is passed on. */
  beforeBlocking(addresses: readonly string[]): Promise<void>;
}

/** Doing it again is harmless. Rejects with the signal's reason, or as `beforeBlocking` does, or without Redis. */
export async function cutOff(parts: CutOffParts, request: CutOffRequest): Promise<CutOffResult> {
  const { storage, store, cuts, clock, timeoutMs } = parts;
  const { host, signal, seenOff, asProofWithinMs: withinMs } = request;
  const untilMs = withinMs === undefined ? Number.POSITIVE_INFINITY : clock.steadyMs() + withinMs;
  const within = (limitMs: number) => ({ timeoutMs: Math.min(limitMs, untilMs - clock.steadyMs()), signal });
  const isLate = () => clock.steadyMs() >= untilMs;
  const late: CutOffResult = { done: false, why: `not done within ${(withinMs ?? 0) / 1_000} s` };
  const book = new AddressBook(await store.addresses(), clock.nowMs());
  const { own, shared } = book.presentOf(host);
  if (own.length === 0 || shared.length > 0) return withoutAddress(parts, request, shared);
  const denied = request.isProven === true ? null : await mayNotRead(parts, request, within(permittedMs));
  if (denied !== null) return { done: false, why: denied };
  await request.beforeBlocking(own);
  await cuts.note(host, { addresses: own, atMs: clock.nowMs(), seenOff });
  if (isLate()) return late;
  const blocked = await storage.block(own, yearSeconds, within(blockMs));
  if (blocked.kind === 'cannot-tell') return failed(`${own.join(', ')} could not be blocked`, blocked);
  if (isLate()) return late;
  const barrier = await storage.barrier(within(timeoutMs));
  if (barrier.kind === 'cannot-tell') return failed('not every placement group knows of it', barrier);
  if (isLate()) return late;
  const atMs = clock.nowMs();
  const trouble = await openByOthers(parts, request, book, within);
  if (trouble !== null) return { done: false, why: trouble };
  return isLate() ? late : { done: true, addresses: own, atMs };
}

/** Could the look at the disks never be had? In words: else the host would be blocked before that is found out. */
async function mayNotRead(
  { storage, pools }: CutOffParts,
  { instances }: CutOffRequest,
  limits: Limits,
): Promise<string | null> {
  const images = samplesOf(instances).flatMap((one) =>
    disksOf({ ...one, volumes: one.volumes.slice(0, 1) }, pools),
  );
  return deniedIn(await readDisks(storage, images, limits));
}

/**
 * Never seen with an address, or with one that cannot be blocked: an image without a lock shows nobody that it was opened
 * from there. Is there anything to be cut off from?
 */
async function withoutAddress(
  { storage, pools, clock, timeoutMs }: CutOffParts,
  { host, instances, signal, asProofWithinMs }: CutOffRequest,
  shared: readonly string[],
): Promise<CutOffResult> {
  if (asProofWithinMs === undefined) {
    const images = instances.flatMap((one) => disksOf(one, pools));
    const listed = await storage.watchers(images, { timeoutMs: readMs(images.length, timeoutMs), signal });
    const isAbsent = [...listed.values()].every(({ kind }) => kind === 'absent');
    if (isAbsent) return { done: true, addresses: [], atMs: clock.nowMs() };
  }
  const why =
    shared.length === 0
      ? `it is not known from which address ${host} opens disks`
      : `other hypervisors open disks from ${shared.join(', ')} as well`;
  return { done: false, why };
}

/**
 * Who has a disk open, or owns its lock, without being blocked, in words; null: nobody. Another hypervisor may: by a volume
 * that its instances share, and where that is no proof by a disk of its own, which is left alone then. An address that was
 * seen with another hypervisor alone may still be this one's as well (behind NAT).
 */
async function openByOthers(
  { storage, pools, clock, timeoutMs }: CutOffParts,
  { host, instances, asProofWithinMs }: CutOffRequest,
  book: AddressBook,
  within: (limitMs: number) => Limits,
): Promise<string | null> {
  const images = imagesOf(instances, pools);
  const limits = within(readMs(images.length, timeoutMs));
  const [list, { watchers, locks }] = await Promise.all([
    storage.blocklist(limits),
    readDisks(storage, images, limits),
  ]);
  if (list.kind === 'cannot-tell') return `whom Ceph blocks could not be read: ${list.reason}`;
  const isBlocked = blockedBy(list.entries, clock.nowMs());
  const mayBeElsewhere = (image: string) => asProofWithinMs === undefined || isVolume(image);
  const isNobody = (address: string, image: string) =>
    isBlocked(address) || (mayBeElsewhere(image) && book.whose(address, host) === 'elsewhere');
  return (
    othersIn('open', watchers, isNobody) ??
    othersIn('locked', locks, isNobody) ??
    (asProofWithinMs === undefined ? null : notHere(instances, pools, watchers))
  );
}

/** A disk that is on no pool of this Ceph can be written to by who is cut off from it, in words; null: none is. */
function notHere(
  instances: readonly Asked[],
  pools: readonly string[],
  watchers: ByImage<ImageClients>,
): string | null {
  const [first] = missingDisks(instances, pools, watchers);
  if (first === undefined) return null;
  const disk = first.volume === null ? 'the disk' : `volume-${first.volume}`;
  return `${disk} of instance ${first.instance.id} is in none of these pools`;
}

function othersIn(
  how: 'open' | 'locked',
  listed: ByImage<ImageClients>,
  isNobody: (address: string, image: string) => boolean,
): string | null {
  for (const [image, found] of listed) {
    if (found.kind === 'cannot-tell') return unreadText(image, how, found);
    if (found.kind === 'absent') continue;
    const other = found.clients.find(({ address }) => address === null || !isNobody(address, image));
    if (other !== undefined)
      return `${image} is ${how} by ${other.address ?? 'an address that Ceph does not tell'}, which is not blocked`;
  }
  return null;
}

const failed = (what: string, { reason }: CannotTell): CutOffResult => ({
  done: false,
  why: `${what}: ${reason}`,
});
