// Job `refresh-inventory`: reads the whole cloud and replaces the stored inventory.

import type { Hosts } from '../../shared/documents/inventory.ts';
import type { Handlers } from '../../shared/documents/jobs/contracts.ts';
import { errorText, OperationalError } from '../../shared/ground/errors.ts';
import type { Log } from '../../shared/ground/log.ts';
import { CloudError } from '../cloud/cloud.ts';
import { type FencingPlan, planGaps } from '../fencing/plan.ts';
import { type Earlier, type RefreshedInventory, refreshInventory } from './refresh-inventory.ts';
import type { WorkerParts } from './worker-parts.ts';

/** Servers are refreshed when asked, and when they are older than this (the original's rule). */
const serversAgeMs = 600_000;
const serversAheadMs = 60_000;

export function refreshHandler(parts: WorkerParts): Handlers['refresh-inventory'] {
  const { clock, log } = parts;
  return async (data, signal) => {
    const startedAtMs = clock.nowMs();
    try {
      const { hosts, servers } = await refresh(parts, data.servers, signal);
      return {
        ok: true,
        collectedAtMs: hosts.collectedAtMs,
        serversCollectedAtMs: servers?.collectedAtMs ?? null,
        hypervisors: hosts.hypervisors.length,
        servers: servers?.servers.length ?? null,
        tookMs: clock.nowMs() - startedAtMs,
      };
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      log.warn({ error: errorText(error) }, 'the inventory could not be refreshed; the previous one stays');
      return { ok: false, detail: errorText(error) };
    }
  };
}

/** Reads the whole cloud and replaces the stored inventory in one step. */
export async function refresh(
  parts: WorkerParts,
  askedForServers: boolean,
  signal: AbortSignal,
): Promise<RefreshedInventory> {
  const { cloud, clock, inventory, openstack, log } = parts;
  await parts.keepHashes();
  const serversAtMs = askedForServers ? null : await serversBefore(parts);
  // What is from the future was never read; a little ahead is another machine's clock.
  const ageMs = serversAtMs === null ? null : clock.nowMs() - serversAtMs;
  const servers = ageMs === null || ageMs > serversAgeMs || ageMs < -serversAheadMs;
  const earlier = await inventoryBefore(parts);
  const blocked = parts.blockedHosts(signal);
  // Awaited when the cloud is read; until then its failure is nobody's.
  blocked.catch(() => undefined);
  const fencingPlans = await parts.fencingPlans();
  const options = { servers, externalNetworks: openstack.externalNetworks, earlier, fencingPlans };
  const read = await refreshInventory(cloud, openstack.cloud, options, clock, signal);
  const cutOff = (await blocked).map((one) => ({ ...one, addresses: [...one.addresses] }));
  const refreshed = { ...read, hosts: { ...read.hosts, cutOff } };
  sayOddities(inventory, refreshed.oddities, log);
  // Told by the servers' half only, and not gone because that half was left alone.
  if (refreshed.networkOddities !== null) sayOddities(openstack, refreshed.networkOddities, log);
  if (parts.fencingPlan !== null) sayGaps(parts.fencingPlan, refreshed.hosts, log);
  await inventory.write(refreshed.hosts, refreshed.servers);
  return refreshed;
}

/** When the servers were read last; null: never, or what stands there is nothing that this version reads. */
async function serversBefore({ inventory }: WorkerParts): Promise<number | null> {
  try {
    return await inventory.serversCollectedAtMs();
  } catch (error) {
    if (error instanceof OperationalError) return null;
    throw error;
  }
}

/** Nothing when there is none, or one that this version cannot read and is about to replace. */
async function inventoryBefore({ inventory, log }: WorkerParts): Promise<Earlier> {
  const none: Earlier = { agents: [], hypervisors: [] };
  try {
    const picture = await inventory.read();
    return picture === null ? none : { agents: [...picture.agents], hypervisors: [...picture.hypervisors] };
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    log.info({ error: errorText(error) }, 'the inventory from before cannot be read');
    return none;
  }
}

/** What was odd the last time, by inventory or configuration: each is said once, and again when it was gone meanwhile. */
const saidOddities = new WeakMap<object, readonly string[]>();

function sayOddities(about: object, oddities: readonly string[], log: Log): void {
  const said = saidOddities.get(about) ?? [];
  for (const oddity of oddities) if (!said.includes(oddity)) log.warn(oddity);
  saidOddities.set(about, oddities);
}

/** After a recovery the stored servers are wrong; who asks sonny in the next minutes should see where they are. */
export async function showMoved(parts: WorkerParts, signal: AbortSignal): Promise<void> {
  try {
    await refresh(parts, true, signal);
  } catch (error) {
    parts.log.info({ error: errorText(error) }, 'the inventory could not be refreshed after the evacuation');
  }
}

/** What was said of a plan last: it is said once, and again when it is something else. */
const saidGaps = new WeakMap<FencingPlan, string>();

function sayGaps(plan: FencingPlan, hosts: Hosts, log: Log): void {
  const gaps = planGaps(plan, hosts);
  const text = gaps.join('\n');
  if (saidGaps.get(plan) === text) return;
  saidGaps.set(plan, text);
  for (const gap of gaps) log.warn(gap);
}
