// The port to fence devices for an ns4 without a way to them (`[SCAN] fences = no`): each look and each `off` is a job
// for a vantage point that fences. What is decided stays here, with the notes of shots and the silence of the host; away
// goes one step only. Every wait is bounded by this process' own clock, and nothing that is heard is dated by another's.
import { randomUUID } from 'node:crypto';
import type {
  FenceJobName,
  JobData,
  JobOutcome,
  JobResult,
} from '../../../shared/documents/jobs/contracts.ts';
import type { FenceFailure } from '../../../shared/documents/refusals/of-recoveries.ts';
import {
  type FencingPlans,
  fencingPlansOf,
  fencingPlansText,
} from '../../../shared/documents/terms/fencing-plans.ts';
import type { Clock } from '../../../shared/ground/clock.ts';
import { errorText } from '../../../shared/ground/errors.ts';
import type { VantagePointRegistry } from '../../../shared/vantage-points/registry.ts';
import type { Devices, DevicesCall, OffCall } from '../devices.ts';
import type { LevelResult } from '../level.ts';
import { agentsOf } from '../plan.ts';
import type { PowerSeen } from '../proof.ts';
import { type FenceOrders, orderLifeMs } from './orders.ts';

/** The queue on which those work that fence. */
interface FenceQueue {
  add<N extends FenceJobName>(name: N, id: string, data: JobData<N>): Promise<void>;
  outcome<N extends FenceJobName>(name: N, id: string): Promise<JobOutcome<N>>;
  remove(id: string): Promise<unknown>;
}

interface FarParts {
  readonly queue: FenceQueue;
  readonly orders: FenceOrders;
  readonly registry: Pick<VantagePointRegistry, 'list'>;
  readonly clock: Clock;
}

/** To take a job, and to say what came of it. */
const handOverMs = 2_000;
/** For the levels alone: nobody is asked for them at the device. */
const outlineMs = 8_000;
/** After the time of its level: the last look, agents that are ended, and the way back. */
const aftermathMs = 20_000;
const pollMs = 100;

type StatusJob = Pick<JobData<'fence-status'>, 'host' | 'level' | 'devices' | 'timeoutMs'>;
type Status = Extract<JobResult<'fence-status'>, { ok: true }>;

export function farDevices(parts: FarParts): Devices {
  /** By which plan the levels of each host were told last: `off` is meant by that one. */
  const plans = new Map<string, string>();
  return {
    async levelsOf(host, signal) {
      const data: StatusJob = { host, level: null, devices: [], timeoutMs: 0 };
      const found = await status(data, outlineMs, parts, signal);
      if (typeof found === 'string') return nobody(found);
      plans.set(host, found.plan);
      return found.levels;
    },
    async powerOff(call) {
      const plan = plans.get(call.host);
      if (plan === undefined) throw new Error(`nobody was asked for the levels of ${call.host}`);
      return powerOff(call, plan, parts);
    },
    async listen(call) {
      const plan = plans.get(call.host);
      if (plan === undefined) throw new Error(`nobody was asked for the levels of ${call.host}`);
      return listen(call, plan, parts);
    },
    async look(host, { number, agent, devices = null }, timeoutMs, signal) {
      const asked = devices === null ? null : [...devices];
      const data: StatusJob = { host, level: number, devices: asked, timeoutMs };
      const found = await statusOrTrouble(data, timeoutMs + handOverMs, parts, signal);
      if (typeof found === 'string') return [{ says: 'unknown', said: found }];
      const [level] = found.levels;
      const isOfPlan = found.plan === (plans.get(host) ?? found.plan);
      if (level === undefined || level.kind === 'ceph' || !isOfPlan || agentsOf(level) !== agent) return null;
      const seen = level.devices.filter((_, i) => asked === null || asked.includes(i));
      return seen.map(({ power }): PowerSeen => {
        return power === null ? silent : { ...power, said: `${power.said} (asked by ${found.by})` };
      });
    },
  };
}

