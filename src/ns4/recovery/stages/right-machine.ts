// Was it the right machine that was switched off? Who else answers is kept before the first `off` of an attempt; after
// the shots, by whatever worker goes on, nothing rests on a device before they were asked again. If somebody fell silent,
// no device of the host is told or believed until an operator says so: another one may be wired to the same machine,
// which is off now and would not be missed again.

import type { Refusal } from '../../../shared/documents/refusals/refusals.ts';
import type { Bystanders, Fallen } from '../../fencing/bystanders.ts';
import type { Recovery } from '../recovery.ts';
import { RefusedError } from '../refused-error.ts';
import { DoubtError } from '../still-silent.ts';
import { bystandersOf, hearBystanders, whoFell } from './ask-bystanders.ts';

/** Another machine fell silent at the shot. */
export class WrongMachineError extends RefusedError {}

/** So late a device may still obey: whoever answered at a failed shot that is this old is not missed at the next one. */
const mostLateMs = 600_000;

/** In one attempt to fence. */
export class RightMachine {
  readonly #bystanders: Bystanders;
  readonly #recovery: Recovery;
  #isShot = false;

  constructor(bystanders: Bystanders, recovery: Recovery) {
    this.#bystanders = bystanders;
    this.#recovery = recovery;
  }

  /** Before anything is told: who else answers. Null: it is kept already. @throws DoubtError when nobody can tell */
  async hear(): Promise<readonly string[] | null> {
    return this.#isShot ? null : hearBystanders(this.#recovery);
  }

  /**
   * Keeps who was heard, right before the first shot and under a lock that was just confirmed. Whoever answered at a
   * shot of a moment ago, which proved nothing, may have fallen since: its device obeyed late.
   */
  async keep(heard: readonly string[] | null): Promise<void> {
    if (heard === null) return;
    const { order, tools, opened: journal } = this.#recovery;
    const { incident } = order;
    const nowMs = tools.clock.nowMs();
    const last = await this.#bystanders.of(journal.dead);
    const isRecent = last?.incident === incident && Math.abs(nowMs - last.atMs) <= mostLateMs;
    const before = isRecent ? last : { atMs: nowMs, heard: [] };
    await this.#bystanders.keep(journal.dead, {
      ...{ incident, atMs: before.atMs, heard: [...new Set([...before.heard, ...heard])] },
      ...{ isLooked: false, fell: null },
    });
    this.#isShot = true;
  }

  /** When nobody fell silent at the shots behind a proof that is made now; null: that is to be looked at. */
  async noneFellAtMs(): Promise<number | null> {
    const { tools, opened: journal } = this.#recovery;
    return (await this.#bystanders.of(journal.dead)) === null ? tools.clock.nowMs() : null;
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
    const isNew = proof !== null && journal.noneFellAtMs === null;
    const isOfThis = watch?.incident === order.incident;
    // Of an earlier incident, too: whoever fell then is off now, and would not be missed at the next shot.
    if (watch !== null && (!watch.isLooked || (isNew && isOfThis))) await this.#look(watch.heard);
    // Redis forgot who answered: those whose heartbeats still count did.
    else if (watch === null && isNew && proof.by === 'agent' && beginning.kind === 'anew')
      await this.#look(bystandersOf(this.#recovery));
    if (isNew) {
      journal.noneFellAtMs = tools.clock.nowMs();
      await lock.save(journal);
    }
    if (watch === null) return null;
    if (isOfThis && proof === null) await this.#bystanders.keep(host, { ...watch, isLooked: true });
    else await this.#bystanders.forget(host);
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
    await this.#bystanders.keep(host, {
      ...{ incident, atMs: fell.atMs, heard: [], isLooked: true, fell },
    });
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
