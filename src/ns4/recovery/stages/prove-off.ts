// Stage: proof before recovery. Between the permission and the first change the dead host is fenced, unless the journal
// carries its proof already. Without proof nothing is changed.

import type { ScanResult } from '../../../shared/documents/jobs/scan.ts';
import { type Refusal, refusalSentence } from '../../../shared/documents/refusals/refusals.ts';
import { errorText, OperationalError } from '../../../shared/ground/errors.ts';
import { differingPlans } from '../../../shared/rules/fencing-plans.ts';
import { heardItselfMs } from '../../../shared/rules/senses/heartbeat.ts';
import { CloudError } from '../../cloud/cloud.ts';
import { UnreadableBystandersError } from '../../fencing/bystanders.ts';
import type { Fencing } from '../../fencing/fencing.ts';
import { proofProgress, stands } from '../../fencing/proof.ts';
import { openThere } from '../guests-still-there.ts';
import type { Recovery, Stage, Turn } from '../recovery.ts';
import { endJournal, stopped } from '../report.ts';
import { DoubtError, renewMs, SignOfLifeError } from '../still-silent.ts';
import { RightMachine, WrongMachineError, wrongDevice } from './right-machine.ts';
import { takenBefore } from './taken-before.ts';

/** Facts older than this are collected again before the first change. */
export const factsFreshMs = 20_000;

export const proveOff: Stage = {
  name: 'prove-off',
  async run(recovery) {
    const { order, tools, facts, opened: journal } = recovery;
    if (tools.fencing === null)
      return order.proofDemanded ? withoutProof(recovery, nobodyFences(order.dead)) : 'next';
    const earlier = journal.proof;
    const unproven = await fence(tools.fencing, recovery);
    if (unproven !== null) return withoutProof(recovery, unproven);
    if (journal.proof !== null) await recovery.tell(proofProgress(journal.proof));
    // Powering off took its time: what the permission rests on is asked again. The proof stands meanwhile.
    const tookLong = tools.clock.steadyMs() - facts.askedAtMs > factsFreshMs;
    return journal.proof !== earlier && tookLong ? 'again' : 'next';
  },
};

/** Why the host's own silence is no evidence, as of the facts; null: it is. */
function noSilenceOf(host: string, scan: ScanResult): string | null {
  if (!scan.ok) return scan.detail;
  const finding = scan.targets[host];
  return finding?.state === 'silent' ? null : (finding?.detail ?? 'it was not scanned');
}

/**
 * Sees to it that the journal carries a proof that its host is off. Null when it does; otherwise why there is none:
 * `fence-failed`, the sign of life that came between two levels, or that another machine fell silent at a shot.
 * @throws as Lock.save, when this worker may not (any more) power anything off
 */
