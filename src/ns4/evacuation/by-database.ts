// Method `database`, the original's: rewrite the instances' host and node in Nova's database, then per instance move
// its Placement allocation, rebind its ports and reboot it hard. Unlike the original: the update is conditional and
// parameterised, node is the hypervisor's name, stopped instances get their ports rebound too, Placement is corrected.
import pLimit from 'p-limit';
import { errorText } from '../../shared/errors.ts';
import { CloudError } from '../cloud.ts';
import type { NovaDatabase } from '../nova-database.ts';
import type { JournalEntry } from './journal.ts';
import { expectedStatus } from './look.ts';
import { endInstance, type Method, unfinished, type Work } from './work.ts';

/** States in which Nova accepts a hard reboot (nova.compute.vm_states.ALLOW_HARD_REBOOT), and stopped, which needs none. */
const movable = new Set(['active', 'stopped', 'paused', 'suspended', 'error']);
const pollMs = 500;
const instanceLimitMs = 300_000;
/** Attempts of the steps that may safely be repeated (allocation, ports, reboot) when OpenStack does not take them. */
const mostAttempts = 5;
const retryPauseMs = 2_000;

export function byDatabase(database: Pick<NovaDatabase, 'moveInstances'>): Method {
  return {
    name: 'database',
    async move(work) {
      await skipImmovable(work);
      await rewriteHosts(work, database);
      const limit = pLimit(work.concurrency);
      const results = await Promise.allSettled(
        unfinished(work.incident).map((entry) => limit(() => bringUp(work, entry))),
      );
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    },
  };
}

/** Instances Nova could not start again by a reboot, and those a Nova evacuation already moves, stay where they are. */
async function skipImmovable(work: Work): Promise<void> {
  const evacuations = await work.cloud.listEvacuations(work.incident.dead, work.signal);
  const underWay = new Set(
    evacuations.filter((m) => ['accepted', 'pre-migrating'].includes(m.status)).map((m) => m.instanceId),
  );
  for (const entry of unfinished(work.incident)) {
    if (entry.attempts > 0) continue;
    const { vmState } = entry.before;
    const why = underWay.has(entry.id)
      ? 'a Nova evacuation of it is under way'
      : movable.has(vmState)
        ? null
        : `Nova refuses a hard reboot in vm_state ${vmState}`;
    if (why !== null) await endInstance(work, entry, { outcome: 'skipped', why, after: null });
  }
}

/** One transaction for all; what is no longer on the dead hypervisor is left alone. */
async function rewriteHosts(work: Work, database: Pick<NovaDatabase, 'moveInstances'>): Promise<void> {
  const { incident, dead, spare } = work;
  const entries = unfinished(incident);
  if (entries.length === 0) return;
  await work.confirmSilence();
  incident.acted = true;
  for (const entry of entries) {
    entry.state = 'asking';
    entry.attempts += 1;
    entry.askedAtMs ??= work.clock.nowMs();
  }
  await work.ownership.save(incident);
  work.signal.throwIfAborted();
  const moved = await database.moveInstances(
    {
      ids: entries.map((entry) => entry.id),
      from: { host: dead.host, node: dead.name },
      to: { host: spare.host, node: spare.name },
    },
    work.signal,
  );
  const elsewhere = new Map(moved.elsewhere.map(({ id, host }) => [id, host]));
  const here = new Set([...moved.moved, ...moved.already]);
  for (const entry of entries) {
    if (here.has(entry.id)) entry.state = 'asked';
    else {
      const host = elsewhere.get(entry.id);
      const why = host ? `Nova has it on ${host} now` : 'it was deleted meanwhile';
      await endInstance(work, entry, { outcome: 'skipped', why, after: null });
    }
  }
  await work.ownership.save(incident);
}

/** Ports, reboot, Placement, and the proof that it runs on the spare. */
async function bringUp(work: Work, entry: JournalEntry): Promise<void> {
  try {
    await repeat(work, () => rebind(work, entry));
    const wanted = expectedStatus(entry.before.vmState);
    if (wanted === 'ACTIVE') await repeat(work, () => reboot(work, entry));
    await rebook(work, entry);
    await proof(work, entry, wanted);
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    await endInstance(work, entry, { outcome: 'failed', why: errorText(error), after: null });
  }
}

/** Where Placement counts an instance matters to later scheduling, not to this instance: no reason to leave it down. */
async function rebook(work: Work, entry: JournalEntry): Promise<void> {
  const { cloud, dead, spare, signal, incident, log } = work;
  try {
    await repeat(work, () => cloud.moveAllocation(entry.id, dead.name, spare.name, signal));
  } catch (error) {
    if (!(error instanceof CloudError) || signal.aborted) throw error;
    log.warn({ instance: entry.id, error: errorText(error) }, 'its allocation could not be moved');
    const step = `Placement does not count ${entry.name} on ${spare.name} (${error.message}); please correct it`;
    await work.say({
      kind: 'evacuation-step',
      ...{ incident: incident.id, dead: incident.dead, spare: incident.spare, step },
    });
  }
}

async function rebind({ cloud, spare, signal }: Work, entry: JournalEntry): Promise<void> {
  for (const port of await cloud.listPorts({ instanceId: entry.id }, signal))
    if (port.host !== spare.host) await cloud.bindPort(port.id, spare.host, signal);
}

/** A reboot whose answer was lost is looked for first; a second one on the same host would only delay. */
async function reboot(work: Work, entry: JournalEntry): Promise<void> {
  const { cloud, signal, ownership, incident } = work;
  const server = await cloud.readServer(entry.id, signal);
  if (server === null || server.taskState?.startsWith('reboot')) return;
  await work.confirmSilence();
  await ownership.save(incident);
  signal.throwIfAborted();
  await cloud.hardReboot(entry.id, signal);
}

/** Every step here may be done twice without harm, so an unknown outcome is simply tried again. */
async function repeat(work: Work, action: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action();
    } catch (error) {
      const final = !(error instanceof CloudError) || error.outcome === 'refused' || attempt >= mostAttempts;
      if (final) throw error;
      work.log.warn({ error: errorText(error) }, 'will be tried again');
      await work.clock.sleep(retryPauseMs, work.signal);
    }
  }
}

async function proof(work: Work, entry: JournalEntry, wanted: 'ACTIVE' | 'SHUTOFF'): Promise<void> {
  const { cloud, clock, signal, spare } = work;
  const sinceMs = clock.nowMs();
  for (;;) {
    const server = await cloud.readServer(entry.id, signal);
    if (server === null)
      return endInstance(work, entry, { outcome: 'skipped', why: 'it was deleted meanwhile', after: null });
    const ports = await cloud.listPorts({ instanceId: entry.id }, signal);
    const astray = ports.find((p) => p.host !== spare.host || p.vifType === 'binding_failed');
    const settled = server.host === spare.host && server.taskState === null && server.status === wanted;
    if (settled && !astray)
      return endInstance(work, entry, { outcome: 'recovered', why: null, after: server.status });
    if (
      clock.nowMs() - sinceMs > instanceLimitMs ||
      (server.status === 'ERROR' &&
        server.taskState === null &&
        server.fault !== null &&
        entry.before.status !== 'ERROR')
    ) {
      const why =
        server.fault ??
        (astray
          ? `its port ${astray.id} is ${astray.vifType} on ${astray.host}`
          : `it is ${server.status} (${server.taskState ?? 'no task'}) on ${server.host}`);
      return endInstance(work, entry, { outcome: 'failed', why, after: server.status });
    }
    await clock.sleep(pollMs, signal);
  }
}
