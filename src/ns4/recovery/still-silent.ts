// While a recovery runs: is the dead host still silent? A large one takes minutes, and minutes more when OpenStack is
// away in between; a host that wakes up meanwhile runs its guests again. No request leaves on an old answer.

import type { Agent } from '../../shared/documents/inventory.ts';
import type { ScanResult, ScanTarget } from '../../shared/documents/jobs/scan.ts';
import { isDoubt, type Refusal } from '../../shared/documents/refusals/refusals.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import type { Cloud, ComputeService } from '../cloud/cloud.ts';
import type { PowerSeen } from '../fencing/proof.ts';
import type { AgentsOfTheDead } from './agents-of-the-dead.ts';
import { answeringOf, answersText } from './guests-still-there.ts';
import type { Answering } from './movers/mover.ts';
import { RefusedError } from './refused-error.ts';
import { type Suspect, signOfLife } from './sign-of-life.ts';

/** Asked again in the background when the last answer is this old… */
export const renewMs = 5_000;
/** …and waited for when it is this old. */
const mostAgeMs = 20_000;

/** The proving device is asked again with a confirmation when its word is this old… */
const powerMs = 2_000;
/** …and nothing leaves on one that is this old: few machines boot and start their guests so fast. */
const mostPowerAgeMs = 10_000;

/** The host lives: nothing more may be asked for. */
export class SignOfLifeError extends RefusedError {}

/** Whether it lives could not be told. */
export class DoubtError extends RefusedError {}

/** The device whose word is the proof, asked again. */
export interface ProvingDevice {
  look(): Promise<PowerSeen>;
  /** What it means that it says on, for people. */
  onText(seen: PowerSeen): string;
  /** Says off: the proof counts from now on. */
  saidOff(): void;
  /** Can a report that is heard now be one of before its power went? */
  mayBeLate(): boolean;
  /** It says off of a host that was heard in between: what was heard was late, and the proof counts from now on. */
  heardLate(evidence: string, atMs: number): Promise<void>;
}

interface SilenceQuestion {
  readonly order: Suspect;
  readonly agents: AgentsOfTheDead;
  readonly cloud: Pick<Cloud, 'listAgents' | 'listComputeServices' | 'clockSkewMs'>;
  readonly heartbeatPeriodMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** When the facts the recovery began with were asked for, in steady time; minus infinity: they do not count. */
  readonly confirmedAtMs: number;
  /** The dead host, and with it these. */
  scan(guests: readonly ScanTarget[]): Promise<ScanResult>;
  /** The instances that are still to be moved, as far as they may answer for the host. */
  guests(): readonly ScanTarget[];
  nameOf(id: string): string;
  /** Null: no device proved the host off. */
  device(): ProvingDevice | null;
  /** Null: the proof still stands, or there is none. Otherwise why it is too old to go on with. */
  outdatedProof(): Refusal | null;
  /** They answer although the host is proven to be off: whatever that means, nothing is asked for them. */
  leaveAlone(answering: readonly Answering[]): Promise<void>;
}

export class StillSilent {
  readonly #question: SilenceQuestion;
  #confirmedAtMs: number;
  #silentAtMs: number | null = null;
  #powerAtMs = Number.NEGATIVE_INFINITY;
  #askingPower: Promise<void> | null = null;
  #asking: Promise<void> | null = null;
  #life: Refusal | null = null;

  constructor(question: SilenceQuestion) {
    this.#question = question;
    this.#confirmedAtMs = question.confirmedAtMs;
  }

  /** When it was known to be silent last, by the time of day; null: it was not asked again yet. */
  get silentAtMs(): number | null {
    return this.#silentAtMs;
  }

  /**
   * Resolves while the host is known to be silent since a moment ago, `limitMs` at most.
   * @throws SignOfLifeError when it lives; CloudError or OperationalError when that cannot be told
   */
  async confirm(limitMs = mostAgeMs): Promise<void> {
    const ageMs = this.#question.clock.steadyMs() - this.#confirmedAtMs;
    if (ageMs > renewMs && this.#asking === null) this.#begin();
    if (ageMs > limitMs) await this.#asking;
    if (this.#life !== null) throw new SignOfLifeError(this.#life);
  }

  /**
   * Whatever rests on the proof asks this as well: a device that was switched off or cut off meanwhile says nothing, and
   * what it said counts for some time only. @throws DoubtError
   */
  checkProof(): void {
    const outdated = this.#question.outdatedProof();
    if (outdated !== null) throw new DoubtError(outdated);
  }

  /**
   * Resolves while the device that proved the host off said so a moment ago, or does not answer (see checkProof). It is
   * quicker to ask than all the others. @throws SignOfLifeError when it says on
   */
  async confirmPower(): Promise<void> {
    const proving = this.#question.device();
    if (proving === null) return;
    if (this.#question.clock.steadyMs() - this.#powerAtMs > powerMs) {
      this.#askingPower ??= this.#askPower(proving).finally(() => {
        this.#askingPower = null;
      });
      await this.#askingPower;
    }
    if (this.#life !== null) throw new SignOfLifeError(this.#life);
  }

  /** See Moving. */
  isPowerFresh(): boolean {
    const { device, clock } = this.#question;
    return this.#life === null && (device() === null || clock.steadyMs() - this.#powerAtMs <= mostPowerAgeMs);
  }

  async #askPower(proving: ProvingDevice): Promise<void> {
    const { clock, order } = this.#question;
    const askedAtMs = clock.steadyMs();
    const power = await proving.look();
    this.#life ??= switchedOn(order.dead, proving, power, []);
    if (power.says === 'off') proving.saidOff();
    // Who does not answer is not asked before each request: that takes seconds each time.
    this.#powerAtMs = power.says === 'off' ? askedAtMs : clock.steadyMs();
  }

