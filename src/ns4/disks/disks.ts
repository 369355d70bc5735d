// The disks of instances as a sense: what a scan's target of kind `disks` finds, and whether one instance may be asked
// for elsewhere.
import type { Server } from '../../shared/documents/inventory.ts';
import type { ScanFinding, ScanTarget } from '../../shared/documents/jobs/scan.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import { errorText } from '../../shared/ground/errors.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import type { ServersWanted } from '../../shared/picture/reading.ts';
import { standingOf } from '../../shared/rules/guests.ts';
import type { Storage } from '../storage/storage.ts';
import { AddressBook } from './address-book.ts';
import { type Asked, type AskedWord, askInstances, askMs } from './ask-instances.ts';
import {
  type AskedInstance,
  type DiskOpener,
  judgeDisks,
  openElsewhere,
  openHere,
  openPlaces,
} from './judge.ts';
import type { Answered, OpenedStore } from './opened-store.ts';

/** Between the two times that silent disks are asked: a client that lost its connection has it again by then. */
const againMs = 2_000;
/** Instances on other hypervisors that are asked along. */
const mostOthers = 10;
/** They must have answered in one of the last background rounds. */
const othersWithinMs = 900_000;

/** Instance ids with the instances' own words. */
type Known = ReadonlyMap<string, Answered>;

export interface DisksParts {
  readonly storage: Pick<Storage, 'ask'>;
  readonly pools: readonly string[];
  readonly store: Pick<OpenedStore, 'of' | 'elsewhere' | 'addresses'>;
  readonly inventory: { read(wants: (picture: Picture) => ServersWanted): Promise<Picture | null> };
  readonly clock: Clock;
}

/** What may be done for an instance whose disks were asked just before. */
export type MayMove =
  | { readonly kind: 'closed' }
  /** Some process that may be the host's answers; `isOwn`: from an address that was seen with this host alone. */
  | { readonly kind: 'open'; readonly on: string; readonly isOwn: boolean }
  /** It runs on other hypervisors, named. */
  | { readonly kind: 'elsewhere'; readonly hosts: readonly string[] }
  /** Its disk is not on this storage, and whoever starts it elsewhere makes it anew: why, in words. */
  | { readonly kind: 'absent'; readonly why: string }
  | { readonly kind: 'cannot-tell'; readonly why: string };

/** An instance that is to be started elsewhere. */
export type AskedToMove = Asked & Pick<Server, 'bootsFromImage'>;

const notAsked: AskedWord = { disks: [], trouble: 'it was not asked', images: [], isDiskAbsent: false };

/** Where Nova does not tell what it boots from, whoever has no volume has a disk. */
const hasDiskOfItsOwn = ({ bootsFromImage, volumes }: AskedToMove): boolean =>
  bootsFromImage ?? volumes.length === 0;

const absentText = (pools: readonly string[]): string =>
  `its disk is on none of these pools (${pools.join(', ')}): an evacuation would make it anew from its image`;

export class Disks {
  readonly #parts: DisksParts;

  constructor(parts: DisksParts) {
    this.#parts = parts;
  }

  /** The finding for a target of kind `disks`. Rejects with the signal's reason only. */
  async look({ disksOf }: ScanTarget, signal: AbortSignal): Promise<ScanFinding> {
    if (disksOf === undefined)
      return { state: 'unknown', detail: 'nobody is named whose disks are to be asked' };
    try {
      return await this.#look(disksOf.host, disksOf.instances, signal);
    } catch (error) {
      signal.throwIfAborted();
      return { state: 'unknown', detail: `its disks could not be asked: ${errorText(error)}` };
    }
  }

