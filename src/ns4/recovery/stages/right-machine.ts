// Was it the right machine that was switched off? Who else answers is kept before the first `off` of an attempt; after
// the shots, by whatever worker goes on, nothing rests on a device before they were asked again. If somebody fell silent,
// no device of the host is told or believed until an operator says so: another one may be wired to the same machine,
// which is off now and would not be missed again.

import type { Refusal } from '../../../shared/documents/refusals/refusals.ts';
import { refusalSentence } from '../../../shared/documents/refusals/refusals.ts';
import { OperationalError } from '../../../shared/ground/errors.ts';
import type { Bystanders, Fallen } from '../../fencing/bystanders.ts';
import type { Recovery } from '../recovery.ts';
import { DoubtError } from '../still-silent.ts';
import { bystandersOf, hearBystanders, whoFell } from './ask-bystanders.ts';

/** Another machine fell silent at the shot. */
export class WrongMachineError extends OperationalError {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusalSentence(refusal));
    this.refusal = refusal;
  }
}

/** In one attempt to fence. */
export class RightMachine {
  readonly #bystanders: Bystanders;
  readonly #recovery: Recovery;
  #isShot = false;

  constructor(bystanders: Bystanders, recovery: Recovery) {
    this.#bystanders = bystanders;
    this.#recovery = recovery;
  }

  /** Was anything told `off` in this attempt? */
  get isShot(): boolean {
    return this.#isShot;
  }

  /** Before anything is told: who else answers. @throws DoubtError when nobody can tell */
  async beforeShot(): Promise<void> {
    if (this.#isShot) return;
    const { order, tools, opened: journal } = this.#recovery;
    const heard = await hearBystanders(this.#recovery);
    const { incident } = order;
    await this.#bystanders.keep(journal.dead, { incident, atMs: tools.clock.nowMs(), heard, fell: null });
    this.#isShot = true;
  }

  /**
   * Before anything rests on a device: sees to it that nobody fell silent at earlier shots. Null: none did; otherwise who
   * did, as was found earlier: an operator's word alone counts.
   * @throws WrongMachineError when it is found now; DoubtError when nobody can tell
   */
  async doubtBefore(): Promise<Fallen | null> {
    const { order, tools, lock, beginning, opened: journal } = this.#recovery;
    const { dead: host, proof } = journal;
    const watch = await this.#bystanders.of(host);
    // His word is newer than whatever was found, and needs no device.
    const isByWord = proof?.by === 'operator' && proof.atMs > (watch?.fell?.atMs ?? 0);
    if (isByWord) {
      if (watch !== null) await this.#bystanders.forget(host);
      return null;
    }
    if (watch !== null && watch.fell !== null) {
      journal.proof = null;
      return watch.fell;
    }
    const isOpen = watch !== null && watch.incident === order.incident;
    if (isOpen) await this.#look(watch.heard);
    // Redis forgot who answered: those whose heartbeats still count did.
    else if (proof?.by === 'agent' && journal.noneFellAtMs === null && beginning.kind === 'anew')
      await this.#look(bystandersOf(this.#recovery));
    if (proof !== null && journal.noneFellAtMs === null) {
      journal.noneFellAtMs = tools.clock.nowMs();
      await lock.save(journal);
    }
    if (watch !== null) await this.#bystanders.forget(host);
    return null;
  }

  /** The attempt failed: who fell silent at its shots is as wrong as with a proof. Null: nobody did, or none can tell. */
  async afterFailure(): Promise<Refusal | null> {
    if (!this.#isShot) return null;
    try {
      await this.doubtBefore();
      return null;
    } catch (error) {
      if (error instanceof WrongMachineError) return error.refusal;
      // It stays to be looked at, before anything is told again.
      if (error instanceof DoubtError) return null;
      throw error;
    }
  }

  async #look(heard: readonly string[]): Promise<void> {
    const { order, opened: journal } = this.#recovery;
    const { dead: host } = journal;
    const fell = await whoFell(this.#recovery, heard);
    if (fell === null) return;
    const { incident } = order;
    await this.#bystanders.keep(host, { incident, atMs: fell.atMs, heard: [], fell });
    journal.proof = null;
    throw new WrongMachineError(wrongDevice(host, fell));
  }
}

export const wrongDevice = (host: string, { atMs, hosts }: Fallen): Refusal => ({
  name: 'wrong-device',
  host,
  fell: [...hosts],
  atMs,
});
