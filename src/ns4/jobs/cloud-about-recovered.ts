// What the cloud tells of a host that was recovered: when it was heard last, and whether its nova-compute has cleared up.

import pLimit from 'p-limit';
import { kindOfAgent } from '../../shared/documents/inventory.ts';
import type { AskedAbout, Shown } from '../../shared/documents/jobs/look-at-recovered.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import type { Cloud, MigrationRecord } from '../cloud/cloud.ts';
import type { Questions } from './questions.ts';

/** Unfinished evacuations whose instances are read by name, of one host; more are named by their ids. */
const mostRead = 200;
const readsAtOnce = 8;

export type Records = Pick<Shown, 'heartbeatAtMs' | 'reportedAtMs'>;

/**
 * Agents that report themselves are asked for now, under the names that they have in Neutron. Of OVN's rows only a
 * comparison with earlier ones tells, which every refresh of the inventory makes. What is not answered
 * is null.
 */
export async function recordsOf(
  host: string,
  picture: Picture | null,
  cloud: Pick<Cloud, 'listAgents' | 'listComputeServices' | 'clockSkewMs'>,
  questions: Questions,
): Promise<Records> {
  const known = picture?.agentsOf(host) ?? [];
  const names = [...new Set([host, ...known.map(({ statedHost }) => statedHost)])].filter(
    (name) => name !== '',
  );
  const [services, ...lists] = await Promise.all([
    questions.ask((signal) => cloud.listComputeServices(signal, host)),
    ...names.map((name) => questions.ask((signal) => cloud.listAgents(signal, name))),
  ]);
  const skewMs = cloud.clockSkewMs();
  const beats = lists
    .flatMap((list) => list ?? [])
    .filter((agent) => kindOfAgent(agent) === 'reports' && names.includes(agent.host))
    .map(({ heartbeatAtMs }) => heartbeatAtMs - skewMs);
  const heard = known.flatMap(({ ovn }) => (ovn?.says === 'alive' ? (ovn.heardAtMs ?? []) : []));
  const reportedAtMs = services?.find((service) => service.host === host)?.reportedAtMs ?? null;
  return {
    heartbeatAtMs: beats.length + heard.length === 0 ? null : Math.max(...beats, ...heard),
    reportedAtMs: reportedAtMs === null ? null : reportedAtMs - skewMs,
  };
}

/** Was anything of it heard since the last look? */
export const hasMoved = (records: Records, { sinceMs, reportedAtMs }: AskedAbout): boolean =>
  (records.heartbeatAtMs ?? 0) > sinceMs ||
  (reportedAtMs !== null && (records.reportedAtMs ?? 0) > reportedAtMs);

/** Nova sets `completed` when the source's nova-compute has been started again and destroyed what it ran. */
const isOpen = ({ status }: MigrationRecord): boolean =>
  !['completed', 'failed', 'error', 'cancelled'].includes(status);

/** What Nova has left to clear up there; null: it did not answer. */
export function clearingOf(
  host: string,
  cloud: Pick<Cloud, 'listEvacuations' | 'listServers' | 'readServer'>,
  questions: Questions,
): Promise<Shown['clearing']> {
  return questions.ask(async (signal) => {
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
  });
}
