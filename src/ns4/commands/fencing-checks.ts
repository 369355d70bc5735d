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
import type { Clock } from '../../shared/ground/clock.ts';
import { OperationalError } from '../../shared/ground/errors.ts';
import { Picture } from '../../shared/picture/picture.ts';
import type { Check, MoreChecks } from '../../shared/process/check.ts';
import { heartbeatOf } from '../../shared/rules/senses/heartbeat.ts';
import { agentsOf, type FencingPlan, type Level, levelsOf, planGaps } from '../fencing/plan.ts';
import { askStatus, triedTogether } from './try-out.ts';

/** Devices asked at once. */
const concurrency = 16;

/**
 * `hypervisors`: as Nova has them now, with their agents; rejects when they cannot be read. Then one check for each host
 * with levels, whose devices are all asked at once. `beats`: by what and when a host counts as heard.
 */
export function fencingChecks(
  settings: FencingSettings,
  plan: FencingPlan | null,
  hypervisors: () => Promise<Hosts>,
  beats: { readonly heartbeatPeriodMs: number; readonly clock: Pick<Clock, 'nowMs'> },
  signal: AbortSignal,
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
        const { says, why } = heartbeatOf(host, picture, beats.clock.nowMs(), beats);
        return says === 'alive' ? why : null;
      };
      return statusChecks([...hosts].sort(), plan, settings.timeoutMs, heard, signal);
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
  timeoutMs: number,
  heard: (host: string) => string | null,
  signal: AbortSignal,
): Check[] {
  const limit = pLimit(concurrency);
  return hosts.map((host) => {
    const asked = levelsOf(plan, host).map((level) => statusText(level, timeoutMs, signal, limit));
    const answers = Promise.all(asked);
    // Awaited when its line is due; until then its failure is nobody's.
    answers.catch(() => undefined);
    return {
      what: `fencing of ${host}`,
      run: async () => {
        const texts = await answers;
        const text = texts.map((one) => one.text).join('; ');
        const why = texts.some(({ isOff }) => isOff) ? heard(host) : null;
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

async function statusText(level: Level, timeoutMs: number, signal: AbortSignal, limit: LimitFunction) {
  const tried = await Promise.all(
    level.devices.map((device) => limit(() => askStatus(device, timeoutMs, signal))),
  );
  const { well, text } = triedTogether(level, tried);
  // Of two feeds one may be off.
  const isOff = tried.every((one) => one.isOff === true);
  return { well, isOff, text: `level ${level.number}, ${agentsOf(level)}: ${text}` };
}
