// The port through which a recovery gets its proof, and its making from the devices of the plan and the operators'
// confirmations. Everything is decided here, also where another vantage point asks and tells the devices.

import type { FenceRight } from '../../shared/documents/jobs/fence.ts';
import type { FenceFailure } from '../../shared/documents/refusals/of-recoveries.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import type { Log } from '../../shared/ground/log.ts';
import type { Asked } from '../disks/ask-instances.ts';
import type { Bystanders } from './bystanders.ts';
import { type CephFence, type CephResult, cutOffAsLevel } from './ceph-level.ts';
import type { Devices } from './devices.ts';
import type { LevelResult } from './level.ts';
import type { Confirmation, OperatorConfirmations } from './operator-confirmations.ts';
import { agentsOf, builtIn, type CephLevel, type DeviceOutline, deviceLabel } from './plan.ts';
import type { LastingProof, PowerSeen, Proof } from './proof.ts';
import { seenTogether } from './seen-together.ts';
import { again, type Shot, type Shots } from './shots.ts';
import { usableConfirmation } from './usable-confirmation.ts';

/** What is about to be told. */
interface NextShot {
  /** The agents of the devices that are told. */
  readonly agent: string;
  /** The level's, from 1. */
  readonly number: number;
  /** Which addresses are about to be blocked, where that is all: no machine is switched off. Null: devices are told. */
  readonly blocks: readonly string[] | null;
  /**
   * Keeps that they may have been told: to be called when nothing speaks against it any more. A worker that is lost in the
   * act leaves a successor that must not shoot whoever was switched on since.
   */
  keep(): Promise<void>;
}

export interface FenceRequest {
  readonly host: string;
  /** A level that was told `off` in it may not be told again; see shots.ts. */
  readonly incident: string;
  /** That are still its own: their disks must be nobody's when it was cut off from Ceph. */
  readonly instances: readonly Asked[];
  readonly signal: AbortSignal;
  /** Shown by whoever tells a device in this one's stead, right before it. */
  readonly right: FenceRight;
  /**
   * The newest sign of life of the host that is known of; null: none. An operator's confirmation older than it is void.
   */
  readonly heardAtMs: number | null;
  /**
   * Another machine fell silent at the `off` to this one, as was found then: its devices are neither told nor believed,
   * and only an operator's word that is newer counts. Null: nothing of that kind is known.
   */
  readonly doubtedSinceMs: number | null;
  /**
   * Why the host's own silence is no evidence; null: it is, as somebody heard it before. Anybody can send a crash kernel's
   * message in its name: without that silence nothing would contradict one.
   */
  readonly noSilence: string | null;
  /**
   * Right before the `off` to the devices of a level leaves: resolves only with a fresh right to power the host off,
   * rejects when it must not be (any more). Whatever it rejects with, `fence` rejects with.
   */
  readonly beforeOff: (shot: NextShot) => Promise<void>;
}

type FenceOutcome =
  | { readonly proven: true; readonly proof: Proof }
  | { readonly proven: false; readonly failures: readonly FenceFailure[] };

/** Proves that hosts are off. Null in place of it: nobody asks for proof. */
export interface Fencing {
  /**
   * Tries the host's levels in order; a failure is a value. Rejects only by `beforeOff` or `signal`, or without Redis.
   */
  fence(request: FenceRequest): Promise<FenceOutcome>;
  /** The proof is kept in a journal: a confirmation that it rests on is used up. */
  kept(host: string, proof: Proof): Promise<void>;
  /** Asks the very devices that gave this proof, once and not for long: one that says on is enough. Rejects by `signal` only. */
  lookAgain(host: string, proof: LastingProof, signal: AbortSignal): Promise<PowerSeen>;
  /** Who else answered at the shots. */
  readonly bystanders: Bystanders;
}

/**
 * With a confirmation the devices are still asked, as they make a wrong one harmless, but nobody waits for them long.
 */
const timeoutWhenConfirmedMs = 15_000;
/** No longer than the scan of a silent host that goes on beside it. */
const lookAgainMs = 3_000;

