// The side that fences in another vantage point's stead: it tells what its devices show, and carries out an order to
// power a host off, if that is still one right before the device is told.
import { randomUUID } from 'node:crypto';
import type { JobData, JobResult } from '../../../shared/documents/jobs/contracts.ts';
import type { Clock } from '../../../shared/ground/clock.ts';
import { timings } from '../../../shared/ground/timings.ts';
import type { Devices } from '../devices.ts';
import type { LevelResult } from '../level.ts';
import { agentsOf, type DeviceOutline } from '../plan.ts';
import { type FenceOrders, whyNot } from './orders.ts';

/** Those of this ns4. */
export interface OwnDevices {
  /** This vantage point, for people. */
  readonly name: string;
  /** Hash of its plan of fencing. */
  readonly plan: string;
  readonly devices: Devices;
  readonly orders: Pick<FenceOrders, 'take'>;
  readonly clock: Clock;
}

/** Nobody is told from here. */
class NotToldError extends Error {}

/** Did the one that carries out an order take it, so that nobody else did? */
interface Taking {
  took: boolean;
}

/** What the devices of a host show; a host without levels, and levels that are not asked for, are left out. */
export async function tellStatus(
  { host, level, devices, timeoutMs }: JobData<'fence-status'>,
  own: OwnDevices,
  signal: AbortSignal,
): Promise<JobResult<'fence-status'>> {
  const found = await own.devices.levelsOf(host, signal);
  if ('failure' in found) return { ok: false, detail: found.detail };
  const wanted = found.filter(({ number }) => level === null || number === level);
  const levels = await Promise.all(
    wanted.map(async (outline) => {
      // Ceph is asked by whoever decides.
      if (outline.kind === 'ceph') return outline;
      const isAsked = (i: number) => !outline.isListener && (devices === null || devices.includes(i));
      const asked = [...outline.devices.keys()].filter(isAsked);
      const named = { number: outline.number, agent: agentsOf(outline), devices: asked };
      const seen = asked.length === 0 ? [] : await own.devices.look(host, named, timeoutMs, signal);
      const told = outline.devices.map(({ agent }, i) => {
        return { agent, power: seen?.[asked.indexOf(i)] ?? null };
      });
      return { number: outline.number, isListener: outline.isListener, devices: told };
    }),
  );
  return { ok: true, by: own.name, plan: own.plan, levels };
}

/** Powers a host off by one level, if the order is still one; or listens for its crash kernel. */
export async function carryOut(
  data: JobData<'fence-off'>,
  own: OwnDevices,
  signal: AbortSignal,
): Promise<JobResult<'fence-off'>> {
  const { name: by, devices, clock } = own;
  const startedAtMs = clock.steadyMs();
  const startedMs = clock.nowMs();
  const { host, tell, timeoutMs, order } = data;
  const level = await plannedLevel(data, own, signal);
  const taking: Taking = { took: false };
  if (typeof level === 'string') return { kind: 'not-told', by, ...taking, why: level };
  const call = { host, level, timeoutMs, signal };
  try {
    const result = await (order === null
      ? devices.listen(call)
      : devices.powerOff({
          ...{ ...call, right: order.right, beforeTelling: () => confirmOrder(order, host, own, taking) },
          ...(tell === null ? {} : { tell }),
        }));
    // By both of its clocks no later than it was: whoever asked counts on from when he asked.
    const tookMs = clock.steadyMs() - startedAtMs;
    return { kind: 'ended', by, ...taking, end: endOf(result, startedMs, tookMs) };
  } catch (error) {
    if (error instanceof NotToldError) return { kind: 'not-told', by, ...taking, why: error.message };
    throw error;
  }
}

/** The level that is meant, by the plan of whoever asks; or why it is not carried out. */
async function plannedLevel(
  { host, level, agents, plan, order }: JobData<'fence-off'>,
  own: OwnDevices,
  signal: AbortSignal,
): Promise<DeviceOutline | string> {
  if (plan !== own.plan) return `it fences by plan ${own.plan}, and plan ${plan} was asked for`;
  const found = await own.devices.levelsOf(host, signal);
  const planned = 'failure' in found ? undefined : found.find(({ number }) => number === level);
  const isMeant = planned?.devices.map(({ agent }) => agent).join('\n') === agents.join('\n');
  const isSuch = isMeant && planned?.kind !== 'ceph' && planned?.isListener === (order === null);
  return isSuch ? planned : `its plan has no such level ${level} of ${host}`;
}

/**
 * The last thing before a device is told. Taken, it is asked once more: this machine may have stood still before it
 * read the answer, and its clocks with it. @throws NotToldError
 */
async function confirmOrder(
  order: NonNullable<JobData<'fence-off'>['order']>,
  host: string,
  { orders, clock }: OwnDevices,
  taking: Taking,
): Promise<void> {
  const taker = randomUUID();
  for (const _ of ['taken', 'still']) {
    const sentAtMs = clock.steadyMs();
    const found = await orders.take(order, host, taker);
    taking.took = found !== 'gone' && (taking.took || found !== 'not-locked');
    const why = whyNot(order, found);
    if (why !== null) throw new NotToldError(why);
    if (clock.steadyMs() - sentAtMs > timings.recoveryLock.freshMs)
      throw new NotToldError('Redis is too slow to confirm the order');
  }
}

function endOf(result: LevelResult, startedMs: number, tookMs: number) {
  const told = [...result.told];
  if (!result.off) return { off: false as const, failure: result.failure, told };
  const { atMs, output } = result;
  const afterMs = Math.max(0, Math.min(atMs - startedMs, tookMs));
  return { off: true as const, afterMs, output, told };
}
