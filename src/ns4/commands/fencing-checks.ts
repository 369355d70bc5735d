// What `ns4 --check` asks of fencing: whether every hypervisor has levels, and what each device says of its host.
import pLimit, { type LimitFunction } from 'p-limit';
import type { FencingSettings } from '../../shared/config/settings.ts';
import type { Hosts } from '../../shared/documents/inventory.ts';
import { fencingText } from '../../shared/documents/terms/fencing-mode.ts';
import {
  fencingPlansOf,
  fencingPlansText,
  type PlanOfOne,
} from '../../shared/documents/terms/fencing-plans.ts';
import { shortened } from '../../shared/documents/terms/shortened.ts';
import { counted } from '../../shared/ground/counted.ts';
import { errorText, OperationalError } from '../../shared/ground/errors.ts';
import { Picture } from '../../shared/picture/picture.ts';
import type { Check, MoreChecks } from '../../shared/process/check.ts';
import { heartbeatOf } from '../../shared/rules/senses/heartbeat.ts';
import {
  agentsOf,
  type CephLevel,
  type DeviceLevel,
  type FencingPlan,
  isListener,
  levelsOf,
  planGaps,
} from '../fencing/plan.ts';
import type { PowerSeen } from '../fencing/proof.ts';
import type { LevelWord } from './proof-today.ts';
import { askStatus, triedTogether } from './try-out.ts';

/** Devices asked at once. */
const concurrency = 16;
/** Hosts with a line each; more of them share one. */
const mostLines = 32;
const mostNamed = 5;

/**
 * `hypervisors`: as Nova has them now, with their agents; rejects when they cannot be read. Then one check for each host
 * with levels, whose devices are all asked at once; of many hosts one for all. `beats`: by what and when a host counts as
 * heard. `told`: what the levels of a host said, before the check that needs it ends.
 */
export function fencingChecks(
  settings: FencingSettings,
  plan: FencingPlan | null,
  hypervisors: () => Promise<Hosts>,
  beats: { readonly heartbeatPeriodMs: number },
  signal: AbortSignal,
  ceph: CephAsked | null,
  told: (host: string, words: readonly LevelWord[]) => void = () => undefined,
): (Check | MoreChecks)[] {
  const mode = fencingText(settings.mode).replace('fencing: ', '');
  if (plan === null) return [{ what: 'fencing', run: async () => mode }];
  return [
    {
      what: 'fencing',
      run: async () => {
        const gaps = planGaps(plan, await hypervisors());
        return [`${mode}; ${plan.file}`, ...gaps.map((gap) => `WARNING: ${gap}`)].join('; ');
      },
    },
    async () => {
      // Read before the devices are asked: whoever is off by then was not, or the device is another's.
      const known = await hypervisors().catch(() => null);
      const others = plan.others === null ? [] : (known?.hypervisors ?? []);
      const hosts = new Set([...plan.hosts.keys(), ...others.map((h) => h.host)]);
      const picture = known === null ? null : Picture.of(known, null);
      const heard = (host: string): string | null => {
        if (picture?.hypervisor(host) === undefined) return null;
        const { says, why } = heartbeatOf(host, picture, picture.collectedAtMs, beats);
        return says === 'alive' ? why : null;
      };
      const isEmpty = (host: string) => picture?.hypervisor(host)?.runningVms === 0;
      const limit = pLimit(concurrency);
      const ask: Asking = { timeoutMs: settings.timeoutMs, signal, limit, ceph, isEmpty };
      return together(statusChecks([...hosts].sort(), plan, heard, told, ask));
    },
  ];
}

/**
 * Whether every ns4 that is there fences by the plan that stands in this fencing.yaml now.
 * @throws OperationalError when one does not: nobody is fenced then
 */
export function describePlans(own: string, registered: readonly PlanOfOne[]): string {
  const plans = fencingPlansOf(registered);
  const others = plans.filter(({ plan }) => plan !== own);
  if (others.length > 0)
    throw new OperationalError(
      `this fencing.yaml is ${own}, and ${fencingPlansText(others)}: nobody is fenced before all have the same; an ns4 reads it when it starts`,
    );
  return `${own}; of ${plans[0]?.of.join(', ') ?? 'no ns4 that is there'}`;
}

