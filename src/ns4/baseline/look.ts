// A scan as this vantage point reports it: what answers is noted, and a silence counts only where the baseline allows.
import type { ScanSettings } from '../../shared/config/settings.ts';
import type { ScanFinding, ScanResult, ScanTarget } from '../../shared/documents/jobs/scan.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import { errorText } from '../../shared/ground/errors.ts';
import type { Log } from '../../shared/ground/log.ts';
import { isOfDisks } from '../../shared/rules/disks.ts';
import { withBaseline } from '../../shared/rules/senses/baseline.ts';
import type { Disks } from '../disks/disks.ts';
import { type ScanOptions, type ScanRequest, scan } from '../scan/scan.ts';
import { socketBound } from '../scan/sockets.ts';
import { backgroundSockets } from './background-scan.ts';
import type { HeardStore } from './heard.ts';
import { ofSeveral } from './places.ts';

/** One scan by this vantage point. Rejects with the signal's reason when aborted. */
export type Look = (request: ScanRequest, signal: AbortSignal) => Promise<ScanResult>;

interface LookParts {
  /** Null: Ceph is not asked. */
  readonly disks: Pick<Disks, 'look'> | null;
  readonly settings: Pick<ScanSettings, 'timeoutMs' | 'refusedMeans' | 'controls'>;
  readonly heard: Pick<HeardStore, 'note' | 'lastHeard'>;
  /** What else hears besides TCP; see scan.ts. */
  readonly ears: Pick<ScanOptions, 'offenders' | 'neighbours'>;
  readonly clock: Clock;
  readonly log: Log;
}

export function lookWithBaseline(parts: LookParts): Look {
  const byNetwork = lookByNetwork(parts);
  return async ({ targets, controls }, signal) => {
    const disks = targets.filter(isOfDisks);
    const [seen, asked] = await Promise.all([
      byNetwork({ targets: targets.filter((target) => !isOfDisks(target)), controls }, signal),
      Promise.all(
        disks.map(async (target) => [target.name, await lookAtDisks(parts.disks, target, signal)] as const),
      ),
    ]);
    return seen.ok ? { ...seen, targets: { ...seen.targets, ...Object.fromEntries(asked) } } : seen;
  };
}

/** By [CEPH], which ns4 and monitor should read alike. */
async function lookAtDisks(
  disks: LookParts['disks'],
  target: ScanTarget,
  signal: AbortSignal,
): Promise<ScanFinding> {
  return disks?.look(target, signal) ?? { state: 'unknown', detail: 'this ns4 does not ask Ceph ([CEPH])' };
}

function lookByNetwork({ settings, heard, ears, clock, log }: LookParts): Look {
  return async (request, signal) => {
    const answered = new Set<string>();
    const options: ScanOptions = {
      ...ears,
      maxSockets: socketBound() - backgroundSockets(),
      onHeard: (address) => answered.add(address),
    };
    const seen = await scan(request, settings, options, clock, signal);
    const nowMs = clock.nowMs();
    const owners = ownersOf([...request.targets, ...request.controls]);
    const whose = new Map([...answered].map((address) => [address, owners.get(address) ?? null]));
    const noted = heard.note(whose, nowMs).catch((error) => {
      log.warn({ error: errorText(error) }, 'what was heard could not be noted');
    });
    // Controls as well: one that never answered is nobody to wait for, and must not make its network look dark.
    const findings = { targets: { ...seen.targets }, controls: { ...seen.controls } };
    const silent = (['targets', 'controls'] as const).flatMap((of) =>
      request[of]
        .filter(({ name }) => findings[of][name]?.state === 'silent')
        .map((target) => ({ target, among: findings[of] })),
    );
    try {
      const addresses = silent.flatMap(({ target }) => addressesOf(target));
      const last = await heard.lastHeard([...new Set(addresses)]);
      for (const { target, among } of silent) {
        const answers = addressesOf(target).flatMap((address) => last.get(address) ?? []);
        among[target.name] = withBaseline(among[target.name] as ScanFinding, target, answers, nowMs);
      }
    } catch (error) {
      const detail = `whether it was heard before is not known: ${errorText(error)}`;
      for (const { target, among } of silent) among[target.name] = { state: 'unknown', detail };
    }
    await noted;
    return { ...seen, ...findings };
  };
}

const addressesOf = ({ endpoints }: ScanTarget): string[] => [
  ...new Set(endpoints.map(({ address }) => address)),
];

/** Of which instances the addresses are, as Neutron had them for this scan. */
function ownersOf(targets: readonly ScanTarget[]): Map<string, string> {
  const owners = new Map<string, string>();
  for (const target of targets.filter(({ kind }) => kind === 'guest'))
    for (const address of addressesOf(target)) {
      const other = owners.get(address) ?? target.name;
      owners.set(address, other === target.name ? target.name : ofSeveral);
    }
  return owners;
}
