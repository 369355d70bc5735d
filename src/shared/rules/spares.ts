// Which compute service may take over a dead one's instances. The monitor chooses by it, ns4 asks the same again with
// fresh facts before the first change.
import { type Hypervisor, isMarkedSpare } from '../documents/inventory.ts';
import type { Picture } from '../picture/picture.ts';

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
 * The original's rule: same zone, service up and disabled with "spare" in the reason, same aggregate, no vCPU used, at
 * least as many vCPUs. Beyond it: every aggregate of the dead host counts (Nova's scheduler checks the target against
 * all of them and would leave instances in ERROR), its network agents must be alive (Nova would call a guest without
 * network a success), and its memory must hold what was in use.
 */
export function spareShortcoming(q: SpareQuestion): string | null {
  const { dead, spare } = q;
  if (spare.host === dead.host) return 'is the dead hypervisor itself';
  if (spare.status !== 'disabled') return 'is enabled, so not set aside as a spare';
  if (!isMarkedSpare(spare)) return 'is disabled, but its reason does not say "spare"';
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
  const agents = q.picture.agentsOf(spare.host);
  if (agents.length === 0) return 'has no network agent';
  const silent = agents.find((agent) => q.nowMs - agent.heartbeatAtMs > q.heartbeatPeriodMs);
  if (silent) return `has a silent network agent (${silent.binary})`;
  return null;
}
