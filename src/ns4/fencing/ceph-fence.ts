// What the level `ceph` asks of Ceph, over the port to the storage.
import { stillBlocked } from '../disks/blocked-hosts.ts';
import { type CutOffParts, cutOff } from '../disks/cut-off.ts';
import type { CutOffStore } from '../disks/cut-off-store.ts';
import type { CephFence } from './ceph-level.ts';
import type { PowerSeen } from './proof.ts';

type CephFenceParts = Omit<CutOffParts, 'timeoutMs' | 'cuts'> & {
  readonly cuts: Pick<CutOffStore, 'of' | 'note'>;
};

export function cephFenceOf(parts: CephFenceParts): CephFence {
  return {
    cutOff: ({ timeoutMs, ...request }) =>
      cutOff({ ...parts, timeoutMs }, { ...request, asProofWithinMs: timeoutMs, seenOff: null }),
    async stillCut(host, addresses, timeoutMs, signal): Promise<PowerSeen> {
      const found = await stillBlocked(parts, host, addresses, { timeoutMs, signal });
      if (found.kind === 'cannot-tell') return { says: 'unknown', said: found.reason };
      const { blocked, open } = found;
      if (open.length > 0) return { says: 'on', said: `${open.join(', ')} is not blocked` };
      return blocked.length > 0
        ? { says: 'off', said: `${blocked.join(', ')} blocked` }
        : { says: 'unknown', said: `it is not known from which address ${host} opens disks` };
    },
  };
}
