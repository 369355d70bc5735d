// What the disks of a host's instances say of the host. An opener that answers is a process that could write now: the
// host lives. Silence counts of those only that answered before, and while disks of others answer. Pure.

import type { ScanFinding } from '../../shared/documents/jobs/scan.ts';
import { shortened } from '../../shared/documents/terms/shortened.ts';
import { counted } from '../../shared/ground/counted.ts';
import { quoted } from '../../shared/ground/plain.ts';
import type { Standing } from '../../shared/rules/guests.ts';
import type { AddressBook } from './address-book.ts';

/** A process that has one of its disks open. */
export interface DiskOpener {
  readonly address: string | null;
  /** Now, when it was asked. */
  readonly answered: boolean;
}

/** What the disks of one instance came to. */
export interface DisksWord {
  /** Of each disk that is there, those that have it open. */
  readonly disks: readonly (readonly DiskOpener[])[];
  /** Why some of them could not be asked; null: all were. */
  readonly trouble: string | null;
}

/** One instance that Nova has on the host, asked by its disks. */
export interface AskedInstance {
  readonly name: string;
  /** What its silence and its answer are worth; see guests.ts. */
  readonly tells: Standing['tells'];
  /** Before this it was another process that answered. */
  readonly launchedAtMs: number | null;
  readonly word: DisksWord;
  /** When a disk of it was last answered for on this very host, ms since the epoch; null: never. */
  readonly answeredAtMs: number | null;
}

interface DisksCase {
  readonly host: string;
  readonly instances: readonly AskedInstance[];
  readonly book: AddressBook;
  /** Instances on other hosts that answered before, asked at the same time. */
  readonly others: { readonly asked: number; readonly answered: number };
  readonly nowMs: number;
}

/** What answered longer ago than this says nothing of now. */
const answeredWithinMs = 86_400_000;
const mostNamed = 3;

/**
 * As of a scan's target: answers, with how many and by whom; silent; unknown, with `neverHeard` where none of them ever
 * answered before.
 */
export function judgeDisks(about: DisksCase): ScanFinding {
  const { host, instances, book, others } = about;
  const isOpenHere = ({ tells, word }: AskedInstance) => openHere(word, host, book, tells).length > 0;
  const open = instances.filter(isOpenHere);
  if (open.length > 0) return { state: 'answers', detail: openText(open, about) };
  const troubled = instances.find(({ word }) => word.trouble !== null);
  if (troubled !== undefined)
    return { state: 'unknown', detail: `${quoted(troubled.name)}: ${troubled.word.trouble}` };
  const witnesses = instances.filter((one) => isWitness(one, about));
  if (witnesses.length === 0)
    return { state: 'unknown', neverHeard: true, detail: 'no disk of it ever answered on Ceph' };
  if (others.answered === 0) {
    const asked = others.asked === 0 ? 'could be asked' : `answers either (${others.asked} asked)`;
    return { state: 'unknown', detail: `no disk of another hypervisor ${asked}` };
  }
  return {
    state: 'silent',
    detail: `${counted(witnesses.length, 'instance')} asked twice, while ${others.answered} of ${others.asked} on other hypervisors answer`,
  };
}

/**
 * Openers that answer and may be this host's. One that is in migration may be open at its destination, of which nothing
 * may be known: only the host's own address counts.
 */
export function openHere(
  { disks }: DisksWord,
  host: string,
  book: AddressBook,
  tells: Standing['tells'] = 'testifies',
): DiskOpener[] {
  return disks.flat().filter(({ address, answered }) => {
    const whose = book.whose(address, host);
    return answered && (whose === 'its-own' || (whose === 'unknown' && tells !== 'nothing'));
  });
}

/**
 * The other hypervisors on which the instance runs: all of its disks are answered for there. A volume that several
 * instances share may be open by another one.
 */
export function openElsewhere({ disks }: DisksWord, host: string, book: AddressBook): string[] {
  const hostsOf = (openers: readonly DiskOpener[]) =>
    openers.flatMap(({ address, answered }) =>
      answered && address !== null && book.whose(address, host) === 'elsewhere' ? book.hostsAt(address) : [],
    );
  const found = disks.map(hostsOf);
  return found.every((hosts) => hosts.length > 0) ? [...new Set(found.flat())] : [];
}

/** For a person who looks for an instance: where its disks are open now, hypervisors by their names where they are known. */
export function openPlaces({ disks }: DisksWord, book: AddressBook): string[] {
  const addresses = disks.flat().flatMap(({ address, answered }) => (answered ? [address] : []));
  return [...new Set(addresses)].map((address) => {
    if (address === null) return 'an address that Ceph does not tell';
    const hosts = book.hostsAt(address);
    return hosts.length === 0 ? address : `${hosts.join(' or ')} (${address})`;
  });
}

/** It runs, answered here since its launch, and is not open anywhere else. */
function isWitness(one: AskedInstance, { host, book, nowMs }: DisksCase): boolean {
  const { tells, answeredAtMs, launchedAtMs, word } = one;
  if (tells !== 'testifies' || answeredAtMs === null) return false;
  const sinceMs = Math.max(launchedAtMs ?? 0, nowMs - answeredWithinMs);
  return answeredAtMs >= sinceMs && openElsewhere(word, host, book).length === 0;
}

function openText(open: readonly AskedInstance[], { host, instances, book }: DisksCase): string {
  const addresses = new Set(
    open.flatMap(({ word, tells }) =>
      openHere(word, host, book, tells).map(({ address }) => address ?? 'an address that Ceph does not tell'),
    ),
  );
  const names = shortened(
    open.map(({ name }) => quoted(name)),
    mostNamed,
  );
  return `the disks of ${open.length} of ${counted(instances.length, 'instance')} are open (${names}), by ${shortened([...addresses], mostNamed)}`;
}
