// The gates between a death and a recovery, in the order in which they are asked: the original's (limit, cooldown, then
// a spare), and before them those without which nobody knows whether there is a cooldown. The monitor asks them, and
// ns4 when it recovers by hand without a monitor. Pure.
import type { Picture } from '../../picture/picture.ts';
import { differingPlans } from '../fencing-plans.ts';
import type { Policy } from '../policy.ts';
import type { Gate } from './gate.ts';

/** Dead hosts that may be recovered together, or not. */
export interface Case {
  readonly hosts: readonly string[];
  /** Hosts that may be dying with them; they count for the limit however far apart their heartbeats run out. */
  readonly perhapsDead: readonly string[];
  /** Those of them of whom nobody was told yet. */
  readonly untold: readonly string[];
  /** Hosts with a recovery under way. */
  readonly recovering: number;
  /** Redis lost what was known, and nobody accepted it; null: it did not. */
  readonly safeMode: { readonly why: string } | null;
  /** When the last recovery began; null: it does not count any more. */
  readonly cooldown: { readonly sinceMs: number } | null;
  readonly nowMs: number;
}

type RecoveryGate = Gate<Case, Picture, Policy>;

const dryMode: RecoveryGate = {
  name: 'dry-mode',
  why: 'an operator who wants to see first what Sonny would do finds it done',
  waivable: true,
  check: ({ hosts }, _, { deadBackoff }) =>
    deadBackoff === 0 ? { name: 'dry-mode', hosts: [...hosts] } : null,
};

const safeMode: RecoveryGate = {
  name: 'state-lost',
  why: 'a cooldown or a recovery that Redis lost is overrun',
  waivable: true,
  check: ({ hosts, safeMode: held }) =>
    held === null ? null : { name: 'state-lost', hosts: [...hosts], why: held.why },
};

const onePlan: RecoveryGate = {
  name: 'fencing-plans-differ',
  why: 'the ns4 that takes the job powers off the machine that another plan names',
  waivable: false,
  check: ({ hosts }, picture, policy) => differingPlans(hosts, picture.fencingPlans, policy),
};

/** Whoever waives dry mode recovers one host, not none. */
const limitOf = ({ deadBackoff }: Policy): number => Math.max(1, deadBackoff);

const limit: RecoveryGate = {
  name: 'too-many-dead',
  why: 'a failure that looks like many deaths moves half a cloud',
  waivable: true,
  check: ({ hosts, recovering }, _, policy) =>
    hosts.length + recovering > limitOf(policy)
      ? { name: 'too-many-dead', hosts: [...hosts], limit: limitOf(policy) }
      : null,
};

/**
 * Within the limit those of whom nobody was told yet are waited for as well: they die together, and whoever is
 * recovered first would leave the others to the cooldown.
 */
const together: RecoveryGate = {
  name: 'perhaps-more-dead',
  why: 'the first of several that die together passes the limit alone',
  waivable: true,
  check: ({ hosts, perhapsDead, untold, recovering }, _, policy) =>
    hosts.length + perhapsDead.length + recovering > limitOf(policy) || untold.length > 0
      ? { name: 'perhaps-more-dead', hosts: [...hosts], others: [...perhapsDead], limit: limitOf(policy) }
      : null,
};

const cooldown: RecoveryGate = {
  name: 'cooldown',
  why: 'a failure that goes round recovers one host after the other',
  waivable: true,
  check: ({ hosts, cooldown: since, nowMs }, _, { cooldownMs }) => {
    if (since === null || nowMs >= since.sinceMs + cooldownMs) return null;
    const { sinceMs } = since;
    return { name: 'cooldown', hosts: [...hosts], sinceMs, untilMs: sinceMs + cooldownMs };
  },
};

/** In the order in which they are asked. */
export const recoveryGates: readonly RecoveryGate[] = [
  ...[dryMode, safeMode, onePlan, limit, together, cooldown],
];