function statusChecks(
  hosts: readonly string[],
  plan: FencingPlan,
  heard: (host: string) => string | null,
  told: (host: string, words: readonly LevelWord[]) => void,
  ask: Asking,
): OfOneHost[] {
  return hosts.map((host) => {
    const asked = levelsOf(plan, host).map((level) =>
      level.kind === 'ceph' ? askCut(level, host, ask) : statusText(level, ask),
    );
    const answers = Promise.all(asked);
    // Awaited when its line is due; until then its failure is nobody's.
    answers.catch(() => undefined);
    return {
      what: `fencing of ${host}`,
      run: async () => {
        const texts = await answers;
        told(host, texts);
        const text = texts.map((one) => one.text).join('; ');
        const why = texts.some(({ isOff, isCut }) => isOff || isCut) ? heard(host) : null;
        if (why !== null && !texts.some(({ isOff }) => isOff))
          throw new Error(`${text}; but ${host} is heard (${why}): no instance there can open its disk`);
        if (why !== null)
          throw new Error(
            `${text}; but ${host} is heard (${why}): a device that says off is not that of ${host}, or tells nothing`,
          );
        if (texts.some(({ well }) => !well)) throw new Error(text);
        return text;
      },
    };
  });
}

type OfOneHost = Check & { run(): Promise<string> };

/** A thousand lines are read by nobody: of so many hosts only those with trouble are named. */
function together(checks: readonly OfOneHost[]): Check[] {
  if (checks.length <= mostLines) return [...checks];
  const what = 'fencing of all hosts';
  const run = async () => {
    const ends = await Promise.allSettled(checks.map((check) => check.run()));
    const failed = ends.flatMap((end, i) =>
      end.status === 'fulfilled'
        ? []
        : [`${checks[i]?.what.replace('fencing of ', '')}: ${errorText(end.reason)}`],
    );
    if (failed.length === 0) return `${counted(ends.length, 'host')}, every level answers`;
    throw new OperationalError(
      `${failed.length} of ${counted(ends.length, 'host')}: ${shortened(failed, mostNamed)}`,
    );
  };
  return [{ what, run }];
}

/** Asks Ceph whether a host is cut off: as CephFence.stillCut, of the addresses that are known. */
export type CephAsked = (host: string, timeoutMs: number, signal: AbortSignal) => Promise<PowerSeen>;

interface Asking {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly limit: LimitFunction;
  /** Null: no [CEPH]. */
  readonly ceph: CephAsked | null;
  /** Runs nothing, so that nobody could know from where it opens disks. */
  isEmpty(host: string): boolean;
}

/** What the level `ceph` would find: can Ceph be asked, and is it known where the host opens its disks? */
async function askCut(level: CephLevel, host: string, { timeoutMs, signal, limit, ceph, isEmpty }: Asking) {
  const { says, text } = await limit(() => cutSeen(host, ceph, timeoutMs, signal));
  return {
    well: says !== 'unknown' || isEmpty(host),
    ...{ kind: 'ceph' as const, isOff: false, isCut: says === 'off' },
    text: `level ${level.number}, ${agentsOf(level)}: ${text}`,
  };
}

/** The same of one host, for people. */
export async function cutSeen(
  host: string,
  ceph: CephAsked | null,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<{ readonly says: PowerSeen['says']; readonly text: string }> {
  const { says, said }: PowerSeen =
    ceph === null ? { says: 'unknown', said: 'this ns4 has no [CEPH]' } : await ceph(host, timeoutMs, signal);
  const text = { on: 'not cut off', off: 'cut off from Ceph', unknown: 'nobody could be cut off' }[says];
  return { says, text: `${text} (${said})` };
}

async function statusText(level: DeviceLevel, { timeoutMs, signal, limit }: Asking) {
  const tried = await Promise.all(
    level.devices.map((device) => limit(() => askStatus(device, timeoutMs, signal))),
  );
  const { well, text } = triedTogether(level, tried);
  // Of two feeds one may be off.
  const isOff = tried.every((one) => one.isOff === true);
  const kind = isListener(level) ? ('listener' as const) : ('device' as const);
  return { kind, well, isOff, isCut: false, text: `level ${level.number}, ${agentsOf(level)}: ${text}` };
}
