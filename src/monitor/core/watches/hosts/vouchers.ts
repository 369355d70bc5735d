// Whose answer lets a guest's silence count: only somebody on the same network tells a dead guest from a network that is
// dark to the scanner. Pure.
import type { ScanResult } from '../../../../shared/documents/jobs/scan.ts';
import type { GuestNetwork } from '../../../../shared/rules/guests.ts';

interface Vouching {
  /** A vantage point must have heard one of each set itself, or the guest's silence does not count there. */
  readonly sets: readonly (readonly string[])[];
  /** Names of its networks on which nobody else could be asked, so that guests elsewhere vouched. */
  readonly alone: readonly string[];
}

/**
 * For each network of a witness the control guests on it. Those that were never heard are nobody to wait for. Where
 * nobody else is on a network all the others vouch, as they do for a witness of unknown networks.
 */
export function vouchersOf(
  networks: readonly GuestNetwork[],
  controlGuests: readonly { readonly target: string; readonly networks: readonly string[] }[],
  controls: (ScanResult & { ok: true })['controls'],
): Vouching {
  const known = controlGuests.filter(({ target }) => controls[target]?.neverHeard !== true);
  const on = ({ id }: GuestNetwork) => known.filter((guest) => guest.networks.includes(id));
  const alone = networks.filter((network) => on(network).length === 0).map(({ name }) => name);
  const sets = networks.map(on).filter((guests) => guests.length > 0);
  if ((alone.length > 0 || networks.length === 0) && known.length > 0) sets.push(known);
  return { sets: sets.map((guests) => guests.map(({ target }) => target)), alone };
}