  async #look(host: string, only: readonly string[] | null, signal: AbortSignal): Promise<ScanFinding> {
    const { inventory, store, clock } = this.#parts;
    const picture = await inventory.read(() => ({ hosts: [host], sample: [], enough: () => true }));
    if (picture === null) return { state: 'unknown', detail: 'there is no inventory' };
    const servers = picture.serversOf(host).filter(({ id }) => only === null || only.includes(id));
    const [known, addresses, others] = await Promise.all([
      store.of(servers.map(({ id }) => id)),
      store.addresses(),
      store.elsewhere(new Set([host]), clock.nowMs() - othersWithinMs, mostOthers),
    ]);
    const about = { host, servers, known, others, book: new AddressBook(addresses, clock.nowMs()) };
    const first = await this.#ask(about, signal);
    if (first.state !== 'silent') return first;
    await clock.sleep(againMs, signal);
    return this.#ask(about, signal);
  }

  async #ask(
    about: {
      readonly host: string;
      readonly servers: readonly Server[];
      readonly known: Known;
      readonly others: readonly Answered[];
      readonly book: AddressBook;
    },
    signal: AbortSignal,
  ): Promise<ScanFinding> {
    const { storage, pools, clock } = this.#parts;
    const { host, servers, known, others, book } = about;
    const [words, othersWord] = await Promise.all([
      askInstances(storage, pools, servers, signal),
      this.#askOthers(others, signal),
    ]);
    const instances = servers.map((server): AskedInstance => {
      const before = known.get(server.id);
      return {
        name: server.name,
        tells: standingOf(server).tells,
        launchedAtMs: server.launchedAtMs,
        word: words.get(server.id) ?? notAsked,
        answeredAtMs: before?.host === host ? before.atMs : null,
      };
    });
    return judgeDisks({ host, instances, book, others: othersWord, nowMs: clock.nowMs() });
  }

  async #askOthers(
    others: readonly Answered[],
    signal: AbortSignal,
  ): Promise<{ asked: number; answered: number }> {
    const images = others.flatMap(({ images: [first] }) => first ?? []);
    const answers = await this.#parts.storage.ask(images, { timeoutMs: askMs, signal });
    const answered = [...answers.values()].filter(
      (answer) => answer.kind === 'asked' && answer.openers.some((one) => one.answered),
    );
    return { asked: images.length, answered: answered.length };
  }

  /** Asks one instance, right before it is started elsewhere. Rejects with the signal's reason only. */
  async mayMove(instance: AskedToMove, host: string, signal: AbortSignal): Promise<MayMove> {
    const { storage, pools, store, clock } = this.#parts;
    try {
      const [words, addresses] = await Promise.all([
        askInstances(storage, pools, [instance], signal),
        store.addresses(),
      ]);
      const word = words.get(instance.id) ?? notAsked;
      const book = new AddressBook(addresses, clock.nowMs());
      const isOwn = ({ address }: DiskOpener) => book.whose(address, host) === 'its-own';
      const all = openHere(word, host, book);
      const open = all.find(isOwn) ?? all[0];
      if (open !== undefined)
        return { kind: 'open', on: open.address ?? 'an address that Ceph does not tell', isOwn: isOwn(open) };
      const hosts = openElsewhere(word, host, book);
      if (hosts.length > 0) return { kind: 'elsewhere', hosts };
      if (word.trouble !== null) return { kind: 'cannot-tell', why: word.trouble };
      const isMadeAnew = word.isDiskAbsent && hasDiskOfItsOwn(instance);
      return isMadeAnew ? { kind: 'absent', why: absentText(pools) } : { kind: 'closed' };
    } catch (error) {
      signal.throwIfAborted();
      return { kind: 'cannot-tell', why: errorText(error) };
    }
  }

  /**
   * Where the disks of an instance that is left alone are open now, as words for whoever looks for it; null: none of them
   * is on this Ceph. Rejects with the signal's reason only.
   */
  async whereOpen(instance: Asked, signal: AbortSignal): Promise<string | null> {
    const { storage, pools, store, clock } = this.#parts;
    const untold = (why: string) => `where its disks are open cannot be told: ${why}`;
    try {
      const [words, addresses] = await Promise.all([
        askInstances(storage, pools, [instance], signal),
        store.addresses(),
      ]);
      const word = words.get(instance.id) ?? notAsked;
      const places = openPlaces(word, new AddressBook(addresses, clock.nowMs()));
      if (places.length > 0) return `its disks are open at ${places.join(', ')}`;
      if (word.trouble !== null) return untold(word.trouble);
      return word.disks.length === 0 ? null : 'nobody who answers has its disks open';
    } catch (error) {
      signal.throwIfAborted();
      return untold(errorText(error));
    }
  }
}