const silent: PowerSeen = { says: 'unknown', said: 'it was not asked' };

const nobody = (detail: string): FenceFailure => ({ agent: 'ns4', failure: 'nobody-fences', detail });

/** By which plans those fence that are there now. */
const plansNow = async ({ registry }: Pick<FarParts, 'registry'>): Promise<FencingPlans> =>
  fencingPlansOf((await registry.list()).plans);

/**
 * What the devices show, as somebody who fences tells by the one plan that all have; or why nobody does. An answer that
 * was kept from here for long is none: it is taken for one of now.
 */
async function status(
  data: StatusJob,
  limitMs: number,
  parts: FarParts,
  signal: AbortSignal,
): Promise<Status | string> {
  const plans = await plansNow(parts);
  const [plan, other] = plans;
  if (plan === undefined) return '[SCAN] fences = no here, and no other ns4 is there that fences';
  if (other !== undefined) return `those that fence do so by different plans (${fencingPlansText(plans)})`;
  const id = `fence-status-${randomUUID()}`;
  const untilMs = parts.clock.steadyMs() + limitMs;
  await parts.queue.add('fence-status', id, { ...data, requestedAtMs: parts.clock.nowMs() });
  const outcome = await ended('fence-status', id, untilMs, parts, signal);
  if (outcome === null || parts.clock.steadyMs() > untilMs + handOverMs)
    return `${plan.of.join(', ')} did not answer within ${limitMs / 1_000} s`;
  if (outcome.state === 'missing') return 'Redis lost the question';
  if (outcome.state === 'failed') return outcome.detail;
  const { result } = outcome;
  if (!result.ok) return result.detail;
  return result.plan === plan.plan
    ? result
    : `${result.by} fences by plan ${result.plan}, and ${plan.plan} is registered`;
}

/** A look rejects when aborted only: that nobody could be asked says as little as a device that does not answer. */
async function statusOrTrouble(
  data: StatusJob,
  limitMs: number,
  parts: FarParts,
  signal: AbortSignal,
): Promise<Status | string> {
  try {
    return await status(data, limitMs, parts, signal);
  } catch (error) {
    signal.throwIfAborted();
    return errorText(error);
  }
}

/**
 * The end of a job; null: it has none by then, and where nobody began with it nobody will. A Redis that is away for a
 * moment is asked again until then.
 */
async function ended<N extends FenceJobName>(
  name: N,
  id: string,
  untilMs: number,
  { queue, clock }: FarParts,
  signal: AbortSignal,
): Promise<Exclude<JobOutcome<N>, { state: 'waiting' | 'running' }> | null> {
  let isEnded = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      const outcome = await queue.outcome(name, id).catch(() => null);
      isEnded = outcome !== null && outcome.state !== 'waiting' && outcome.state !== 'running';
      if (outcome !== null && outcome.state !== 'waiting' && outcome.state !== 'running') return outcome;
      if (clock.steadyMs() >= untilMs) return null;
      await clock.sleep(pollMs, signal);
    }
  } finally {
    if (!isEnded) await queue.remove(id).catch(() => undefined);
  }
}

const jobOf = ({ host, level, timeoutMs }: DevicesCall, plan: string, requestedAtMs: number) => ({
  ...{ host, timeoutMs, plan, requestedAtMs },
  ...{ level: level.number, agents: level.devices.map(({ agent }) => agent) },
});

/**
 * The order is given after `beforeTelling` kept what is about to be told, and counts for some seconds. Where it is
 * certain that nobody took it, the devices were told nothing; where it was taken and nobody says what came of it, they
 * may have been.
 */
