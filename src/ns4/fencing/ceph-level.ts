// The built-in fence level `ceph`: the host is cut off from Ceph, which hits no machine and switches nothing. It is done
// again as often as it is asked for, as that harms nobody; but not once its entries were taken away by somebody, who then
// has the host in his hands.
import type { FenceFailure } from '../../shared/documents/refusals/of-recoveries.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import type { Asked } from '../disks/ask-instances.ts';
import type { CutOffResult } from '../disks/cut-off.ts';
import { builtIn, type CephLevel } from './plan.ts';
import type { PowerSeen } from './proof.ts';
import type { Shots } from './shots.ts';

/** What the level asks of Ceph. */
export interface CephFence {
  /**
   * Entries, barrier, and nobody else has the disks, all within `timeoutMs`: only then it is done. Rejects with the
   * signal's reason, as `beforeBlocking` does, or without Redis.
   */
  cutOff(request: {
    readonly host: string;
    /** Whose disks must be on this Ceph, and open to nobody who is not blocked. */
    readonly instances: readonly Asked[];
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
    beforeBlocking(addresses: readonly string[]): Promise<void>;
  }): Promise<CutOffResult>;
  /**
   * Off: all these addresses are blocked; on: one is not. Null: those of the last time, or else those that it has now.
   * Rejects with the signal's reason, or without Redis.
   */
  stillCut(
    host: string,
    addresses: readonly string[] | null,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<PowerSeen>;
}

interface CutOffCall {
  readonly level: CephLevel;
  readonly host: string;
  readonly incident: string;
  readonly instances: readonly Asked[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** When an operator gave his word; null: nobody did. A newer one than the last cut has it done again in any case. */
  readonly wordAtMs: number | null;
  /** The last thing before anything is blocked; `keep`: see NextShot. */
  beforeBlocking(addresses: readonly string[], keep: () => Promise<void>): Promise<void>;
}

export type CephResult =
  | {
      readonly off: true;
      readonly atMs: number;
      readonly addresses: readonly string[];
      readonly output: string;
    }
  | { readonly off: false; readonly failure: FenceFailure };

/** For one look at the list of entries. */
const lookMs = 5_000;

/** Rejects as CephFence.cutOff does, or by `beforeBlocking`. */
export async function cutOffAsLevel(
  call: CutOffCall,
  { ceph, shots, clock }: { readonly ceph: CephFence; readonly shots: Shots; readonly clock: Clock },
): Promise<CephResult> {
  const { host, incident, level, instances, timeoutMs, signal, wordAtMs } = call;
  const failed = (failure: FenceFailure['failure'], detail: string): CephResult => ({
    off: false,
    failure: { agent: builtIn, failure, detail },
  });
  const last = await shots.last(host, incident, level.number, 0);
  const isOfThis = last?.agent === builtIn;
  if (isOfThis && last.seenOff && (wordAtMs ?? Number.NEGATIVE_INFINITY) <= last.atMs) {
    const seen = await ceph.stillCut(host, null, Math.min(lookMs, timeoutMs), signal);
    if (seen.says === 'on') return failed('lifted', seen.said);
  }
  const keep = (effect: 'taken' | 'unknown', seenOff: boolean) => {
    const shot = { level: level.number, device: 0, agent: builtIn, atMs: clock.nowMs(), effect };
    return shots.record(host, incident, { ...shot, seenOff: seenOff || (isOfThis && last.seenOff) });
  };
  const result = await ceph.cutOff({
    ...{ host, instances, timeoutMs, signal },
    beforeBlocking: (addresses) => call.beforeBlocking(addresses, () => keep('unknown', false)),
  });
  if (!result.done) return failed('not-cut-off', result.why);
  await keep('taken', true);
  const { addresses, atMs } = result;
  return { off: true, atMs, addresses, output: cutText(addresses) };
}

/** For people. */
export const cutText = (addresses: readonly string[]): string =>
  `${addresses.join(', ')} blocked, every placement group knows it, and nobody else has its disks`;
