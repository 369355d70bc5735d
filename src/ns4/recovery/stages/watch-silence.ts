// The watch for signs of life of one recovery, wired: whom it asks, from the opening of the journal to the end.

import type { Refusal } from '../../../shared/documents/refusals/refusals.ts';
import { brokenText, offSinceMs, outdatedBecause, stands, voucherText } from '../../fencing/proof.ts';
import { AgentsOfTheDead } from '../agents-of-the-dead.ts';
import { guestsGate, guestsStillThere, isUntouched } from '../guests-still-there.ts';
import type { JournalEntry } from '../journal/journal.ts';
import { type Answering, endInstance } from '../movers/mover.ts';
import type { Recovery } from '../recovery.ts';
import { type ProvingDevice, StillSilent } from '../still-silent.ts';
import { namesIn } from './ask-guests.ts';
import { scanAt } from './fresh-facts.ts';
import { mayBeLate, takeForLate } from './late-report.ts';

export function watchSilence(recovery: Recovery): StillSilent {
  const { order, tools, facts, signal, opened: journal } = recovery;
  const { cloud, clock, policy } = tools;
  const { picture } = facts;
  const address = picture.hypervisor(order.dead)?.address ?? null;
  const suspect = {
    ...order,
    get offSinceMs() {
      return offSinceMs(journal.proof);
    },
  };
  const isWaived = order.despite.includes(guestsGate);
  const { answering } = facts.guests;
  return new StillSilent({
    order: suspect,
    agents: new AgentsOfTheDead(order.dead, picture.agentsOf(order.dead), picture.agents),
    ...{ cloud, clock, signal },
    heartbeatPeriodMs: policy.heartbeatPeriodMs,
    // Whoever answers although his host is off is to be left alone before anything is asked for; and the facts did not
    // ask the device that gave an earlier proof.
    confirmedAtMs:
      answering.length > 0 || journal.proof !== null ? Number.NEGATIVE_INFINITY : facts.askedAtMs,
    scan: (guests) => scanAt(recovery, address, guests),
    guests: () => (isWaived ? [] : guestsStillThere(order.dead, picture, journal, recovery)),
    nameOf: namesIn(picture, order.dead),
    ...proofOf(recovery),
    leaveAlone: (guests) => leaveAlone(recovery, guests, isUntouched),
  });
}

/** The device that gave the proof of the journal, as far as one did; and whether the proof still stands. */
function proofOf(recovery: Recovery): {
  device(): ProvingDevice | null;
  outdatedProof(): Refusal | null;
} {
  const { tools, signal, opened: journal } = recovery;
  const { fencing, clock } = tools;
  let seenOff: { readonly proof: Recovery['opened']['proof']; readonly atMs: number } | null = null;
  const device = (): ProvingDevice | null => {
    const { proof, dead } = journal;
    if (fencing === null || (proof?.by !== 'agent' && proof?.by !== 'ceph')) return null;
    return {
      look: () => fencing.lookAgain(dead, proof, signal),
      onText: (seen) => brokenText(proof, seen),
      saidOff: () => {
        seenOff = { proof, atMs: clock.nowMs() };
      },
      // Who is cut off from Ceph may report at any time: a report tells that it lives.
      mayBeLate: () => proof.by === 'agent' && mayBeLate(journal, clock.nowMs()),
      heardLate: async (evidence, atMs) => {
        if (proof.by === 'agent') await takeForLate(recovery, proof, evidence, atMs);
      },
    };
  };
  const outdatedProof = (): Refusal | null => {
    const { proof, dead } = journal;
    if (fencing === null || proof === null) return null;
    const seenOffAtMs = seenOff?.proof === proof ? seenOff.atMs : proof.atMs;
    if (stands(proof, clock.nowMs(), seenOffAtMs)) return null;
    const agent = proof.by === 'operator' ? voucherText(proof) : proof.agent;
    const level = { agent, failure: 'not-verified', detail: outdatedBecause(proof) } as const;
    return { name: 'fence-failed', host: dead, levels: [level] };
  };
  return { device, outdatedProof };
}

/** Ends those that are meant where they are. Said aloud: either they run elsewhere, or the proof is wrong. */
export async function leaveAlone(
  recovery: Recovery,
  answering: readonly Answering[],
  isMeant: (entry: JournalEntry) => boolean,
): Promise<void> {
  const { opened: journal, tools, lock } = recovery;
  const { proof } = journal;
  const left = answering.filter(({ id }) => {
    const entry = journal.instances[id];
    return entry !== undefined && isMeant(entry);
  });
  if (left.length === 0 || proof === null) return;
  const by = voucherText(proof);
  await recovery.tell({ step: 'guests-answer', instances: left.map(({ name }) => name), by });
  for (const { id, on } of left) {
    const entry = journal.instances[id];
    if (entry === undefined || !isMeant(entry)) continue;
    const why = `it answers (${on}), although its host is off by ${by}`;
    await endInstance({ ...tools, journal, lock }, entry, {
      ...{ outcome: 'skipped', why, after: null, to: null },
    });
  }
}