async function fence(fencing: Fencing, recovery: Recovery): Promise<Refusal | null> {
  const { tools, facts, lock, signal, stillSilent, opened: journal } = recovery;
  const host = journal.dead;
  /** Another ns4 with another plan may have come at any time: asked before each `off`. */
  const onePlan = async () => {
    const refusal = differingPlans([host], await tools.fencingPlans(), { fencing: 'required' });
    if (refusal !== null) throw new DoubtError(refusal);
  };
  /** What was begun bears this recovery's mark. */
  const nobodysWork = async () => {
    if (recovery.beginning.kind !== 'anew') return;
    const services = await tools.cloud.listComputeServices(signal, host);
    for (const service of services.filter((one) => one.host === host)) {
      const refusal = takenBefore(recovery, service);
      if (refusal !== null) throw new DoubtError(refusal);
    }
  };
  const machine = new RightMachine(fencing.bystanders, recovery);
  const unproven = async (why: Refusal): Promise<Refusal> => (await machine.afterFailure()) ?? why;
  try {
    const doubt = await machine.doubtBefore();
    if (stands(journal.proof, tools.clock.nowMs())) return null;
    await onePlan();
    const outcome = await fencing.fence({
      host,
      signal,
      right: lock.right,
      incident: recovery.order.incident,
      instances: openThere(host, facts.picture, journal),
      heardAtMs: heardItselfMs(host, facts.picture, tools.clock.nowMs(), tools.policy),
      doubtedSinceMs: doubt?.atMs ?? null,
      noSilence: noSilenceOf(host, facts.scan),
      beforeOff: async ({ agent, number: level, blocks, keep }) => {
        // The first level follows the fresh facts; by the next one the host may live again, and is not to be shot. Who
        // is cut off from Ceph loses no power, so that no other machine can fall silent by it.
        const hear = blocks === null ? machine.hear() : null;
        const [heard] = await Promise.all([hear, stillSilent.confirm(renewMs)]);
        await Promise.all([onePlan(), nobodysWork()]);
        const atMs = tools.clock.nowMs();
        await recovery.tell(
          blocks === null
            ? { step: 'powering-off', agent, level, atMs }
            : { step: 'cutting-off', addresses: [...blocks], atMs },
        );
        await lock.save(journal);
        signal.throwIfAborted();
        // A successor of one that is lost between this and the shot does not shoot.
        await machine.keep(heard);
        await keep();
        // The last thing before, and it is Redis' clock by which the lock is held: a machine that was paused with both of
        // its own clocks would shoot minutes later. What follows leaves at once.
        await lock.save(journal);
        signal.throwIfAborted();
      },
    });
    if (!outcome.proven) {
      if (doubt !== null) return wrongDevice(host, doubt);
      return unproven({ name: 'fence-failed', host, levels: [...outcome.failures] });
    }
    // Neither a confirmation nor a blocklist switches anything off: the host may have come back meanwhile.
    if (outcome.proof.by === 'operator' || outcome.proof.by === 'ceph') await stillSilent.confirm(renewMs);
    // Anybody can send a message in a host's name: it counts with the host's silence, asked for after it.
    if (outcome.proof.by === 'crash-kernel') await stillSilent.confirmAnew();
    journal.proof = outcome.proof;
    if (outcome.proof.by === 'ceph') {
      const { atMs, addresses } = outcome.proof;
      journal.cutOff = { atMs, addresses: [...addresses] };
    }
    journal.noneFellAtMs = await machine.noneFellAtMs();
    await lock.save(journal);
    await fencing.kept(host, journal.proof);
    await machine.doubtBefore();
    return null;
  } catch (error) {
    if (error instanceof WrongMachineError) return error.refusal;
    // It lives, or nobody can tell now: the monitor asks again at its next round.
    if (error instanceof SignOfLifeError || error instanceof DoubtError) return unproven(error.refusal);
    if (error instanceof UnreadableBystandersError)
      return {
        name: 'journal-not-believed',
        ...{ host, document: { what: 'bystanders', about: host, why: 'not-understood' } },
      };
    if (error instanceof CloudError)
      return unproven({ name: 'api-unavailable', host, detail: errorText(error) });
    throw error;
  }
}

/**
 * Before the first change the recovery ends, and the monitor asks again at its next round; half-way the order is run
 * again instead, as nothing else would bring the rest back.
 */
async function withoutProof(recovery: Recovery, refusal: Refusal): Promise<Turn> {
  const { beginning, opened: journal } = recovery;
  if (beginning.kind === 'anew') return endJournal(recovery, journal, 'refused', refusal);
  if (refusal.name === 'came-back' || refusal.name === 'wrong-device')
    return stopped(recovery, journal, refusal);
  const inHand =
    refusal.name === 'fence-failed'
      ? refusal.levels.find(({ failure }) => failure === 'switched-on' || failure === 'lifted')
      : undefined;
  if (inHand !== undefined) {
    const evidence =
      inHand.failure === 'lifted'
        ? `somebody lifted that it was cut off from Ceph: ${inHand.detail}`
        : `${inHand.agent} says that it is on, after it was off`;
    return stopped(recovery, journal, { name: 'came-back', host: journal.dead, evidence });
  }
  throw new OperationalError(refusalSentence(refusal));
}

/** The monitor counts on proof, which this ns4 is not set up to have: they do not read the same configuration. */
function nobodyFences(host: string): Refusal {
  const detail = "its [FENCING] mode is none, the monitor's is required";
  return { name: 'fence-failed', host, levels: [{ agent: 'ns4', failure: 'cannot-run', detail }] };
}
