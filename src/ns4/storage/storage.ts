// The port to the storage that instances have their disks on: who has a disk open, and how a host is kept from writing.
// ceph/ implements it over a real Ceph. Nothing here rejects because of the storage: not to know is an answer.

/**
 * The storage did not answer, or not in time, or not clearly. It says nothing about any opener: never count it as
 * silence, nor as done or not done. `reason`: one clause for people, without a secret.
 */
export interface CannotTell {
  readonly kind: 'cannot-tell';
  readonly reason: string;
  /** The own user may not: so it stays until somebody gives him the caps. */
  readonly denied?: boolean | undefined;
}

/** There is no image of this name in that pool, says the storage. Nobody can have it open. */
interface Absent {
  readonly kind: 'absent';
}

/** A client of the storage: QEMU of one instance, a backup, a live migration's target. */
interface Client {
  /** `client.4107`: never given to another one. */
  readonly client: string;
  /** Tells several openings by one client apart. */
  readonly cookie: string;
  /**
   * The address by which the storage knows it, and by which it is blocked: 10.2.0.1 or fd00::1, never with a port. Null
   * when it could not be found out: the client is there all the same.
   */
  readonly address: string | null;
}

interface Opener extends Client {
  /**
   * True: this very process answered now, so it is alive, reached by the storage, and could write. False: it was asked
   * and did not answer within `openersMs`: dead for less than about 30 s, frozen, or cut off. Silence is no death.
   */
  readonly answered: boolean;
}

/**
 * Who has an image open for writing. No openers: closed in order, blocked, or dead, frozen or cut off for more than about
 * 30 s; who is frozen may wake. Openers that only read are never seen.
 */
export type AskedImage =
  | { readonly kind: 'asked'; readonly openers: readonly Opener[] }
  | Absent
  | CannotTell;

/** Clients that a list names; see the calls for what the list means. */
export type ImageClients =
  | { readonly kind: 'known'; readonly clients: readonly Client[] }
  | Absent
  | CannotTell;

/** Each image that was asked for, by the name it was asked by. */
export type ByImage<T> = ReadonlyMap<string, T>;

export interface BlocklistEntry {
  /** As the storage writes it: 10.2.0.1:0/0 is a whole address, 10.2.0.1:0/3424 one client, 10.2.0.0:0/24 a range. */
  readonly entry: string;
  readonly range: boolean;
  /** By the storage's clock, in ms since the epoch. */
  readonly expiresAtMs: number;
}

export type Blocklist =
  | { readonly kind: 'listed'; readonly epoch: number; readonly entries: readonly BlocklistEntry[] }
  | CannotTell;

/** Done, or cannot-tell: then it may have been done, or may still happen. Doing it again is harmless. */
export type Changed = { readonly kind: 'done' } | CannotTell;

/**
 * Passed: every placement group of the pools has a map at least as new as the newest one at the time of the call, and
 * refuses from then on whoever is blocked in it. What was blocked (and answered with `done`) before the call writes
 * nothing any more; answers that were under way may arrive some 40 ms later.
 */
export type Barrier =
  | {
      readonly kind: 'passed';
      readonly epoch: number;
      readonly placementGroups: number;
      readonly tookMs: number;
    }
  | CannotTell;

export interface StorageFacts {
  readonly kind: 'known';
  /** In its own words. */
  readonly version: string;
  readonly fsid: string;
  readonly epoch: number;
  /** Those configured that exist. */
  readonly pools: readonly { readonly name: string; readonly placementGroups: number }[];
  /** One clause each: pools that are missing, caps that are. Empty when all can be done that will have to be. */
  readonly problems: readonly string[];
}

/**
 * Within which time a call answers, whatever the storage does. When `signal` is aborted, a call rejects with its reason,
 * and for nothing else.
 */
export interface Limits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Images are named `POOL/NAME`, addresses are IP addresses without port or brackets. */
export interface Storage {
  /**
   * Asks all openers of each image now. Openers get `openersMs` to answer; `timeoutMs` must be longer than that by
   * `leastMarginMs`. An image that was not heard of in time is cannot-tell, the others have their answers.
   */
  ask(images: readonly string[], limits: Limits): Promise<ByImage<AskedImage>>;
  /** Who is listed as having it open. A client that died, froze or was cut off stays listed for up to 30 s. */
  watchers(images: readonly string[], limits: Limits): Promise<ByImage<ImageClients>>;
  /** Who owns the exclusive lock: whoever wrote last. It outlives death, freezing, cutting off and blocking. */
  locks(images: readonly string[], limits: Limits): Promise<ByImage<ImageClients>>;
  /**
   * Blocks all clients on these addresses, also those that connect later, for `seconds`. `done` is the monitors' word:
   * only a `barrier` that is asked for afterwards makes it true on every disk.
   */
  block(addresses: readonly string[], seconds: number, limits: Limits): Promise<Changed>;
  /** Takes such entries away; one that is not there is done. */
  unblock(addresses: readonly string[], limits: Limits): Promise<Changed>;
  blocklist(limits: Limits): Promise<Blocklist>;
  /** Over all pools that are configured. */
  barrier(limits: Limits): Promise<Barrier>;
  /** For `--check`. */
  facts(limits: Limits): Promise<StorageFacts | CannotTell>;
  /** Ends whatever it keeps running; calls afterwards are cannot-tell. */
  close(): Promise<void>;
}

/** What openers get to answer: they do so in milliseconds, under load in 150. Ceph counts in whole seconds. */
export const openersMs = 1_000;
/** For finding the openers, and telling. */
export const leastMarginMs = 500;

export const cannotTell = (reason: string): CannotTell => ({ kind: 'cannot-tell', reason });
