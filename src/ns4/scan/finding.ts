// What the probes of one target say together. Pure.
import { isIP } from 'node:net';
import type { ScanSettings } from '../../shared/config/settings.ts';
import type { Endpoint, ScanFinding } from '../../shared/documents/jobs/scan.ts';
import type { Probe } from './probe.ts';

/** An endpoint and what its probe ended with; null when it was not probed to its end. */
export interface Testimony {
  readonly endpoint: Endpoint;
  readonly probe: Probe | null;
}

/** How an answer is told, where the state itself does not. */
const words: Readonly<Partial<Record<Probe['state'], string>>> = {
  prohibited: 'prohibited by the host itself',
};

type RefusedMeans = ScanSettings['refusedMeans'];

/** Does this prove a living host? A refusal does, unless something else may have sent it (`refused = silent`). */
export function isAnswer({ state }: Probe, refusedMeans: RefusedMeans): boolean {
  const isRefusal = state === 'refused' || state === 'prohibited';
  return state === 'open' || (isRefusal && refusedMeans === 'alive');
}

/** One answer is enough; without any, one endpoint that could not be asked makes it unknown; only then it is silent. */
export function judge(testimonies: readonly Testimony[], refusedMeans: RefusedMeans): ScanFinding {
  if (testimonies.length === 0) return { state: 'unknown', detail: 'it has no address to scan' };
  for (const { endpoint, probe } of testimonies)
    if (probe !== null && isAnswer(probe, refusedMeans))
      return { state: 'answers', detail: `${nameOf(endpoint)} ${words[probe.state] ?? probe.state}` };
  for (const { endpoint, probe } of testimonies)
    if (probe === null || probe.state === 'unknown')
      return { state: 'unknown', detail: `${probe?.code ?? 'not probed'} at ${nameOf(endpoint)}` };
  return { state: 'silent', detail: silence(testimonies) };
}

/** "127.0.1.2:22", "[::1]:22". */
export function nameOf({ address, port }: Endpoint): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** "3 ports silent", "127.0.1.2:22 silent (EHOSTUNREACH)", "4 ports on 2 addresses silent (1 refused)". */
function silence(testimonies: readonly Testimony[]): string {
  const counts = new Map<string, number>();
  for (const { probe } of testimonies) {
    // A plain timeout, ours or the kernel's, needs no word.
    const isRefusal = probe?.state === 'refused' || probe?.state === 'prohibited';
    const why = isRefusal ? probe.state : (probe?.code ?? '');
    if (!['', 'no answer', 'ETIMEDOUT'].includes(why)) counts.set(why, (counts.get(why) ?? 0) + 1);
  }
  const [first, ...others] = testimonies;
  const addresses = new Set(testimonies.map(({ endpoint }) => endpoint.address)).size;
  if (first && others.length === 0)
    return `${nameOf(first.endpoint)} silent${counts.size > 0 ? ` (${[...counts.keys()]})` : ''}`;
  const reasons = [...counts].sort().map(([why, count]) => `${count} ${why}`);
  const where = addresses > 1 ? ` on ${addresses} addresses` : '';
  return `${testimonies.length} ports${where} silent${reasons.length > 0 ? ` (${reasons.join(', ')})` : ''}`;
}
