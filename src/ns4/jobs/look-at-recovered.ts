// Job `look-at-recovered`: is a host that was recovered heard again, and has its nova-compute cleared up? What the scan
// hears is told also while the cloud does not answer: that is when hosts come back by themselves.

import type { Server } from '../../shared/documents/inventory.ts';
import type { Handlers } from '../../shared/documents/jobs/contracts.ts';
import type { AskedAbout, Shown } from '../../shared/documents/jobs/look-at-recovered.ts';
import type { ScanResult, ScanTarget } from '../../shared/documents/jobs/scan.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import { noServers } from '../../shared/picture/reading.ts';
import { hostTarget, spread } from '../../shared/rules/controls.ts';
import { guestTarget, standingOf } from '../../shared/rules/guests.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { clearingOf, hasMoved, type Records, recordsOf } from './cloud-about-recovered.ts';
import { Questions } from './questions.ts';
import type { WorkerParts } from './worker-parts.ts';

export function lookAtRecoveredHandler(parts: WorkerParts): Handlers['look-at-recovered'] {
  const { cloud, clock, inventory, log, settings } = parts;
  return async ({ hosts }, signal) => {
    const shown = await lookAtRecovered(hosts, {
      ...{ cloud, clock, signal, ...settings.scan },
      inventory: (left) => inventory.read(() => ({ ...noServers, hosts: left })),
      scan: (targets) => {
        const request = { targets, controls: [] };
        const own = { name: settings.scan.name, scan: () => parts.look(request, signal) };
        return parts.lookTogether({ ...request, requestedAtMs: clock.nowMs() }, own, signal);
      },
    });
    const reasons = new Set(Object.values(shown).flatMap(({ unknown }) => unknown ?? []));
    for (const reason of reasons)
      log.warn(`hosts that were recovered could not be looked at in full: ${reason}`);
    return { ok: true, hosts: shown };
  };
}

interface Means {
  readonly cloud: Pick<
    Cloud,
    'listAgents' | 'listComputeServices' | 'listEvacuations' | 'listServers' | 'readServer' | 'clockSkewMs'
  >;
  readonly clock: Clock;
  readonly hypervisorPorts: readonly number[];
  readonly instancePorts: readonly number[];
  readonly signal: AbortSignal;
  /** What is stored, with the servers of these hosts. */
  inventory(left: readonly string[]): Promise<Picture | null>;
  /** Only an answer counts, so no controls are probed along. */
  scan(targets: ScanTarget[]): Promise<ScanResult>;
}

/** Instances that are left on hosts and asked with one scan. */
const mostLeft = 100;

/** What is known of each before the scan. */
interface Before {
  readonly asked: AskedAbout;
  readonly questions: Questions;
  readonly left: readonly Server[];
  readonly records: Records;
}

/** What each of them shows, as far as it can be known now. */
export async function lookAtRecovered(
  hosts: readonly AskedAbout[],
  means: Means,
): Promise<Record<string, Shown>> {
  const picture = await means.inventory(hosts.filter(({ hasLeft }) => hasLeft).map(({ host }) => host));
  const before = await Promise.all(
    hosts.map(async (asked): Promise<Before> => {
      const questions = new Questions(means);
      const [left, records] = await Promise.all([
        leftOn(asked, picture, means.cloud, questions),
        recordsOf(asked.host, picture, means.cloud, questions),
      ]);
      return { asked, questions, left, records };
    }),
  );
  const left = spread(
    before.flatMap((one) => one.left),
    mostLeft,
  );
  const targets = [
    ...hosts.map(({ host }) => hostTarget(host, picture?.hypervisor(host)?.address ?? null, means)),
    ...left.map((server) => guestTarget(server, means.instancePorts)),
  ];
  const result = await means.scan(targets.filter(({ endpoints }) => endpoints.length > 0));
  const entries = await Promise.all(
    before.map(async (one) => [one.asked.host, await shownOf(one, left, result, means.cloud)] as const),
  );
  return Object.fromEntries(entries);
}

async function shownOf(
  { asked, questions, records }: Before,
  left: readonly Server[],
  scan: ScanResult,
  cloud: Means['cloud'],
): Promise<Shown> {
  const finding = scan.ok ? scan.targets[asked.host] : undefined;
  const answers = finding?.state === 'answers' ? finding.detail : null;
  const answering = left.filter(({ id, host }) => host === asked.host && isAnswering(scan, id));
  if (!scan.ok) questions.failed(scan.detail);
  const isHeard = answers !== null || answering.length > 0 || hasMoved(records, asked);
  return {
    ...{ ...records, answers, guests: answering.map(({ name }) => name) },
    clearing: isHeard ? await clearingOf(asked.host, cloud, questions) : null,
    unknown: questions.unanswered,
  };
}

const isAnswering = (scan: ScanResult, name: string): boolean =>
  scan.ok && scan.targets[name]?.state === 'answers';

/**
 * What Nova has now on a host from which not all was moved; with the addresses that are stored, as only a refresh asks
 * Neutron for them. Nobody, where Nova does not tell: what is stored may have moved, and would answer from elsewhere.
 */
async function leftOn(
  { host, hasLeft }: AskedAbout,
  picture: Picture | null,
  cloud: Means['cloud'],
  questions: Questions,
): Promise<readonly Server[]> {
  if (picture === null || !hasLeft) return [];
  const now = await questions.ask((signal) => cloud.listServers(signal, host));
  const isHere = new Set(now?.filter((s) => standingOf(s).tells !== 'nothing').map(({ id }) => id));
  return picture.serversOf(host).filter(({ id }) => isHere.has(id));
}
