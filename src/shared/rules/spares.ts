// Which compute service may take over a dead one's instances. The monitor chooses by it, ns4 asks the same again with
// fresh facts before the first change.
import { type Hypervisor, isMarkedSpare, kindOfAgent } from '../documents/inventory.ts';
import { marksTarget, recoveryMarkOf } from '../documents/terms/disabled-reason.ts';
import type { Picture } from '../picture/picture.ts';
import { heartbeatOf } from './senses/heartbeat.ts';

interface SpareQuestion {
  readonly dead: Hypervisor;
  readonly spare: Hypervisor;
  /** Its servers must have been listed: counts of nothing would call every spare empty. */
  readonly picture: Picture;
  readonly heartbeatPeriodMs: number;
  readonly nowMs: number;
}

/**
 * Why `spare` cannot take over from `dead`, as words that follow its name ("is in zone b, not a"); null when it can.
 * The original's rule: same zone, service up and disabled as a spare, same aggregate, no vCPU used, at least as many
 * vCPUs. Beyond it: the reason begins with "spare" ("waiting for spare part" is none), every aggregate of the dead host
 * counts (Nova's scheduler checks the target against all of them and would leave instances in ERROR), its network
 * agents must be alive (Nova would call a guest without network a success), and its memory must hold what was in use.
 */
export function spareShortcoming(q: SpareQuestion): string | null {
  const { dead, spare } = q;
  if (spare.host === dead.host) return 'is the dead hypervisor itself';
  if (spare.status !== 'disabled') return 'is enabled, so not set aside as a spare';
  if (!isMarkedSpare(spare)) return 'is disabled, but its reason does not begin with "spare"';
  if (spare.state !== 'up') return 'has its nova-compute down';
  if (spare.zone !== dead.zone) return `is in zone ${spare.zone}, not ${dead.zone}`;
  const missing = dead.aggregates.filter((name) => !spare.aggregates.includes(name));
  if (missing.length > 0) return `is not in aggregate ${missing.join(', ')}`;
  const instances = q.picture.instancesOn(spare.host);
  if (instances > 0) return `has ${instances} instances on it`;
  if (spare.vcpusUsed > 0) return `has ${spare.vcpusUsed} vCPUs in use`;
  if (spare.vcpus < dead.vcpus) return `has ${spare.vcpus} vCPUs, fewer than ${dead.vcpus}`;
  if (spare.memoryMb < dead.memoryMbUsed)
    return `has ${spare.memoryMb} MB of memory, less than the ${dead.memoryMbUsed} MB in use`;
  return agentShortcoming(spare.host, q);
}

/** What is wrong with the network agents of a target; null: nothing. Clouds without any do without. */
function agentShortcoming(
  host: string,
  { picture, nowMs, heartbeatPeriodMs }: Pick<SpareQuestion, 'picture' | 'nowMs' | 'heartbeatPeriodMs'>,
): string | null {
  const agents = picture.agentsOf(host);
  const withAgents = picture.hypervisors.some((h) => picture.agentsOf(h.host).length > 0);
  if (agents.length === 0) return withAgents ? 'has no network agent' : null;
  const late = agents.find(
    (agent) => kindOfAgent(agent) === 'reports' && nowMs - agent.heartbeatAtMs > heartbeatPeriodMs,
  );
  if (late) return `has a silent network agent (${late.binary})`;
  const { readings } = heartbeatOf(host, picture, nowMs, { heartbeatPeriodMs });
  const ovn = readings.find(({ sense }) => sense.name === 'ovn')?.reading;
  return ovn?.says === 'silent' ? `has a silent network agent (${ovn.why})` : null;
}

/**
 * Is `target` the host that an earlier recovery of `dead` went to, as the mark on `dead` says, and enabled since? Then
 * it is expected to be partly filled, and what is left on `dead` goes there as well: parts of it may run there already.
 */
export function isGoneOnWith(dead: Hypervisor, target: Hypervisor): boolean {
  const mark = dead.forcedDown && dead.status === 'disabled' ? recoveryMarkOf(dead.disabledReason) : null;
  return mark !== null && marksTarget(mark, target.host) && target.status === 'enabled';
}

/**
 * Why a host that was a spare, or is one of many, cannot take instances of `dead` now, as words that follow its name;
 * null when it can.
 */
export function targetShortcoming(q: SpareQuestion): string | null {
  const { dead, spare } = q;
  if (spare.host === dead.host) return 'is the dead hypervisor itself';
  if (spare.state !== 'up') return 'has its nova-compute down';
  return agentShortcoming(spare.host, q);
}