  /** Asks once more, now, however young the last answer is. @throws as confirm */
  async confirmAnew(): Promise<void> {
    await this.#asking?.catch(() => undefined);
    await this.#begin();
    if (this.#life !== null) throw new SignOfLifeError(this.#life);
  }

  #begin(): Promise<void> {
    this.#asking = this.#ask().finally(() => {
      this.#asking = null;
    });
    // Perhaps nobody waits for it now. When it fails, the answer grows old, and the next one is waited for.
    this.#asking.catch(() => undefined);
    return this.#asking;
  }

  async #ask(): Promise<void> {
    const {
      order,
      agents: known,
      cloud,
      clock,
      signal,
      scan,
      guests,
      nameOf,
      device,
      leaveAlone,
    } = this.#question;
    const askedAtMs = clock.steadyMs();
    const silentAtMs = clock.nowMs();
    const targets = guests();
    const proving = device();
    const provenBefore = order.offSinceMs ?? null;
    const agentsAsked = known.ask(cloud, clock, signal);
    const [agents, services, result, power] = await Promise.all([
      agentsAsked,
      cloud.listComputeServices(signal, order.dead),
      scan(targets),
      proving?.look() ?? null,
    ]).catch(async (error: unknown) => {
      // What the others cannot tell makes the agents no less alive; and a beat of OVN is seen to move only once.
      if (proving?.mayBeLate() !== true) this.#hearAlone(await agentsAsked.catch(() => []));
      throw error;
    });
    // Whoever was asked for elsewhere meanwhile may answer there.
    const still = new Set(guests().map(({ name }) => name));
    const answering = answeringOf(
      targets.filter(({ name }) => still.has(name)),
      result,
      nameOf,
    );
    const heard =
      (proving === null || power === null ? null : switchedOn(order.dead, proving, power, answering)) ??
      (await this.#heardUnlessLate(agents, services, result, proving));
    if (heard !== null && !isDoubt(heard)) {
      this.#life = heard;
      return;
    }
    if (answering.length > 0) {
      if (provenBefore === null && (order.offSinceMs ?? null) === null) {
        this.#life = { name: 'came-back', host: order.dead, evidence: answersText(answering) };
        return;
      }
      // It was powered off while they were asked: what they said before is asked again.
      if (provenBefore === null) return;
      await leaveAlone(answering);
    }
    if (heard !== null) throw new DoubtError(heard);
    if (power?.says === 'off') {
      proving?.saidOff();
      this.#powerAtMs = askedAtMs;
    }
    this.#confirmedAtMs = askedAtMs;
    this.#silentAtMs = silentAtMs;
  }

  #hearAlone(agents: readonly Agent[]): void {
    const { order } = this.#question;
    const heard = this.#heard(agents, [], { ok: false, detail: 'it was not asked' }, order);
    if (heard?.name === 'came-back') this.#life ??= heard;
  }

  /**
   * Reports that were sent before the power went may be counted minutes later, when the backlog of a message queue is
   * worked off. The device is asked after they were heard: what it still says off of cannot have sent them now.
   */
  async #heardUnlessLate(
    agents: readonly Agent[],
    services: readonly ComputeService[],
    scan: ScanResult,
    proving: ProvingDevice | null,
  ): Promise<Refusal | null> {
    const { order, clock } = this.#question;
    const heard = this.#heard(agents, services, scan, order);
    if (heard?.name !== 'came-back' || proving === null || !proving.mayBeLate()) return heard;
    const offSinceMs = clock.nowMs();
    const beside = this.#heard(agents, services, scan, { ...order, offSinceMs });
    if (beside?.name === 'came-back' || (await proving.look()).says !== 'off') return heard;
    await proving.heardLate(heard.evidence, offSinceMs);
    return beside;
  }

  /** What its agents, its nova-compute and its own address say. */
  #heard(
    agents: readonly Agent[],
    services: readonly ComputeService[],
    scan: ScanResult,
    order: Suspect,
  ): Refusal | null {
    const { cloud, heartbeatPeriodMs, clock } = this.#question;
    const skewMs = cloud.clockSkewMs();
    const service = services.find(({ host }) => host === order.dead);
    // Our own change of the service moves the time of its report: it is evidence before that only.
    const reportedAtMs = service?.forcedDown === false ? service.reportedAtMs : null;
    const now = {
      agentsOf: () => agents,
      reportedAtMs: reportedAtMs === null ? null : reportedAtMs - skewMs,
      scan,
      nowMs: clock.nowMs(),
      isBegun: true,
    };
    return signOfLife(order, now, heartbeatPeriodMs);
  }
}

/** The device that proved it off says on: somebody switched it on, or it never was what had to be off. */
function switchedOn(
  host: string,
  { onText }: ProvingDevice,
  power: PowerSeen,
  answering: readonly Answering[],
): Refusal | null {
  if (power.says !== 'on') return null;
  const answers = answering.length === 0 ? '' : `; ${answersText(answering)}: THE PROOF IS WRONG`;
  return {
    name: 'came-back',
    host,
    evidence: `${onText(power)}${answers}`,
  };
}