async function powerOff(call: OffCall, plan: string, parts: FarParts): Promise<LevelResult> {
  const { right, tell, timeoutMs, signal, level } = call;
  const { orders, queue, clock } = parts;
  await call.beforeTelling();
  const id = randomUUID();
  const jobId = `fence-off-${id}`;
  const [givenAtMs, givenMs] = [clock.steadyMs(), clock.nowMs()];
  const told = [...(tell ?? level.devices.keys())];
  const failed = (failure: FenceFailure['failure'], detail: string, isCertain: boolean): LevelResult => ({
    off: false,
    failure: { agent: agentsOf(level), failure, detail },
    told: isCertain ? told.map((device) => ({ device, effect: 'none', seenOff: false })) : [],
  });
  try {
    const order = { id, right, untilMs: (await orders.place(id)) + orderLifeMs };
    const data = { ...jobOf(call, plan, givenMs), order, tell: tell === undefined ? null : [...tell] };
    await queue.add('fence-off', jobId, data);
    const takenByMs = givenAtMs + orderLifeMs + handOverMs;
    let outcome = await ended('fence-off', jobId, takenByMs, parts, signal);
    if (outcome?.state !== 'done' && !(await orders.withdraw(id)))
      return failed('not-told', whyUntaken(outcome, await plansNow(parts)), true);
    outcome ??= await ended('fence-off', jobId, givenAtMs + timeoutMs + aftermathMs, parts, signal);
    if (outcome?.state !== 'done') return failed('lost', whyUnknown(outcome), false);
    const { result } = outcome;
    // Redis may have handed the job to two: the one that did not take the order cannot say that nobody was told.
    if (!result.took && (await orders.withdraw(id)))
      return failed('lost', `${result.by} did not take the order, and another one may have`, false);
    if (result.kind === 'not-told') return failed('not-told', `${result.by}: ${result.why}`, true);
    return resultOf(result, givenMs);
  } finally {
    // Aborted, or without Redis: nobody would hear what came of it. Otherwise it runs out by itself.
    await orders.withdraw(id).catch(() => undefined);
  }
}

async function listen(call: DevicesCall, plan: string, parts: FarParts): Promise<LevelResult> {
  const { clock, queue } = parts;
  const [askedAtMs, askedMs] = [clock.steadyMs(), clock.nowMs()];
  const jobId = `fence-off-${randomUUID()}`;
  const agent = agentsOf(call.level);
  await queue.add('fence-off', jobId, { ...jobOf(call, plan, askedMs), order: null, tell: null });
  const untilMs = askedAtMs + call.timeoutMs + handOverMs;
  const outcome = await ended('fence-off', jobId, untilMs, parts, call.signal);
  const failed = (detail: string): LevelResult => ({
    off: false,
    failure: { agent, failure: 'no-message', detail },
    told: [],
  });
  if (outcome?.state !== 'done') return failed(whyUnknown(outcome));
  const { result } = outcome;
  return result.kind === 'ended' ? resultOf(result, askedMs) : failed(`${result.by}: ${result.why}`);
}

type NoResult = Exclude<JobOutcome<'fence-off'>, { state: 'waiting' | 'running' | 'done' }> | null;

function whyUntaken(outcome: NoResult, plans: FencingPlans): string {
  if (outcome?.state === 'failed') return outcome.detail;
  if (outcome?.state === 'missing') return 'Redis lost the order';
  const names = plans.flatMap(({ of }) => of);
  return `${names.join(', ') || 'nobody'} did not take the order within ${orderLifeMs / 1_000} s`;
}

function whyUnknown(outcome: NoResult): string {
  if (outcome === null) return 'it did not answer in time';
  return outcome.state === 'failed' ? outcome.detail : 'Redis lost its answer';
}

/**
 * As of when it was asked, by this process' own clock: no later than it truly was, so that no sign of life that came
 * after it is taken for one of before.
 */
function resultOf(
  { by, end }: Extract<JobResult<'fence-off'>, { kind: 'ended' }>,
  askedMs: number,
): LevelResult {
  if (!end.off)
    return { ...end, failure: { ...end.failure, detail: `${end.failure.detail} (told by ${by})` } };
  return { off: true, atMs: askedMs + end.afterMs, output: `${end.output} (told by ${by})`, told: end.told };
}
