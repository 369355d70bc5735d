// Job `look-at-recovered`: is a host that was recovered heard again, and has its nova-compute cleared up?

import pLimit from 'p-limit';
import { kindOfAgent, type Server } from '../../shared/documents/inventory.ts';
import type { Handlers } from '../../shared/documents/jobs/contracts.ts';
import type { AskedAbout, Shown } from '../../shared/documents/jobs/look-at-recovered.ts';
import type { ScanResult, ScanTarget } from '../../shared/documents/jobs/scan.ts';
import { errorText } from '../../shared/ground/errors.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import { noServers } from '../../shared/picture/reading.ts';
import { hostTarget, spread } from '../../shared/rules/controls.ts';
import { guestTarget, standingOf } from '../../shared/rules/guests.ts';
import { type Cloud, CloudError, type MigrationRecord } from '../cloud/cloud.ts';
import type { WorkerParts } from './worker-parts.ts';

export function lookAtRecoveredHandler(parts: WorkerParts): Handlers['look-at-recovered'] {
  const { cloud, clock, inventory, log, settings } = parts;
  return async ({ hosts }, signal) => {
    try {
      const shown = await lookAtRecovered(hosts, {
        ...{ cloud, signal, ...settings.scan },
        inventory: (left) => inventory.read(() => ({ ...noServers, hosts: left })),
        scan: (targets) => {
          const request = { targets, controls: [] };
          const own = { name: settings.scan.name, scan: () => parts.look(request, signal) };
          return parts.lookTogether({ ...request, requestedAtMs: clock.nowMs() }, own, signal);
        },
      });
      return { ok: true, hosts: shown };
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      log.warn({ error: errorText(error) }, 'cannot look at the hosts that were recovered');
      return { ok: false, detail: errorText(error) };
    }
  };
}

interface Means {
  readonly cloud: Pick<
    Cloud,
    'listAgents' | 'listComputeServices' | 'listEvacuations' | 'listServers' | 'readServer' | 'clockSkewMs'
  >;
  readonly hypervisorPorts: readonly number[];
  readonly instancePorts: readonly number[];
  readonly signal: AbortSignal;
  /** What is stored, with the servers of these hosts. */
  inventory(left: readonly string[]): Promise<Picture | null>;
  /** Only an answer counts, so no controls are probed along. */
  scan(targets: ScanTarget[]): Promise<ScanResult>;
}

/** Unfinished evacuations whose instances are read by name, of one host; more are named by their ids. */
const mostRead = 200;
const readsAtOnce = 8;
/** Instances that are left on hosts and asked with one scan. */
const mostLeft = 100;

/** @throws CloudError when one of the questions is not answered */
export async function lookAtRecovered(
  hosts: readonly AskedAbout[],
  means: Means,
): Promise<Record<string, Shown>> {
  const picture = await means.inventory(hosts.filter(({ hasLeft }) => hasLeft).map(({ host }) => host));
  const left = await leftOn(hosts, picture, means);
  const targets = [
    ...hosts.map(({ host }) => hostTarget(host, picture?.hypervisor(host)?.address ?? null, means)),
    ...left.map((server) => guestTarget(server, means.instancePorts)),
  ];
  const [result, ...shown] = await Promise.all([
    means.scan(targets.filter(({ endpoints }) => endpoints.length > 0)),
    ...hosts.map((asked) => recordsOf(asked, picture, means)),
  ]);
  const entries = await Promise.all(
    hosts.map(async (asked, i) => {
      const records = shown[i];
      if (records === undefined) throw new Error(`nobody looked at ${asked.host}`);
      const finding = result.ok ? result.targets[asked.host] : undefined;
      const answers = finding?.state === 'answers' ? finding.detail : null;
      const answering = left.filter(({ id, host }) => host === asked.host && isAnswering(result, id));
      const isHeard = answers !== null || answering.length > 0 || hasMoved(records, asked);
      const clearing = isHeard ? await clearingOf(asked.host, means) : null;
      return [
        asked.host,
        { ...records, answers, guests: answering.map(({ name }) => name), clearing },
      ] as const;
    }),
  );
  return Object.fromEntries(entries);
}

