// Addresses of hypervisors by which nobody can be told dead. Pure.
import type { Hypervisor } from '../../shared/documents/inventory.ts';
import { shortened } from '../../shared/documents/terms/shortened.ts';
import { groupBy } from '../../shared/ground/group-by.ts';

const mostNamed = 3;

/**
 * By service host, as words that follow its name. The scan never finds such a host silent: somebody else answers in its
 * place, or nobody is asked.
 */
export function addressTroubles(
  hypervisors: readonly Pick<Hypervisor, 'host' | 'address'>[],
): ReadonlyMap<string, string> {
  const byAddress = groupBy(
    hypervisors.filter(({ address }) => address !== null),
    ({ address }) => (address ?? '').toLowerCase(),
  );
  const troubles = new Map<string, string>();
  for (const { host, address } of hypervisors) {
    const trouble = troubleOf(host, address, byAddress);
    if (trouble !== null) troubles.set(host, trouble);
  }
  return troubles;
}

function troubleOf(
  host: string,
  address: string | null,
  byAddress: ReadonlyMap<string, readonly { readonly host: string }[]>,
): string | null {
  if (address === null) return 'has no address in Nova (my_ip in its nova.conf), so nobody can scan it';
  if (isEveryMachine(address))
    return `has the address ${address} in Nova (my_ip in its nova.conf), at which whoever scans answers himself`;
  const others = (byAddress.get(address.toLowerCase()) ?? []).filter((one) => one.host !== host);
  if (others.length === 0) return null;
  const names = shortened(
    others.map((one) => one.host),
    mostNamed,
  );
  return `has the address ${address} in Nova, as has ${names}: as long as one of them answers, none is dead`;
}

/**
 * Addresses that name the machine itself everywhere: 127.0.0.1, Debian's 127.0.1.1, ::1, and those that stand for any.
 * The rest of 127/8 is given out by hand, as in a cloud that is all on one machine.
 */
const isEveryMachine = (address: string): boolean =>
  /^((::ffff:)?127\.0\.(0\.\d+|1\.1)|0\.0\.0\.0|::|::1)$/i.test(address);
