// What an ICMP error says of the target, by who sent it: a host's own is an answer, that of a router on the way is silence
// or says nothing, that of this machine is its own trouble. In a guest's name routers send them, too. Pure.
import { z } from 'zod';
import type { ScanTarget } from '../../shared/documents/jobs/scan.ts';
import { type Probe, slowErrorMs } from './probe.ts';

/** What icmp-offender.py tells of one connect; its first lines say what the fields mean. */
export const offenceSchema = z.object({
  id: z.number().int(),
  end: z.enum(['open', 'refused', 'icmp', 'error', 'none']),
  errno: z.string().nullable(),
  tookMs: z.number(),
  by: z.enum(['target', 'self', 'other']).optional(),
  offender: z.string().optional(),
  version: z.union([z.literal(4), z.literal(6)]).optional(),
  type: z.number().int().optional(),
  code: z.number().int().optional(),
});
export type Offence = z.infer<typeof offenceSchema>;

/** What a router says when it knows no way to the target, "type code": RFC 792, RFC 1812 (5.2.7.1), RFC 4443 (3.1). */
const noWay: Readonly<Record<4 | 6, ReadonlySet<string>>> = {
  // Net or host unreachable (0, 1, 11, 12 for a type of service), unknown (6, 7), isolated (8); time exceeded.
  4: new Set(['3 0', '3 1', '3 6', '3 7', '3 8', '3 11', '3 12', '11 0']),
  // No route (0), address unreachable (3); time exceeded. Prohibited (1), beyond scope (2), by policy (5), reject route
  // (6) say what a router may, not what is behind it.
  6: new Set(['1 0', '1 3', '3 0']),
};
/** What a kernel tells itself when nobody answers ARP, or neighbour discovery. */
const noNeighbour: Readonly<Record<4 | 6, string>> = { 4: '3 1', 6: '1 3' };

/** The probe's end, after it was asked who ended it. `kind`: what was probed; unknown is like a host. */
export function probeOf(offence: Offence, kind: ScanTarget['kind']): Probe {
  const { end, errno, by, offender, version, type, code, tookMs } = offence;
  const isError = (end === 'icmp' || end === 'refused') && version !== undefined;
  if (end === 'open' || (end === 'refused' && !isError)) return { state: end, code: null };
  const name = errno ?? 'an error of unknown origin';
  if (!isError) return { state: 'unknown', code: name };
  const said = `${type} ${code}`;
  switch (by) {
    case 'target': {
      const isNoWay = noWay[version].has(said);
      if (kind !== 'guest' && !isNoWay)
        return { state: end === 'refused' ? 'refused' : 'prohibited', code: null };
      // A router that rewrites addresses (Neutron's, with floating ones) puts the guest's on its own errors as well. Nobody
      // knows no way to himself; a host's packet filter may say so, hence the doubt.
      const state = kind === 'guest' && isNoWay ? 'silent' : 'unknown';
      return { state, code: `${name} in its own name` };
    }
    case 'other': {
      const state = noWay[version].has(said) ? 'silent' : 'unknown';
      return { state, code: `${name} from ${offender}` };
    }
    default: {
      // A slow one is the missing answer to ARP; a fast one may be this machine's own packet filter.
      const isMissed = said === noNeighbour[version] && tookMs >= slowErrorMs;
      return { state: isMissed ? 'silent' : 'unknown', code: `${name} from this machine` };
    }
  }
}
