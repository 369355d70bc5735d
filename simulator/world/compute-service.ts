// Changes of a nova-compute service: enable, disable, force down, with Nova's refusals.
import type { ComputeServiceChange } from '../../src/ns4/cloud/cloud.ts';
import type { Host } from './model.ts';
import { ApiRefusal } from './refusal.ts';
import { computeWorks, isServiceUp } from './reports.ts';
import { settle } from './settle.ts';
import type { World } from './world.ts';

/** A service as a request names it by its UUID; Nova's own 404 for an unknown one. */
export function requestedService(world: World, id: string): Host {
  for (const host of world.hosts.values()) if (host.compute.id === id) return host;
  throw new ApiRefusal(404, `Service ${id} could not be found.`);
}

/**
 * Makes the change, or refuses the whole of it. Returns how long Nova blocks before it answers: a nova-compute that
 * it calls up is called, and if that one is dead in truth, the call has to time out.
 */
export function changeService(world: World, host: Host, change: ComputeServiceChange): { blocksMs: number } {
  if (change.status === undefined && change.forcedDown === undefined) {
    throw new ApiRefusal(
      400,
      "No updates were requested. Fields 'status' or 'forced_down' should be specified.",
    );
  }
  if (change.status === 'enabled' && change.disabledReason !== undefined) {
    throw new ApiRefusal(400, "Specifying 'disabled_reason' when status is 'enabled' is invalid.");
  }
  if (change.disabledReason !== undefined && change.status === undefined) {
    throw new ApiRefusal(400, "Specifying 'disabled_reason' requires status 'disabled'.");
  }
  if (change.forcedDown === false && host.forcedDown && evacuatedUncleaned(world, host)) {
    throw new ApiRefusal(
      400,
      `Unable to force up host ${host.name} as \`done\` evacuation migration records remain associated with the host. ` +
        'Ensure the compute service has been restarted, allowing these records to move to `completed` before retrying this request.',
    );
  }
  if (change.forcedDown !== undefined) host.forcedDown = change.forcedDown;
  settle(world, host, false);
  const turned = change.status !== undefined && host.disabled !== (change.status === 'disabled');
  if (change.status !== undefined) {
    host.disabled = change.status === 'disabled';
    host.disabledReason = host.disabled ? (change.disabledReason ?? null) : null;
  }
  // Nova tells nothing to a host that is down in its vantage points: the trait then stays until that host's periodic
  // update.
  if (!turned || !isServiceUp(world, host)) return { blocksMs: 0 };
  if (!computeWorks(world, host)) return { blocksMs: world.settings.durations.disableDeadBlockMs };
  host.disabledTrait = host.disabled;
  return { blocksMs: 0 };
}

/** Somebody sets a host aside: disabled with a reason that names a spare. */
export function setAside(world: World, host: Host, reason = 'spare'): void {
  const setAsideAtMs = world.nowMs;
  Object.assign(host, { disabled: true, disabledReason: reason, disabledTrait: true, setAsideAtMs });
  settle(world, host);
}

/** Somebody gives it back to the scheduler: enabled, and not forced down. */
export function giveBack(world: World, host: Host): void {
  Object.assign(host, { disabled: false, disabledReason: null, disabledTrait: false, forcedDown: false });
  settle(world, host);
}

function evacuatedUncleaned(world: World, host: Host): boolean {
  return world.migrations.some(
    (m) => m.type === 'evacuation' && m.source === host.name && m.status === 'done',
  );
}
