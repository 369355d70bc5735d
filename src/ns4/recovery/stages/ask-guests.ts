// Whether guests of the dead host answer, asked now. Those whose addresses are known from before are asked while the
// inventory is read anew, as each takes seconds; it then tells which of them still count, and who has to be asked yet.

import type { ScanResult, ScanTarget } from '../../../shared/documents/jobs/scan.ts';
import { errorText } from '../../../shared/ground/errors.ts';
import type { Picture } from '../../../shared/picture/picture.ts';
import {
  answeringOf,
  type GuestsAsked,
  guestsGate,
  guestsStillThere,
  isSameGuest,
} from '../guests-still-there.ts';
import type { Recovery } from '../recovery.ts';

/** What guests are asked before the inventory is read. */
export interface AskedBefore {
  readonly targets: readonly ScanTarget[];
  /** Null: nobody is. Its rejection is to be looked after at once. */
  readonly scan: Promise<ScanResult> | null;
}

export const nobodyAsked: AskedBefore = { targets: [], scan: null };

/** Asks those of the stored inventory; nobody where there is none, or none that can be read. */
export async function askKnownGuests(recovery: Recovery): Promise<AskedBefore> {
  const { order, tools } = recovery;
  const known = await tools.known(order.dead).catch((error: unknown) => {
    tools.log.info({ error: errorText(error) }, 'the inventory from before cannot be read');
    return null;
  });
  const targets = known === null ? [] : targetsIn(recovery, known);
  return { targets, scan: targets.length === 0 ? null : scanGuests(recovery, targets) };
}

/**
 * Whoever of its instances answers lives, and their host with them: by the monitor's verdict, by order and by hand. An
 * answer counts for the instances that `picture` has on the host, at the addresses that they have there now.
 */
export async function askGuests(
  recovery: Recovery,
  picture: Picture,
  before: AskedBefore,
): Promise<GuestsAsked> {
  const targets = targetsIn(recovery, picture);
  const early = targets.filter((target) => before.targets.some((asked) => isSameGuest(asked, target)));
  const late = targets.filter((target) => !early.includes(target));
  const nameOf = namesIn(picture, recovery.order.dead);
  const asked = await Promise.all([
    answersOf(early, before.scan, nameOf),
    answersOf(late, late.length === 0 ? null : scanGuests(recovery, late), nameOf),
  ]);
  return {
    asked: targets.length,
    answering: asked.flatMap(({ answering }) => answering),
    trouble: asked.find(({ trouble }) => trouble !== null)?.trouble ?? null,
  };
}

/** The name of an instance of a host by its id. */
export const namesIn = (picture: Picture, host: string) => (id: string) =>
  picture.serversOf(host).find((server) => server.id === id)?.name ?? id;

function targetsIn(recovery: Recovery, picture: Picture): ScanTarget[] {
  const { order, journal } = recovery;
  return order.despite.includes(guestsGate) ? [] : guestsStillThere(order.dead, picture, journal, recovery);
}

function scanGuests({ tools, controls, signal }: Recovery, targets: ScanTarget[]): Promise<ScanResult> {
  return tools.scan({ targets, controls: [...controls] }, signal);
}

async function answersOf(
  targets: readonly ScanTarget[],
  scan: Promise<ScanResult> | null,
  nameOf: (id: string) => string,
): Promise<Pick<GuestsAsked, 'answering' | 'trouble'>> {
  if (targets.length === 0 || scan === null) return { answering: [], trouble: null };
  const result = await scan;
  return { answering: answeringOf(targets, result, nameOf), trouble: result.ok ? null : result.detail };
}
