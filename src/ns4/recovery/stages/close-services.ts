// Stage: the compute services. The dead one is forced down and disabled before the first instance moves, the spares of
// the plan are enabled. Each change is looked for in Nova before it is made again, and after it was made.

import { errorText } from '../../../shared/ground/errors.ts';
import { CloudError, type ComputeService, type ComputeServiceChange } from '../../cloud/cloud.ts';
import type { Recovery, Stage } from '../recovery.ts';
import { closedBecause } from './new-journal.ts';

const mostTries = 6;
const pauseMs = 1_000;

export const closeServices: Stage = {
  name: 'close-services',
  async run(recovery) {
    const { plan, instances } = recovery.opened;
    await forceDown(recovery);
    await recovery.tell({ step: 'forced-down' });
    for (const host of plan.enable) await enable(recovery, host);
    const enabled = [...plan.enable];
    await recovery.tell({ step: 'moving', instances: Object.keys(instances).length, enabled });
    return 'next';
  },
};

/**
 * Forces the dead nova-compute down and disables it in one request: disabling alone blocks Nova for a minute while it
 * calls the dead host, and a host that comes back half-way must not rejoin (defect 10 of the original).
 */
async function forceDown(recovery: Recovery): Promise<void> {
  const { dead, plan } = recovery.opened;
  await bringAbout(
    recovery,
    dead,
    {
      forcedDown: true,
      status: 'disabled',
      disabledReason: closedBecause(plan),
    },
    (s) =>
      s.forcedDown && s.state === 'down' && s.status === 'disabled' && /sonny/i.test(s.disabledReason ?? ''),
  );
}

/** Enables a spare: Nova refuses a disabled target, and an instance sent there would end in ERROR. */
async function enable(recovery: Recovery, host: string): Promise<void> {
  await bringAbout(recovery, host, { status: 'enabled' }, (s) => s.status === 'enabled');
}

/** Setting a service to a state is harmless to repeat, but what is so already is left alone. */
async function bringAbout(
  { tools, lock, signal, opened: journal }: Recovery,
  host: string,
  change: ComputeServiceChange,
  isSo: (service: ComputeService) => boolean,
): Promise<void> {
  const { cloud, clock, log } = tools;
  let last: unknown;
  for (let attempt = 1; attempt <= mostTries; attempt += 1) {
    if (attempt > 1) await clock.sleep(pauseMs, signal);
    try {
      const [service] = await cloud.listComputeServices(signal, host);
      if (service === undefined)
        throw new CloudError('not-done', `Nova knows no nova-compute on ${host}`, null);
      if (isSo(service)) return;
      await lock.save(journal);
      signal.throwIfAborted();
      if (isSo(await cloud.changeComputeService(service.id, change, signal))) return;
    } catch (error) {
      if (!(error instanceof CloudError) || error.outcome === 'refused') throw error;
      last = error;
      log.warn({ host, error: errorText(error) }, `compute service of ${host}`);
    }
  }
  throw last ?? new CloudError('unknown', `the compute service of ${host} does not take the change`, null);
}
