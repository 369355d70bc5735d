// How far a recovery is: facts, and the one sentence for each.

import { z } from 'zod';
import { quoted } from '../../ground/plain.ts';
import { list } from './words.ts';

export const progressSchema = z.discriminatedUnion('step', [
  /** A fence device is about to be told to power the dead host off; told each time, so `atMs` is part of it. */
  z.object({ step: z.literal('powering-off'), agent: z.string(), level: z.number().int(), atMs: z.number() }),
  /** The host was heard although its device proved it off; the device says again that it is off. */
  z.object({
    step: z.literal('late-heartbeat'),
    evidence: z.string(),
    agent: z.string(),
    level: z.number().int(),
  }),
  /** Half-way a target is in trouble: it is waited for. */
  z.object({ step: z.literal('target-awaited'), target: z.string(), why: z.string(), forMs: z.number() }),
  /** A fence device proved the dead host off; `failed`: how the levels before it failed, as sentences. */
  z.object({
    step: z.literal('powered-off'),
    agent: z.string(),
    /** From 1. */
    level: z.number().int(),
    failed: z.array(z.string()),
  }),
  /** Its crash kernel reported to a listener (fence_kdump), and its silence was confirmed since. */
  z.object({
    step: z.literal('crash-kernel-reported'),
    agent: z.string(),
    level: z.number().int(),
    failed: z.array(z.string()),
  }),
  /** An operator's confirmation, given at `atMs`, is the proof. */
  z.object({
    step: z.literal('confirmed-off'),
    who: z.string(),
    atMs: z.number(),
    failed: z.array(z.string()),
  }),
  /** The addresses from which the host opens disks are about to be blocked. */
  z.object({ step: z.literal('cutting-off'), addresses: z.array(z.string()), atMs: z.number() }),
  /**
   * They are, and everybody on whom its disks depend is seen to know that; none: it has no disks there. `by`: the fence
   * level whose proof it is; absent: it was done beside another proof, or in place of any.
   */
  z.object({
    step: z.literal('cut-off'),
    addresses: z.array(z.string()),
    by: z.object({ agent: z.string(), level: z.number().int(), failed: z.array(z.string()) }).optional(),
  }),
  /** That failed, and something else proves the host off. */
  z.object({ step: z.literal('not-cut-off'), detail: z.string() }),
  z.object({ step: z.literal('forced-down') }),
  /** The compute services of `enabled` are enabled; so many instances are moved from now on. */
  z.object({ step: z.literal('moving'), instances: z.number().int(), enabled: z.array(z.string()) }),
  /** Nova has not begun with the first instance for this target yet; so many others wait for that. */
  z.object({
    step: z.literal('canary-waits'),
    instance: z.string(),
    target: z.string(),
    waiting: z.number().int(),
  }),
  /** No further request leaves. */
  z.object({ step: z.literal('stopped') }),
  /** They answer although their host is off `by` a device, or somebody's word: nothing is asked for them. */
  z.object({ step: z.literal('guests-answer'), instances: z.array(z.string()), by: z.string() }),
  /** Nova's database did not take the move; it is tried again for so long. */
  z.object({ step: z.literal('database-away'), detail: z.string(), retryForMs: z.number() }),
  /** Placement still counts an instance elsewhere than on the hypervisor that runs it now. */
  z.object({
    step: z.literal('allocation-wrong'),
    instance: z.string(),
    hypervisor: z.string(),
    detail: z.string(),
  }),
]);
/** One step of a recovery, as it is noted in the journal and told. */
export type Progress = z.infer<typeof progressSchema>;

/** The words for it, without a full stop; `dead` is the host that is recovered. */
export function progressText(dead: string, p: Progress): string {
  switch (p.step) {
    case 'powering-off':
      return `${dead} is being powered off (${p.agent}, level ${p.level})`;
    case 'late-heartbeat':
      return `${dead} was heard (${p.evidence}), but ${p.agent}, level ${p.level}, says again that it is off: a late report, its recovery goes on`;
    case 'target-awaited':
      return `${p.target} ${p.why.replace(/^it /, '')}: waiting for it, ${p.forMs / 60_000} minutes at most`;
    case 'powered-off':
      return `${dead} is powered off (${p.agent}, level ${p.level})${failedText(p.failed)}`;
    case 'crash-kernel-reported':
      return `${dead} crashed: its crash kernel reported (${p.agent}, level ${p.level}), so that its guests are dead; it is left to write its dump${failedText(p.failed)}`;
    case 'confirmed-off':
      return `${dead} is off by the word of ${p.who}, ${new Date(p.atMs).toISOString().slice(0, 19)}Z${failedText(p.failed)}`;
    case 'cutting-off':
      return `${dead} is being cut off from Ceph (${p.addresses.join(', ')})`;
    case 'cut-off':
      return p.addresses.length === 0
        ? `${dead} has no disks on Ceph to be cut off from`
        : `${dead} is cut off from Ceph (${p.by === undefined ? '' : `${p.by.agent}, level ${p.by.level}: `}${p.addresses.join(', ')} blocked, by every placement group)${failedText(p.by?.failed ?? [])}`;
    case 'not-cut-off':
      return `${dead} could not be cut off from Ceph (${p.detail}); it is proven off otherwise`;
    case 'forced-down':
      return `${dead} is forced down and disabled`;
    case 'moving':
      return `${p.enabled.length === 0 ? '' : `${p.enabled.join(', ')} is enabled, `}evacuating ${p.instances} instances`;
    case 'canary-waits':
      return `Nova does not begin with ${quoted(p.instance)} on ${p.target} (of another cell?); ${p.waiting} more wait for that`;
    case 'stopped':
      return 'stopped';
    case 'guests-answer':
      return `${list(p.instances.map((name) => quoted(name)))} ${p.instances.length === 1 ? 'answers' : 'answer'} although ${dead} is off by ${p.by}: THE PROOF IS WRONG, unless they run elsewhere. Left alone; please look at once`;
    case 'database-away':
      return `${p.detail}; tried again for ${p.retryForMs / 60_000} minutes`;
    case 'allocation-wrong':
      return `Placement does not count ${quoted(p.instance)} on ${p.hypervisor} (${p.detail}); please correct it`;
  }
}

const failedText = (failed: readonly string[]): string =>
  failed.length === 0 ? '' : ` (before: ${failed.join('; ')})`;