const isAnswering = (scan: ScanResult, name: string): boolean =>
  scan.ok && scan.targets[name]?.state === 'answers';

/**
 * What Nova has now on those hosts from which not all was moved; with the addresses that are stored, as only a refresh
 * asks Neutron for them.
 */
async function leftOn(
  hosts: readonly AskedAbout[],
  picture: Picture | null,
  { cloud, signal }: Means,
): Promise<Server[]> {
  if (picture === null) return [];
  const left = await Promise.all(
    hosts
      .filter(({ hasLeft }) => hasLeft)
      .map(async ({ host }) => {
        const now = await cloud.listServers(signal, host);
        const isHere = new Set(now.filter((s) => standingOf(s).tells !== 'nothing').map(({ id }) => id));
        return picture.serversOf(host).filter(({ id }) => isHere.has(id));
      }),
  );
  return spread(left.flat(), mostLeft);
}

type Records = Pick<Shown, 'heartbeatAtMs' | 'reportedAtMs'>;

/**
 * Agents that report themselves are asked for now, under the names that they have in Neutron. Of OVN's rows only a
 * comparison with earlier ones tells, which every refresh of the inventory makes.
 */
async function recordsOf(
  { host }: AskedAbout,
  picture: Picture | null,
  { cloud, signal }: Means,
): Promise<Records> {
  const known = picture?.agentsOf(host) ?? [];
  const names = [...new Set([host, ...known.map(({ statedHost }) => statedHost)])].filter(
    (name) => name !== '',
  );
  const [services, ...lists] = await Promise.all([
    cloud.listComputeServices(signal, host),
    ...names.map((name) => cloud.listAgents(signal, name)),
  ]);
  const skewMs = cloud.clockSkewMs();
  const beats = lists
    .flat()
    .filter((agent) => kindOfAgent(agent) === 'reports' && names.includes(agent.host))
    .map(({ heartbeatAtMs }) => heartbeatAtMs - skewMs);
  const heard = known.flatMap(({ ovn }) => (ovn?.says === 'alive' ? (ovn.heardAtMs ?? []) : []));
  const reportedAtMs = services.find((service) => service.host === host)?.reportedAtMs ?? null;
  return {
    heartbeatAtMs: beats.length + heard.length === 0 ? null : Math.max(...beats, ...heard),
    reportedAtMs: reportedAtMs === null ? null : reportedAtMs - skewMs,
  };
}

const hasMoved = (records: Records, { sinceMs, reportedAtMs }: AskedAbout): boolean =>
  (records.heartbeatAtMs ?? 0) > sinceMs ||
  (reportedAtMs !== null && (records.reportedAtMs ?? 0) > reportedAtMs);

/** Nova sets `completed` when the source's nova-compute has been started again and destroyed what it ran. */
const isOpen = ({ status }: MigrationRecord): boolean =>
  !['completed', 'failed', 'error', 'cancelled'].includes(status);

async function clearingOf(host: string, { cloud, signal }: Means): Promise<Shown['clearing']> {
  const [migrations, listed] = await Promise.all([
    cloud.listEvacuations(host, signal),
    cloud.listServers(signal, host),
  ]);
  const open = [...new Set(migrations.filter(isOpen).map(({ instanceId }) => instanceId))];
  const limit = pLimit(readsAtOnce);
  const read = await Promise.all(
    open.slice(0, mostRead).map((id) =>
      limit(async () => {
        // The record of one that was deleted meanwhile stays as it is for ever.
        const server = await cloud.readServer(id, signal);
        return server === null ? [] : [{ id, name: server.name }];
      }),
    ),
  );
  return {
    unfinished: [...read.flat(), ...open.slice(mostRead).map((id) => ({ id, name: id }))],
    recorded: [...new Set(migrations.map(({ instanceId }) => instanceId))],
    listed: listed.length,
  };
}
