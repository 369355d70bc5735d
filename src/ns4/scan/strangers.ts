// Whom a scan that somebody asks for may ask: addresses that the inventory has, and not without end. Pure. Otherwise
// whoever can ask for a scan has a port scanner of wherever this ns4 stands.
import type { ScanFinding, ScanResult, ScanTarget } from '../../shared/documents/jobs/scan.ts';
import type { ScanRequest } from './scan.ts';

/** A table of all senses asks about a thousand hosts at once, with some instances each. */
export const mostTargets = 10_000;
/** Each is a connection; a scan has less than a minute. */
export const mostEndpoints = 100_000;

/** Why it is too much to ask; null: it is not. */
export function tooMuch({ targets, controls }: ScanRequest): string | null {
  const all = [...targets, ...controls];
  if (all.length > mostTargets) return `a scan of ${all.length} targets, ${mostTargets} at most are asked`;
  const endpoints = all.reduce((sum, target) => sum + target.endpoints.length, 0);
  if (endpoints <= mostEndpoints) return null;
  return `a scan of ${endpoints} ports, ${mostEndpoints} at most are asked`;
}

/** All addresses that would be connected to, each once. */
export const addressesIn = ({ targets, controls }: ScanRequest): string[] => [
  ...new Set([...targets, ...controls].flatMap(({ endpoints }) => endpoints.map(({ address }) => address))),
];

/** The request without whoever has one of these addresses. */
export function withoutStrangers(
  { targets, controls }: ScanRequest,
  strangers: ReadonlySet<string>,
): ScanRequest {
  const isKnown = (target: ScanTarget): boolean => strangerOf(target, strangers) === undefined;
  return { targets: targets.filter(isKnown), controls: controls.filter(isKnown) };
}

/** The result, with whoever was left out: unknown, which is no silence. */
export function withStrangers(
  result: ScanResult,
  { targets, controls }: ScanRequest,
  strangers: ReadonlySet<string>,
): ScanResult {
  if (!result.ok) return result;
  const left = (all: readonly ScanTarget[]): Record<string, ScanFinding> =>
    Object.fromEntries(
      all.flatMap((target) => {
        const address = strangerOf(target, strangers);
        return address === undefined ? [] : [[target.name, notAsked(address)]];
      }),
    );
  return {
    ...result,
    targets: { ...result.targets, ...left(targets) },
    controls: { ...result.controls, ...left(controls) },
  };
}

const strangerOf = ({ endpoints }: ScanTarget, strangers: ReadonlySet<string>): string | undefined =>
  endpoints.find(({ address }) => strangers.has(address))?.address;

const notAsked = (address: string): ScanFinding => ({
  state: 'unknown',
  detail: `not asked: ${address} is no address of this cloud`,
});