interface FencingParts {
  readonly devices: Devices;
  readonly confirmations: Pick<OperatorConfirmations, 'of' | 'useUp'>;
  readonly shots: Shots;
  readonly bystanders: Bystanders;
  /** Null: no [CEPH], and so no level of it. */
  readonly ceph: CephFence | null;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

export function createFencing(parts: FencingParts): Fencing {
  const { devices, confirmations, bystanders, timeoutMs, log } = parts;
  return {
    bystanders,
    async fence(request) {
      const { host, heardAtMs, doubtedSinceMs, signal } = request;
      const given = await usableConfirmation(host, heardAtMs, parts);
      if (doubtedSinceMs !== null)
        return given !== null && given.atMs > doubtedSinceMs
          ? { proven: true, proof: { by: 'operator', ...given, failed: [] } }
          : { proven: false, failures: [] };
      const limitMs = given === null ? timeoutMs : Math.min(timeoutMs, timeoutWhenConfirmedMs);
      const levels = await devices.levelsOf(host, signal);
      const failures: FenceFailure[] = 'failure' in levels ? [levels] : [];
      const noteFailure = (failure: FenceFailure, number: number): FenceFailure => {
        failures.push(failure);
        log.warn({ host, ...failure }, `fence level ${number} of ${host} failed`);
        return failure;
      };
      for (const level of 'failure' in levels ? [] : levels) {
        const { number } = level;
        const agent = agentsOf(level);
        const failed = failures.map(failureText);
        if (level.kind === 'ceph') {
          const result = await cutOffBy(level, limitMs, given, request, parts);
          if (result.off) {
            const { atMs, output } = result;
            const addresses = [...result.addresses];
            return {
              proven: true,
              proof: { by: 'ceph', agent, level: number, atMs, addresses, output, failed },
            };
          }
          if (isEnd(noteFailure(result.failure, number))) break;
          continue;
        }
        const isHeard = level.isListener;
        if (isHeard && request.noSilence !== null) {
          noteFailure({ agent, failure: 'no-silence', detail: request.noSilence }, number);
          continue;
        }
        const result = isHeard
          ? await devices.listen({ host, level, signal, timeoutMs: limitMs })
          : await offAgain(level, limitMs, given, request, parts);
        if (result.off) {
          const { atMs, output } = result;
          const by = isHeard ? ('crash-kernel' as const) : ('agent' as const);
          return { proven: true, proof: { by, agent, level: number, atMs, output, failed } };
        }
        if (isEnd(noteFailure(result.failure, number))) break;
      }
      // Whoever sees the levels fail goes and looks: his confirmation counts for the attempt that is under way.
      const confirmation = given ?? (await usableConfirmation(host, heardAtMs, parts));
      if (confirmation === null) return { proven: false, failures };
      return { proven: true, proof: { by: 'operator', ...confirmation, failed: failures.map(failureText) } };
    },
    async kept(host, proof) {
      if (proof.by === 'operator') await confirmations.useUp(host);
    },
    async lookAgain(host, proof, signal) {
      // From here, whoever fences, and by the addresses that are blocked: no plan says anything of those.
      if (proof.by === 'ceph')
        return parts.ceph === null
          ? { says: 'unknown', said: noCeph }
          : parts.ceph.stillCut(host, proof.addresses, lookAgainMs, signal);
      const asked = { number: proof.level, agent: proof.agent };
      const seen = await devices.look(host, asked, lookAgainMs, signal);
      // Another fencing.yaml than when it was fenced.
      if (seen === null) return { says: 'unknown', said: `${proof.agent} is no level of it any more` };
      return seenTogether({ devices: proof.agent.split(' + ').map((agent) => ({ agent })) }, seen);
    },
  };
}

const noCeph = 'this ns4 has no [CEPH]';

/** The host is in somebody's hands, for certain: another level that was not told yet would shoot it while it boots. */
const isEnd = ({ failure }: FenceFailure): boolean => failure === 'switched-on' || failure === 'lifted';

/** The level `ceph`. */
async function cutOffBy(
  level: CephLevel,
  timeoutMs: number,
  given: Confirmation | null,
  { host, incident, instances, signal, beforeOff }: FenceRequest,
  { ceph, shots, clock }: FencingParts,
): Promise<CephResult> {
  if (ceph === null)
    return { off: false, failure: { agent: builtIn, failure: 'cannot-run', detail: noCeph } };
  const { number } = level;
  return cutOffAsLevel(
    {
      ...{ level, host, incident, instances, timeoutMs, signal, wordAtMs: given?.atMs ?? null },
      beforeBlocking: (blocks, keep) => beforeOff({ agent: builtIn, number, blocks, keep }),
    },
    { ceph, shots, clock },
  );
}

/** `off`, and what became of it is kept for the next attempt of this incident. */
async function shoot(
  level: DeviceOutline,
  limitMs: number,
  request: FenceRequest,
  parts: FencingParts,
  tell?: readonly number[],
): Promise<LevelResult> {
  const { host, incident, signal, right, beforeOff } = request;
  const { devices, shots, clock } = parts;
  const keep = async (device: number, effect: Shot['effect'], seenOff: boolean) => {
    const before = await shots.last(host, incident, level.number, device);
    const agent = level.devices[device]?.agent ?? '';
    const shot = { level: level.number, device, agent, atMs: clock.nowMs(), effect };
    await shots.record(host, incident, { ...shot, seenOff: seenOff || before?.seenOff === true });
  };
  const next: NextShot = {
    agent: namesOf(level, tell),
    number: level.number,
    blocks: null,
    keep: async () => {
      for (const device of tell ?? level.devices.keys()) await keep(device, 'unknown', false);
    },
  };
  const result = await devices.powerOff({
    ...{ host, level, signal, right, timeoutMs: limitMs },
    ...(tell === undefined ? {} : { tell }),
    beforeTelling: () => beforeOff(next),
  });
  for (const { device, effect, seenOff } of result.told) await keep(device, effect, seenOff);
  return result;
}

/** Who is told, for people; all of the level unless `tell` says otherwise. */
const namesOf = (level: DeviceOutline, tell: readonly number[] = [...level.devices.keys()]): string =>
  agentsOf({ ...level, devices: level.devices.filter((_, i) => tell.includes(i)) });

/**
 * Devices that were told `off` before in this incident are asked first how the host is; a newer word of an operator has
 * them told again in any case. One that shows the host on since, or of which nobody knows, keeps all of its level from
 * being told. Otherwise those are told that still have to be.
 */
async function offAgain(
  level: DeviceOutline,
  limitMs: number,
  given: Confirmation | null,
  request: FenceRequest,
  parts: FencingParts,
): Promise<LevelResult> {
  const { host, incident } = request;
  const { shots, clock } = parts;
  const agent = agentsOf(level);
  const told = await Promise.all(
    level.devices.map(async (device, i) => {
      const last = await shots.last(host, incident, level.number, i);
      const isVoid = last === null || last.agent !== device.agent || (given?.atMs ?? 0) > last.atMs;
      return isVoid ? null : last;
    }),
  );
  const asked = told.flatMap((last, i) => (last === null ? [] : [i]));
  const askedMs = clock.nowMs();
  const words = asked.length === 0 ? [] : await lookAgainAt(level, asked, request, parts);
  const seen = told.map((last, i) => {
    return last === null ? null : { last, power: words[asked.indexOf(i)] ?? noWord };
  });
  if (seen.every((one) => one === null)) return shoot(level, limitMs, request, parts);
  const next = seen.map((one) => (one === null ? 'tell' : again(one.last, one.power.says, clock.nowMs())));
  for (const one of seen)
    if (one?.power.says === 'off') await shots.record(host, incident, { ...one.last, seenOff: true });
  for (const failure of ['switched-on', 'not-again'] as const) {
    const at = next.indexOf(failure);
    const one = seen[at] ?? null;
    if (one === null) continue;
    const toldAt = `told off at ${new Date(one.last.atMs).toISOString().slice(0, 19)}Z`;
    const detail = `${deviceLabel(level, at)}${toldAt}; now: ${one.power.said}`;
    return { off: false, failure: { agent, failure, detail }, told: [] };
  }
  const tell = next.flatMap((step, i) => (step === 'tell' ? [i] : []));
  if (tell.length > 0) return shoot(level, limitMs, request, parts, tell);
  const said = seen.map((one, i) => `${deviceLabel(level, i)}status: ${one?.power.said ?? ''}`);
  // Whoever was asked may have looked at once, and been heard late.
  return { off: true, atMs: askedMs, output: said.join('; '), told: [] };
}

const noWord: PowerSeen = { says: 'unknown', said: 'no answer' };

async function lookAgainAt(
  level: DeviceOutline,
  devices: readonly number[],
  { host, signal }: FenceRequest,
  parts: FencingParts,
): Promise<readonly PowerSeen[]> {
  const asked = { number: level.number, agent: agentsOf(level), devices };
  return (await parts.devices.look(host, asked, timeoutWhenConfirmedMs, signal)) ?? [];
}

const failureText = ({ agent, failure, detail }: FenceFailure): string => `${agent} ${failure}: ${detail}`;
