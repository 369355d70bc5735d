// The table contract -> handler, and what each handler does beside its core: store, announce, time.

import type { OpenStackSettings, Settings } from '../../shared/config/settings.ts';
import { warrantOf } from '../../shared/documents/assignments.ts';
import type { EventFacts } from '../../shared/documents/events/events.ts';
import { announce } from '../../shared/documents/events/events.ts';
import type { Hosts } from '../../shared/documents/inventory.ts';
import type { Handlers } from '../../shared/documents/jobs/contracts.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import { errorText } from '../../shared/ground/errors.ts';
import type { Log } from '../../shared/ground/log.ts';
import type { InventoryStore } from '../../shared/picture/store.ts';
import type { EventLog } from '../../shared/redis/event-log.ts';
import type { ScanPanel } from '../../shared/vantage-points/ask-all.ts';
import { type Cloud, CloudError } from '../cloud.ts';
import type { Fencing } from '../fencing/fencing.ts';
import { type FencingPlan, planGaps } from '../fencing/plan.ts';
import type { Journals } from '../recovery/journal/journal.ts';
import type { Method } from '../recovery/movers/mover.ts';
import type { EvacuationParts } from '../recovery/report.ts';
import { evacuateHost } from '../recovery/run.ts';
import { scan } from '../scan/scan.ts';
import { type RefreshedInventory, refreshInventory } from './refresh-inventory.ts';

/** Servers are refreshed when asked, and when they are older than this (the original's rule). */
const serversAgeMs = 600_000;

export interface WorkerParts {
  readonly settings: Settings;
  readonly openstack: OpenStackSettings;
  readonly cloud: Cloud;
  readonly method: Method;
  /** Null: no proof is demanded before a recovery. */
  readonly fencing: Fencing | null;
  /** What fencing.yaml says, where there is one. */
  readonly fencingPlan: FencingPlan | null;
  readonly inventory: InventoryStore;
  readonly journals: Journals;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly log: Log;
  /** A scan by this process and every other eye of the cloud. */
  readonly lookTogether: ScanPanel['ask'];
}

/** Everything this worker can be asked for. */
export function handlersOf(parts: WorkerParts): Handlers {
  const { clock, log, settings } = parts;
  return {
    'refresh-inventory': async (data, signal) => {
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
    },
    scan: (data, signal) => scan(data, settings.scan, {}, clock, signal),
    evacuate: async (data, signal) => {
      const report = await evacuateHost(
        { ...data, warrant: warrantOf(data) },
        evacuationParts(parts),
        signal,
      );
      // Not waited for: the monitor and Slack are to hear at once that the instances are back.
      if (report.acted && !signal.aborted) void showMoved(parts, signal);
      return report;
    },
  };
}

/** What an evacuation works with, by job and by hand; `tell` hears everything that is announced. */
export function evacuationParts(
  parts: WorkerParts,
  tell: (facts: EventFacts) => void = () => {},
): EvacuationParts {
  const { cloud, method, fencing, journals, clock, log, settings, openstack } = parts;
  return {
    cloud,
    method,
    fencing,
    journals,
    clock,
    log,
    heartbeatPeriodMs: settings.monitor.heartbeatPeriodMs,
    hypervisorPorts: settings.scan.hypervisorPorts,
    concurrency: openstack.concurrency,
    refresh: async (signal) => {
      const { hosts, servers } = await refresh(parts, true, signal);
      if (servers === null) throw new Error('a refresh with servers brought none');
      return { hosts, servers };
    },
    scan: (request, signal) => {
      const own = { name: settings.scan.name, scan: () => scan(request, settings.scan, {}, clock, signal) };
      return parts.lookTogether({ ...request, requestedAtMs: clock.nowMs() }, own, signal);
    },
    say: async (facts) => {
      tell(facts);
      await say(parts, facts);
    },
  };
}

const saidGaps = new WeakMap<FencingPlan, string>();

/** Once, and again when they are others. */
function sayGaps(plan: FencingPlan, hosts: Hosts, log: Log): void {
  const gaps = planGaps(plan, hosts);
  const text = gaps.join('\n');
  if (saidGaps.get(plan) === text) return;
  saidGaps.set(plan, text);
  for (const gap of gaps) log.warn(gap);
}

/** Reads the whole cloud and replaces the stored inventory in one step. */
export async function refresh(
  parts: WorkerParts,
  askedForServers: boolean,
  signal: AbortSignal,
): Promise<RefreshedInventory> {
  const { cloud, clock, inventory, openstack, log } = parts;
  const serversAtMs = askedForServers ? null : await inventory.serversCollectedAtMs();
  const servers = serversAtMs === null || clock.nowMs() - serversAtMs > serversAgeMs;
  const refreshed = await refreshInventory(cloud, openstack.cloud, { servers }, clock, signal);
  for (const oddity of refreshed.oddities) log.info(oddity);
  if (parts.fencingPlan !== null) sayGaps(parts.fencingPlan, refreshed.hosts, log);
  await inventory.write(refreshed.hosts, refreshed.servers);
  return refreshed;
}

/** After an evacuation the stored servers are wrong; who asks sonny in the next minutes should see where they are. */
export async function showMoved(parts: WorkerParts, signal: AbortSignal): Promise<void> {
  try {
    await refresh(parts, true, signal);
  } catch (error) {
    parts.log.info({ error: errorText(error) }, 'the inventory could not be refreshed after the evacuation');
  }
}

/** An event that cannot be written is no reason to leave instances half-way: the report carries it all again. */
async function say({ events, clock, openstack, log }: WorkerParts, facts: EventFacts): Promise<void> {
  const event = announce(openstack.cloud, clock.nowMs(), facts);
  log[event.level === 'warning' ? 'warn' : event.level]({ kind: facts.kind }, event.text);
  try {
    await events.append([event]);
  } catch (error) {
    log.error({ error: errorText(error) }, 'an event could not be written');
  }
}
