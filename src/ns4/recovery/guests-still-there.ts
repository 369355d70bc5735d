// The instances that are still to be moved, as those who may tell that their host lives: whoever of them answers while
// nothing was asked for it yet runs where it always did.

import { isDeepStrictEqual } from 'node:util';
import type { Server } from '../../shared/documents/inventory.ts';
import type { ScanResult, ScanTarget } from '../../shared/documents/jobs/scan.ts';
import { shortened } from '../../shared/documents/terms/shortened.ts';
import { quoted } from '../../shared/ground/plain.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import { spread } from '../../shared/rules/controls.ts';
import { guestTarget, standingOf } from '../../shared/rules/guests.ts';
import type { Journal, JournalEntry } from './journal/journal.ts';
import type { Answering } from './movers/mover.ts';

/** Asked with one scan: more would make it slower, not surer. */
const mostGuests = 100;

/** The gate that an operator waives with the host's name and `--guests-are-elsewhere`. */
export const guestsGate = 'guests-answer' as const;

/** Instances that are named as evidence. */
const mostNamed = 5;

/** What was heard of the instances of a host. */
export interface GuestsAsked {
  readonly asked: number;
  readonly answering: readonly Answering[];
  /** Why nobody could ask them; null: they were asked. */
  readonly trouble: string | null;
}

/** Nothing left for Nova or MySQL yet that could have started it elsewhere. */
export const isUntouched = ({ state, attempts }: JournalEntry): boolean =>
  state === 'pending' && attempts === 0;

/** Instances of the dead host for which nothing was asked yet, and which may have their disks open there. */
export function openThere(
  dead: string,
  picture: Picture,
  journal: Pick<Journal, 'instances'> | null,
): Server[] {
  return picture.serversOf(dead).filter((server) => {
    const entry = journal?.instances[server.id];
    return (entry === undefined || isUntouched(entry)) && standingOf(server).tells !== 'nothing';
  });
}

/** Scan targets for the guests of the dead host for which nothing was asked yet; null: no journal, so for none of them. */
export function guestsStillThere(
  dead: string,
  picture: Picture,
  journal: Pick<Journal, 'instances'> | null,
  { instancePorts }: { readonly instancePorts: readonly number[] },
): ScanTarget[] {
  return guestTargets(openThere(dead, picture, journal), { instancePorts });
}

/** Scan targets for those of these instances that can tell anything by answering. */
export function guestTargets(
  servers: readonly Server[],
  { instancePorts }: { readonly instancePorts: readonly number[] },
): ScanTarget[] {
  const targets = servers
    .filter((server) => standingOf(server).tells !== 'nothing')
    .map((server) => guestTarget(server, instancePorts));
  return spread(
    targets.filter(({ endpoints }) => endpoints.length > 0),
    mostGuests,
  );
}

/** Is it the same instance since the same launch, at the same addresses? Then what one was asked tells of the other. */
export function isSameGuest(a: ScanTarget, b: ScanTarget): boolean {
  if (a.name !== b.name || a.heardSinceMs !== b.heardSinceMs) return false;
  const [ofA, ofB] = [a, b].map(({ endpoints }) =>
    endpoints.map(({ address, port }) => `${address} ${port}`).sort(),
  );
  return isDeepStrictEqual(ofA, ofB);
}

/** Those of these targets that any vantage point heard; a scan that failed or was blind says nothing of the others. */
export function answeringOf(
  targets: readonly ScanTarget[],
  scan: ScanResult,
  nameOf: (id: string) => string,
): Answering[] {
  if (!scan.ok) return [];
  return targets.flatMap(({ name: id }) => {
    const finding = scan.targets[id];
    return finding?.state === 'answers' ? [{ id, name: nameOf(id), on: finding.detail }] : [];
  });
}

/** "its instances vm1, vm2 answer (192.0.2.1:22 open)". */
export const answersText = (answering: readonly Answering[]): string =>
  `${answering.length === 1 ? 'its instance' : 'its instances'} ${shortened(
    answering.map(({ name }) => quoted(name)),
    mostNamed,
  )} ${answering.length === 1 ? 'answers' : 'answer'} (${answering[0]?.on})`;
