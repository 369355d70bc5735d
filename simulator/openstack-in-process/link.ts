// A client's way to the cloud: how long a request and its answer take, and what its sender knows when either is lost.
// By the rules of ns4/cloud/cloud.ts: a read that fails was given up for good, a change is never repeated.
import { CloudError } from '../../src/ns4/cloud/cloud.ts';
import { type RequestFault, requestFaults } from '../faults/request-faults.ts';
import type { World } from '../world/world.ts';
import { wholeSeconds } from './records.ts';

/** Changing requests by what matters of them: those that start an instance elsewhere, those that force a host down. */
export type ChangeName = 'evacuate' | 'force-down' | 'change';

/** `id`: of the instance or port, or the host's name; `target`: a host's name, or empty. */
export interface ChangeRequest {
  readonly name: ChangeName;
  readonly id: string;
  readonly target: string;
}

/** Asked after a change was made: does its answer come now? */
export type IsAnswered = () => boolean;

/** The process that sends the requests: it may stand still or end while they are under way. */
interface Sender {
  /** By its own clock. */
  nowMs(): number;
  /** Goes on in the process so much later. */
  pause(ms: number): Promise<void>;
}

/** What befalls a request, drawn anew for each. `not-sent`: no connection. */
export interface Trouble {
  read(): 'fails' | { slowMs: number } | null;
  change(): 'not-sent' | RequestFault | null;
}

const noTrouble: Trouble = { read: () => null, change: () => null };

/** After its own retries the client gives up on a read. */
const readGivenUpMs = 4_000;
const arrivesMs = 20;
const answeredMs = 40;
const errorMs = 200;
const answerLostMs = 10_000;
const timeoutMs = 30_000;
const pollMs = 1_000;
const noAnswer = 'no answer within 30 s';

export class Link {
  readonly #world: World;
  readonly #sender: Sender;
  readonly #trouble: Trouble;
  /** Cloud clock minus the sender's, by the last answer. */
  skewMs = 0;
  /** Is told when a changing request leaves. */
  onSend: (request: ChangeRequest) => void = () => {};

  constructor(world: World, sender: Sender, trouble: Trouble = noTrouble) {
    this.#world = world;
    this.#sender = sender;
    this.#trouble = trouble;
  }

  /** Most answers come at once: what takes time in an evacuation is not the reading. `isThere`: do the APIs answer? */
  async read<T>(isThere: boolean, signal: AbortSignal, make: () => T): Promise<T> {
    if (signal.aborted) throw new CloudError('not-done', 'stopped', null);
    const trouble = isThere ? this.#trouble.read() : 'fails';
    if (trouble === 'fails') {
      await this.#sender.pause(readGivenUpMs);
      throw new CloudError('not-done', 'Nova answered 500 again and again', 500);
    }
    // An answer may be as old as the way it took.
    const result = make();
    if (trouble !== null) await this.#sender.pause(trouble.slowMs);
    this.skewMs = wholeSeconds(this.#world.cloudNowMs) - this.#sender.nowMs();
    if (signal.aborted) throw new CloudError('not-done', 'stopped', null);
    return result;
  }

  /** `apply` makes the change when the request arrives, or throws the refusal. */
  async change(
    isThere: boolean,
    request: ChangeRequest,
    signal: AbortSignal,
    apply: () => IsAnswered | null,
  ): Promise<void> {
    if (signal.aborted) throw new CloudError('not-done', 'stopped before it was sent', null);
    const fault = isThere ? this.#trouble.change() : 'not-sent';
    if (fault === 'not-sent') throw new CloudError('not-done', 'no connection', null);
    if (fault !== null) return this.#suffer(fault, request, apply);
    await this.#answered(request, apply);
  }

  /** Sends it off: whatever becomes of its sender, it arrives, and nobody hears what was answered. */
  send(request: ChangeRequest, apply: () => unknown, afterMs = arrivesMs): void {
    this.onSend(request);
    this.#world.after(afterMs, () => {
      try {
        apply();
      } catch (error) {
        if (!(error instanceof CloudError)) throw error;
      }
    });
  }

  async #answered(request: ChangeRequest, apply: () => IsAnswered | null): Promise<void> {
    let failure: unknown = null;
    let isAnswered: IsAnswered | null = null;
    this.onSend(request);
    this.#world.after(arrivesMs, () => {
      try {
        isAnswered = apply();
      } catch (error) {
        failure = error;
      }
    });
    await this.#sender.pause(answeredMs);
    if (failure !== null) throw failure;
    const isDone = (): boolean => isAnswered === null || (isAnswered as IsAnswered)();
    for (let waitedMs = 0; !isDone(); waitedMs += pollMs) {
      if (waitedMs >= timeoutMs) throw new CloudError('unknown', noAnswer, null);
      await this.#sender.pause(pollMs);
    }
  }

  /** What its sender may conclude is as the real client has it. */
  async #suffer(fault: RequestFault, request: ChangeRequest, apply: () => unknown): Promise<never> {
    const { isCarriedOut, answer } = requestFaults[fault.kind];
    const status = fault.status ?? 500;
    if (isCarriedOut) this.send(request, apply, fault.delayMs);
    if (answer === 'error' && status < 500) throw new CloudError('refused', 'Too many requests', status);
    await this.#sender.pause(answer === 'closed' || answer === 'none' ? answerLostMs : errorMs);
    if (answer === 'error') throw new CloudError('unknown', `Nova answered ${status}`, status);
    if (answer === 'page') throw new CloudError('unknown', `a proxy answered ${status}`, status);
    throw new CloudError('unknown', noAnswer, null);
  }
}
