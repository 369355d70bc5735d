// Stage: the compute services. The dead one is forced down and disabled before the first instance moves, in the name of
// this recovery, which is read back; then the spares of the plan are enabled. Each change is looked for in Nova before
// it is made again, and after it was made.

import type { Refusal } from '../../../shared/documents/refusals/refusals.ts';
import { errorText } from '../../../shared/ground/errors.ts';
import { CloudError, type ComputeService, type ComputeServiceChange } from '../../cloud/cloud.ts';
import { isMarkedBy, markOf, oneServiceOnly, settleMs, TakenHostError } from '../mark.ts';
import { cloudAheadMs, isStillNow, lookFreshMs } from '../movers/last-look.ts';
import type { Recovery, Stage, Turn } from '../recovery.ts';
import { endJournal, stopped } from '../report.ts';
import { beginToMove } from './begin-to-move.ts';
import { takenBefore } from './taken-before.ts';

const mostTries = 6;
const pauseMs = 1_000;

export const closeServices: Stage = {
  name: 'close-services',
  async run(recovery) {
    const { plan, instances } = recovery.opened;
    try {
      await forceDown(recovery);
    } catch (error) {
      if (error instanceof TakenHostError) return endedBy(recovery, error.refusal);
      throw error;
    }
    await recovery.tell({ step: 'forced-down' });
    for (const host of plan.enable) await enable(recovery, host);
    const enabled = [...plan.enable];
    await recovery.tell({ step: 'moving', instances: Object.keys(instances).length, enabled });
    return 'next';
  },
};

/** Somebody else works at the host: nothing of this recovery moves an instance, whatever an earlier worker did. */
function endedBy(recovery: Recovery, refusal: Refusal): Promise<Turn> {
  const { opened: journal } = recovery;
  return journal.acted
    ? stopped(recovery, journal, refusal)
    : endJournal(recovery, journal, 'refused', refusal);
}

/**
 * Forces the dead nova-compute down and disables it in one request: disabling alone blocks Nova for a minute while it
 * calls the dead host, and a host that comes back half-way must not rejoin (defect 10 of the original). The mark that
 * this leaves is read back: of two Sonnys that do this at once the later one stays.
 * @throws TakenHostError when somebody else was there before, or after
 */
async function forceDown(recovery: Recovery): Promise<void> {
  const { opened: journal, mark, signal, tools } = recovery;
  const { dead } = journal;
  const wasTold = journal.progress.some(
    ({ progress }) => typeof progress !== 'string' && progress.step === 'forced-down',
  );
  // Read back by whoever told it: a worker that continues finds its mark, or it is somebody else's now.
  if (wasTold && journal.sonny !== '') return mark.confirm();
  await bringAbout(recovery, dead, {
    change: { forcedDown: true, status: 'disabled', disabledReason: markOf(journal) },
    isSo: (s) => s.state === 'down' && isMarkedBy(s, journal),
    mayChange: (s) => {
      const refusal = takenBefore(recovery, s);
      if (refusal !== null) throw new TakenHostError(refusal);
    },
  });
  // The mark takes its time: the instances are looked at meanwhile.
  recovery.move = beginToMove(recovery);
  await tools.clock.sleep(settleMs, signal);
  await mark.confirm();
}

/** Enables a spare: Nova refuses a disabled target, and an instance sent there would end in ERROR. */
async function enable(recovery: Recovery, host: string): Promise<void> {
  await bringAbout(recovery, host, {
    change: { status: 'enabled' },
    isSo: (s) => s.status === 'enabled',
    mayChange: () => {},
  });
}

interface Wanted {
  readonly change: ComputeServiceChange;
  isSo(service: ComputeService): boolean;
  /** Throws when the service, as it is now, must not be changed. */
  mayChange(service: ComputeService): void;
}

/** Setting a service to a state is harmless to repeat, but what is so already is left alone. */
async function bringAbout(
  { tools, lock, signal, opened: journal }: Recovery,
  host: string,
  { change, isSo, mayChange }: Wanted,
): Promise<void> {
  const { cloud, clock, log } = tools;
  let last: unknown;
  for (let attempt = 1; attempt <= mostTries; attempt += 1) {
    if (attempt > 1) await clock.sleep(pauseMs, signal);
    const aheadMs = cloudAheadMs(clock, cloud);
    await lock.save(journal);
    const savedAtMs = clock.steadyMs();
    try {
      const [service, ...more] = await cloud.listComputeServices(signal, host);
      if (service === undefined || more.length > 0)
        throw new CloudError(
          'not-done',
          oneServiceOnly(host, service === undefined ? 0 : 1 + more.length),
          null,
        );
      if (isSo(service)) return;
      signal.throwIfAborted();
      mayChange(service);
      if (clock.steadyMs() - savedAtMs > lookFreshMs) await lock.save(journal);
      // The lock may be somebody else's by now: it is confirmed anew.
      if (!isStillNow({ clock, cloud }, aheadMs)) continue;
      if (isSo(await cloud.changeComputeService(service.id, change, signal))) return;
    } catch (error) {
      if (!(error instanceof CloudError) || error.outcome === 'refused') throw error;
      last = error;
      log.warn({ host, error: errorText(error) }, `compute service of ${host}`);
    }
  }
  throw last ?? new CloudError('unknown', `the compute service of ${host} does not take the change`, null);
}
