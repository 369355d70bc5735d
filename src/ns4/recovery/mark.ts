// Whose the dead host is: the mark in Nova that its compute service is disabled with. Two Sonnys that share no Redis
// exclude each other by it alone: the last writer wins, and each reads it again before it asks for anything.

import type { Hypervisor } from '../../shared/documents/inventory.ts';
import type { Refusal } from '../../shared/documents/refusals/refusals.ts';
import { recoveryMarkOf, resurrectionReason } from '../../shared/documents/terms/disabled-reason.ts';
import { targetsOf, targetsText } from '../../shared/documents/terms/plan.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import { type Cloud, CloudError, type ComputeService } from '../cloud/cloud.ts';
import type { Journal } from './journal/journal.ts';
import { cloudAheadMs, isStillNow, lookFreshMs } from './movers/last-look.ts';
import { RefusedError } from './refused-error.ts';

/**
 * From writing the mark to reading it back. Another Sonny that read before this one wrote has written by then, or its
 * mark comes later and this one reads that before its next request.
 */
export const settleMs = 2_000;
/** A reading counts this long for requests that leave after it: less than `settleMs`, or two would not see each other. */
const readingMs = 1_000;
/** Readings until one of them is fresh. */
const mostReadings = 8;

type Marked = Pick<Hypervisor | ComputeService, 'status' | 'disabledReason' | 'forcedDown'>;
type Marking = Pick<Journal, 'id' | 'sonny' | 'plan'>;

/** The dead host is somebody else's: another Sonny's, or an operator's. Nothing more may be asked for. */
export class TakenHostError extends RefusedError {}

/** Why the dead compute service is disabled: it names Sonny, the recovery, and where the instances go. */
export const markOf = ({ id, sonny, plan }: Marking): string =>
  resurrectionReason(targetsText(targetsOf(plan)), sonny === '' ? null : { recovery: id, sonny });

/** Forced down and disabled by this very recovery. */
export function isMarkedBy(service: Marked, journal: Marking): boolean {
  if (!service.forcedDown || service.status !== 'disabled') return false;
  const by = recoveryMarkOf(service.disabledReason)?.by ?? null;
  if (by === null || journal.sonny === '') return service.disabledReason === markOf(journal);
  return by.recovery === journal.id && by.sonny === journal.sonny;
}

/**
 * Before this recovery's first change: is the host forced down by another Sonny? One whose mark says no more than that a
 * Sonny was there (an earlier version's) is taken for another one's, unless an operator orders the recovery.
 */
export function foreignMark(
  dead: Marked & { readonly host: string },
  order: { readonly sonny: string; readonly byHand: boolean },
): Refusal | null {
  const mark = dead.forcedDown && dead.status === 'disabled' ? recoveryMarkOf(dead.disabledReason) : null;
  if (mark === null) return null;
  const isOurs = mark.by === null ? order.byHand || order.sonny === '' : mark.by.sonny === order.sonny;
  return isOurs ? null : foreign(dead.host, mark.by?.recovery ?? null);
}

const foreign = (host: string, recovery: string | null): Refusal => ({
  name: 'foreign-mark',
  host,
  recovery,
});

/** Once it bore this recovery's mark: whose is it now? */
function takenBy(host: string, service: ComputeService): Refusal {
  const mark = recoveryMarkOf(service.disabledReason);
  if (service.status === 'disabled' && mark !== null && service.forcedDown)
    return foreign(host, mark.by?.recovery ?? null);
  if (service.status === 'enabled' || !service.forcedDown)
    return { name: 'came-back', host, evidence: 'somebody put its compute service back into service' };
  return { name: 'operator-at-work', host, reason: service.disabledReason ?? '', meanwhile: true };
}

/** A host whose service is not there, or there twice, is neither changed nor gone on with. */
export const oneServiceOnly = (host: string, count: number): string =>
  count === 0
    ? `Nova knows no nova-compute on ${host}`
    : `Nova has ${count} nova-compute services on ${host}`;

/** Watches the mark from the moment at which this recovery wrote it. */
export class MarkWatch {
  readonly #journal: Marking & Pick<Journal, 'dead'>;
  readonly #cloud: Pick<Cloud, 'listComputeServices' | 'evacuate' | 'clockSkewMs'>;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    journal: Marking & Pick<Journal, 'dead'>,
    cloud: Pick<Cloud, 'listComputeServices' | 'evacuate' | 'clockSkewMs'>,
    clock: Clock,
    signal: AbortSignal,
  ) {
    this.#journal = journal;
    this.#cloud = cloud;
    this.#clock = clock;
    this.#signal = signal;
  }

  /**
   * Resolves when the host bore this recovery's mark a moment ago. An answer that was long under way is as old as that:
   * it is asked for again.
   * @throws TakenHostError when it bears another one, or none any more; CloudError when that cannot be told
   */
  async confirm(): Promise<void> {
    for (let tries = 0; tries < mostReadings; tries += 1) {
      if (this.#clock.steadyMs() - this.#readAtMs <= readingMs) return;
      await this.#read();
    }
    const { dead } = this.#journal;
    throw new CloudError('not-done', `Nova is too slow to tell whose ${dead} is`, null);
  }

  /**
   * Asks Nova for an evacuation, but only while the mark is ours: the last thing before the request.
   * @throws as Cloud.evacuate; what is somebody else's by now was not asked for
   */
  async evacuate(instanceId: string, target: string | null, signal: AbortSignal): Promise<void> {
    const clocks = { clock: this.#clock, cloud: this.#cloud };
    const [aheadMs, beganMs] = [cloudAheadMs(this.#clock, this.#cloud), this.#clock.steadyMs()];
    try {
      await this.confirm();
    } catch (error) {
      // Nothing left for Nova. The next confirmation tells whose it is, and ends the recovery.
      if (error instanceof TakenHostError) throw new CloudError('not-done', error.message, null);
      throw error;
    }
    // The look that the request rests on must not have grown old meanwhile, nor this machine have stood still.
    if (this.#clock.steadyMs() - beganMs > lookFreshMs || !isStillNow(clocks, aheadMs))
      throw new CloudError('not-done', 'the mark took too long to read', null);
    return this.#cloud.evacuate(instanceId, target, signal);
  }

  async #read(): Promise<void> {
    const askedAtMs = this.#clock.steadyMs();
    const { dead } = this.#journal;
    const [service, ...more] = await this.#cloud.listComputeServices(this.#signal, dead);
    const count = service === undefined ? 0 : 1 + more.length;
    if (service === undefined || count > 1)
      throw new CloudError('not-done', oneServiceOnly(dead, count), null);
    if (!isMarkedBy(service, this.#journal)) {
      this.#readAtMs = Number.NEGATIVE_INFINITY;
      throw new TakenHostError(takenBy(dead, service));
    }
    this.#readAtMs = askedAtMs;
  }
}
