// Stage: the host is cut off from the disks of its instances, before every evacuation from it. It takes a second, spares
// the new owners the half minute after which Ceph would break the dead one's locks, and outlives the hour for which Ceph
// itself keeps a former owner out.

import { type Refusal, refusalSentence } from '../../../shared/documents/refusals/refusals.ts';
import { OperationalError } from '../../../shared/ground/errors.ts';
import { heardItselfMs } from '../../../shared/rules/senses/heartbeat.ts';
import type { CutOffResult } from '../../disks/cut-off.ts';
import { proofProgress, seenOffBy, stands } from '../../fencing/proof.ts';
import { openThere } from '../guests-still-there.ts';
import type { Recovery, RecoveryStorage, Stage, Turn } from '../recovery.ts';
import { endJournal, stopped } from '../report.ts';
import { DoubtError, renewMs, SignOfLifeError } from '../still-silent.ts';
import { factsFreshMs } from './prove-off.ts';

/** A worker that goes on later does it anew: whoever repairs the host may have taken its entries away since. */
const countsMs = 600_000;

/** The monitor counts on it, and may have found the host dead by its disks: they do not read the same configuration. */
const nobodyCuts = 'the ns4 that took the recovery has no [CEPH], though the monitor has: it needs the same';

export const cutOff: Stage = {
  name: 'cut-off',
  async run(recovery) {
    try {
      return await seeToIt(recovery);
    } catch (error) {
      // A sign of life that comes before anything is blocked.
      if (error instanceof SignOfLifeError || error instanceof DoubtError)
        return without(recovery, error.refusal);
      throw error;
    }
  },
};

async function seeToIt(recovery: Recovery): Promise<Turn> {
  const { order, tools, facts, opened: journal } = recovery;
  const sinceMs = journal.cutOff?.atMs ?? Number.NEGATIVE_INFINITY;
  if (tools.clock.nowMs() - sinceMs <= countsMs) return 'next';
  if (tools.storage === null) return order.cutOffDemanded ? unlessProven(null, recovery, nobodyCuts) : 'next';
  const result = await attempt(tools.storage, recovery);
  if (!result.done) return unlessProven(tools.storage, recovery, result.why);
  journal.cutOff = { atMs: result.atMs, addresses: [...result.addresses] };
  await recovery.lock.save(journal);
  await recovery.tell({ step: 'cut-off', addresses: [...result.addresses] });
  return tools.clock.steadyMs() - facts.askedAtMs > factsFreshMs ? 'again' : 'next';
}

/** @throws as Lock.save; SignOfLifeError and DoubtError before anything is blocked */
function attempt(storage: RecoveryStorage, recovery: Recovery): Promise<CutOffResult> {
  const { tools, facts, lock, signal, stillSilent, opened: journal } = recovery;
  const { dead: host } = journal;
  // What is under way elsewhere may be open there, and is left alone.
  const instances = openThere(host, facts.picture, journal);
  const seenOff = seenOffBy(journal.proof);
  return storage.cutOff({
    ...{ host, instances, signal, seenOff, isProven: isProven(recovery) },
    beforeBlocking: async (addresses) => {
      await stillSilent.confirm(renewMs);
      await recovery.tell({ step: 'cutting-off', addresses: [...addresses], atMs: tools.clock.nowMs() });
      await lock.save(journal);
      signal.throwIfAborted();
    },
  });
}

/** A device or an operator proves the host off: its disks are safe without. */
async function unlessProven(storage: RecoveryStorage | null, recovery: Recovery, why: string): Promise<Turn> {
  const { dead: host } = recovery.opened;
  if (isProven(recovery)) {
    await recovery.tell({ step: 'not-cut-off', detail: why });
    return 'next';
  }
  const isTaken = storage !== null && (await takenAtTheirWord(storage, recovery, why));
  // With a proof it is tried once more: a wrong word is harmless then.
  return isTaken ? 'again' : without(recovery, { name: 'not-cut-off', host, detail: why });
}

/** That it was cut off before is no proof now. */
const isProven = ({ tools, opened: { proof } }: Recovery): boolean =>
  proof?.by !== 'ceph' && stands(proof, tools.clock.nowMs());

/**
 * An operator's word becomes the proof of this recovery, and is used up by it: whoever goes on with it finds the proof in
 * the journal, and the next recovery of this host needs a word of its own. @throws as StillSilent.confirm, Lock.save
 */
async function takenAtTheirWord(storage: RecoveryStorage, recovery: Recovery, why: string): Promise<boolean> {
  const { tools, facts, lock, stillSilent, opened: journal } = recovery;
  const { dead: host } = journal;
  const heardAtMs = heardItselfMs(host, facts.picture, tools.clock.nowMs(), tools.policy);
  const word = await storage.word.of(host, heardAtMs);
  if (word === null) return false;
  // A word switches nothing off: the host may have come back meanwhile.
  await stillSilent.confirm(renewMs);
  journal.proof = { by: 'operator', ...word, failed: [why] };
  await lock.save(journal);
  await storage.word.useUp(host);
  await recovery.tell(proofProgress(journal.proof));
  return true;
}

/** As without a proof of power-off: before the first change it ends, half-way it is tried again. */
async function without(recovery: Recovery, refusal: Refusal): Promise<Turn> {
  const { beginning, opened: journal } = recovery;
  if (beginning.kind === 'anew') return endJournal(recovery, journal, 'refused', refusal);
  if (refusal.name === 'came-back' || refusal.name === 'disks-open')
    return stopped(recovery, journal, refusal);
  throw new OperationalError(refusalSentence(refusal));
}
