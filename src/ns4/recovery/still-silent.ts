// While a recovery runs: is the dead host still silent? A large one takes minutes, and minutes more when OpenStack is
// away in between; a host that wakes up meanwhile runs its guests again. No request leaves on an old answer.

import type { ScanResult } from '../../shared/documents/jobs/scan.ts';
import { isDoubt, type Refusal, refusalSentence } from '../../shared/documents/refusals/refusals.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import { OperationalError } from '../../shared/ground/errors.ts';
import type { Cloud } from '../cloud/cloud.ts';
import type { AgentsOfTheDead } from './agents-of-the-dead.ts';
import { type Suspect, signOfLife } from './gates.ts';

/** Asked again in the background when the last answer is this old… */
export const renewMs = 5_000;
/** …and waited for when it is this old. */
const mostAgeMs = 20_000;

/** The host lives: nothing more may be asked for. */
export class SignOfLifeError extends OperationalError {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusalSentence(refusal));
    this.refusal = refusal;
  }
}

/** Whether it lives could not be told. */
export class DoubtError extends OperationalError {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusalSentence(refusal));
    this.refusal = refusal;
  }
}

interface SilenceQuestion {
  readonly order: Suspect;
  readonly agents: AgentsOfTheDead;
  readonly cloud: Pick<Cloud, 'listAgents' | 'clockSkewMs'>;
  readonly heartbeatPeriodMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** When the facts the recovery began with were asked for, in steady time. */
  readonly confirmedAtMs: number;
  scan(): Promise<ScanResult>;
}

export class StillSilent {
  readonly #question: SilenceQuestion;
  #confirmedAtMs: number;
  #asking: Promise<void> | null = null;
  #life: Refusal | null = null;

  constructor(question: SilenceQuestion) {
    this.#question = question;
    this.#confirmedAtMs = question.confirmedAtMs;
  }

  /**
   * Resolves while the host is known to be silent since a moment ago, `limitMs` at most.
   * @throws SignOfLifeError when it lives; CloudError or OperationalError when that cannot be told
   */
  async confirm(limitMs = mostAgeMs): Promise<void> {
    const ageMs = this.#question.clock.steadyMs() - this.#confirmedAtMs;
    if (ageMs > renewMs && this.#asking === null) {
      this.#asking = this.#ask().finally(() => {
        this.#asking = null;
      });
      // Nobody waits for it now. When it fails, the answer grows old, and the next one is waited for.
      this.#asking.catch(() => undefined);
    }
    if (ageMs > limitMs) await this.#asking;
    if (this.#life !== null) throw new SignOfLifeError(this.#life);
  }

  async #ask(): Promise<void> {
    const { order, agents, cloud, heartbeatPeriodMs, clock, signal, scan } = this.#question;
    const askedAtMs = clock.steadyMs();
    const [heard, result] = await Promise.all([agents.ask(cloud, clock, signal), scan()]);
    const now = { agentsOf: () => heard, scan: result, nowMs: clock.nowMs(), isBegun: true };
    const refusal = signOfLife(order, now, heartbeatPeriodMs);
    if (refusal === null) this.#confirmedAtMs = askedAtMs;
    else if (isDoubt(refusal)) throw new DoubtError(refusal);
    else this.#life = refusal;
  }
}
