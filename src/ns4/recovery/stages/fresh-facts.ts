// Stage: asks OpenStack and the network again. Whatever follows rests on these answers, not on the monitor's.

import type { ScanResult, ScanTarget } from '../../../shared/documents/jobs/scan.ts';
import { errorText } from '../../../shared/ground/errors.ts';
import { Picture } from '../../../shared/picture/picture.ts';
import { controlsFor } from '../../../shared/rules/control-plane.ts';
import { hostTarget } from '../../../shared/rules/controls.ts';
import { disksName, disksTarget } from '../../../shared/rules/disks.ts';
import { CloudError } from '../../cloud/cloud.ts';
import { isUntouched } from '../guests-still-there.ts';
import type { Facts, Recovery, Stage } from '../recovery.ts';
import { refused } from '../report.ts';
import { askGuests, askKnownGuests, nobodyAsked } from './ask-guests.ts';

/** Instances leave one after another: so often at most the others are asked anew. */
const mostLooks = 5;

export const freshFacts: Stage = {
  name: 'fresh-facts',
  async run(recovery) {
    try {
      recovery.facts = await ask(recovery);
      return 'next';
    } catch (error) {
      recovery.signal.throwIfAborted();
      // Before the first change giving up is safe; afterwards the recovery has to be continued, so the job fails.
      if (recovery.journal === null && error instanceof CloudError)
        return refused(recovery, {
          name: 'api-unavailable',
          host: recovery.order.dead,
          detail: errorText(error),
        });
      throw error;
    }
  },
};

/** Refresh and scans at once: each takes seconds that the instances wait for. */
async function ask(recovery: Recovery): Promise<Facts> {
  const { order, tools, signal } = recovery;
  const askedAtMs = tools.clock.steadyMs();
  const known = askKnownGuests(recovery);
  const [{ picture, guests, isForeign }, firstScan] = await Promise.all([
    tools.refresh(signal).then(async ({ hosts, servers }) => {
      const picture = Picture.of(hosts, servers);
      // Whoever ordered it may have named any address that answers, and a blind scan would seem to see.
      const hypervisors = order.controls.filter((control) => isHypervisor(control, order.dead, picture));
      const isForeign = hypervisors.length < order.controls.length;
      if (isForeign) recovery.controls = controlsOfNow(recovery, picture, hypervisors);
      // Nor does what was seen beside such controls count.
      const before = isForeign ? nobodyAsked : await known;
      return { picture, isForeign, guests: await askGuests(recovery, picture, before) };
    }),
    scanAt(recovery, order.address),
    known.then(({ scan }) => scan),
  ]);
  const address = picture.hypervisor(order.dead)?.address ?? null;
  // Before the first change a blind scan ends it, and the monitor judges anew.
  const isBegun = recovery.journal !== null && picture.hypervisor(order.dead)?.forcedDown === true;
  const isBlind = isBegun && firstScan.ok && firstScan.outcome === 'blind';
  if (isBlind) recovery.controls = controlsOfNow(recovery, picture, recovery.controls);
  const isGood = address === order.address && !isBlind && !isForeign;
  const scan = isGood ? firstScan : await scanAt(recovery, address);
  return { picture, scan, guests, askedAtMs };
}

/**
 * The order's controls were chosen minutes or an hour ago: all of them may have died since, and what was begun would
 * never be ended. Those that are heard now join them.
 */
function controlsOfNow(
  { order, tools, hypervisorPorts }: Recovery,
  picture: Picture,
  earlier: readonly ScanTarget[],
): ScanTarget[] {
  const { clock, policy } = tools;
  const { heartbeatPeriodMs } = policy;
  const rules = { heartbeatPeriodMs, hypervisorPorts };
  const living = controlsFor(new Set([order.dead]), picture, clock.nowMs(), rules);
  const known = new Set(earlier.map(({ name }) => name));
  return [...earlier, ...living.filter(({ name }) => !known.has(name))];
}

/** Is this control what it says, a hypervisor of the cloud at its own address, and another one than the dead? */
function isHypervisor({ name, endpoints }: ScanTarget, dead: string, picture: Picture): boolean {
  const address = picture.hypervisor(name)?.address;
  return (
    name !== dead && address !== undefined && endpoints.every((endpoint) => endpoint.address === address)
  );
}

/** One scan of the dead host by every vantage point, along with the controls, and with these of its guests. */
export async function scanAt(
  recovery: Recovery,
  address: string | null,
  guests: readonly ScanTarget[] = [],
): Promise<ScanResult> {
  const { order, tools, signal, controls } = recovery;
  for (let looks = 1; ; looks += 1) {
    const still = untouchedIn(recovery);
    const disks = tools.storage === null || still?.length === 0 ? [] : [disksTarget(order.dead, still)];
    const targets = [hostTarget(order.dead, address, recovery), ...disks, ...guests];
    const result = await tools.scan({ targets, controls: [...controls] }, signal);
    const open = result.ok ? result.targets[disksName(order.dead)] : undefined;
    const now = untouchedIn(recovery);
    // The disks are asked for seconds. Who was asked for elsewhere meanwhile may have them open there.
    const isPast = open?.state === 'answers' && still?.some((id) => now?.includes(id) === false) === true;
    if (!isPast || looks === mostLooks) return result;
  }
}

/** Those for which nothing was asked yet; null: nothing was written down yet, so it is all of them. */
const untouchedIn = ({ journal }: Recovery): string[] | null =>
  journal === null
    ? null
    : Object.values(journal.instances)
        .filter(isUntouched)
        .map(({ id }) => id);
