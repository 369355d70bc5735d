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
import { OperationalError } from '../../shared/ground/errors.ts';
import type { Check, MoreChecks } from '../../shared/process/check.ts';
import { agentsOf, type FencingPlan, type Level, levelsOf, planGaps } from '../fencing/plan.ts';
import { askStatus, triedTogether } from './try-out.ts';

/** Devices asked at once. */
const concurrency = 16;

/**
 * `hypervisors`: as Nova has them now; rejects when they cannot be read. Then one check for each host with levels,
 * whose devices are all asked at once.
 */
export function fencingChecks(
  settings: FencingSettings,
  plan: FencingPlan | null,
  hypervisors: () => Promise<Pick<Hosts, 'hypervisors'>>,
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
      const others = plan.others === null ? null : await hypervisors().catch(() => null);
      const hosts = new Set([...plan.hosts.keys(), ...(others?.hypervisors ?? []).map((h) => h.host)]);
      return statusChecks([...hosts].sort(), plan, settings.timeoutMs, signal);
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
        if (texts.some(({ well }) => !well)) throw new Error(texts.map(({ text }) => text).join('; '));
        return texts.map(({ text }) => text).join('; ');
      },
    };
  });
}

async function statusText(level: Level, timeoutMs: number, signal: AbortSignal, limit: LimitFunction) {
  const tried = await Promise.all(
    level.devices.map((device) => limit(() => askStatus(device, timeoutMs, signal))),
  );
  const { well, text } = triedTogether(level, tried);
  return { well, text: `level ${level.number}, ${agentsOf(level)}: ${text}` };
}
