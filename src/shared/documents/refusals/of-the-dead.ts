// Refusals because a dead host may not be recovered now.

import { z } from 'zod';
import { quoted } from '../../ground/plain.ts';
import { fencingPlansSchema, fencingPlansText } from '../terms/fencing-plans.ts';
import { refusal, theHost, theHosts } from './entry.ts';
import { list, utc } from './words.ts';

const host = z.string();
const hosts = z.array(z.string());

const dryMode = refusal(
  'dry-mode',
  { hosts },
  {
    stage: 'death',
    by: ['monitor'],
    level: 'error',
    about: theHosts,
    says: (r) => `Dry mode (dead_backoff = 0): ${list(r.hosts)} would be recovered. Nothing done.`,
    means: '`dead_backoff` is 0',
    remedy: 'evacuate by hand, or set it to 1',
  },
);

/** Redis lost what was known; no hosts: said when it is found out. */
const stateLost = refusal(
  'state-lost',
  { hosts, why: z.string() },
  {
    stage: 'death',
    by: ['monitor'],
    level: 'error',
    about: theHosts,
    sameWhen: ({ why }) => why,
    says: (r) =>
      r.hosts.length === 0
        ? `${r.why}. When the last recovery was, and what was done in it, is not known for sure, so nothing new is recovered until an operator looks and accepts it with "monitor --accept-empty-state". Watching goes on.`
        : `${list(r.hosts)} is dead, but what I knew was lost (${r.why}), and nobody accepted that yet. Nothing done: please look ("monitor --accept-empty-state" allows recoveries again).`,
    means:
      'Redis lost what was known, so a cooldown may be lost, and the journals are; said once, then for each dead host',
    remedy: 'look at what the last report said, then `monitor --accept-empty-state`',
  },
);

/** Two ns4 with different fencing.yaml; no hosts: said when it is found out. */
const fencingPlansDiffer = refusal(
  'fencing-plans-differ',
  { hosts, plans: fencingPlansSchema },
  {
    stage: 'death',
    by: ['monitor', 'ns4'],
    level: 'error',
    about: theHosts,
    over: () => 'All ns4 fence by the same plan again.',
    sameWhen: ({ plans }) => fencingPlansText(plans),
    says: (r) => {
      const differ = `the ns4 of this cloud fence by different plans (${fencingPlansText(r.plans)}): one of them may power off another machine than is meant`;
      const help = 'Please give all of them the same fencing.yaml, and restart those that had another.';
      return r.hosts.length === 0
        ? `${differ[0]?.toUpperCase()}${differ.slice(1)}. Nobody is fenced and nothing recovered until that is over. ${help}`
        : `${list(r.hosts)} is dead, but ${differ}. Nothing done. ${help}`;
    },
    means:
      'two living ns4 registered different plans of fencing (a hash of fencing.yaml without its secrets); with `mode = required` only',
    remedy:
      'the same fencing.yaml on every machine, then restart the ns4 named; `ns4 --check` names them too',
  },
);

const tooManyDead = refusal(
  'too-many-dead',
  { hosts, limit: z.number() },
  {
    stage: 'death',
    by: ['monitor'],
    level: 'error',
    about: theHosts,
    says: (r) =>
      r.hosts.length > r.limit
        ? `${r.hosts.length} hypervisors are dead at once (limit ${r.limit}): ${list(r.hosts)}. Nothing done: please look.`
        : `${list(r.hosts)} died while another recovery is under way (limit ${r.limit}). Nothing done: please look.`,
    means: 'more dead than `dead_backoff`',
    remedy: 'decide yourself; `ns4 -d HOST -s SPARE` for each',
  },
);

/** Others may be dying with it: unheard of since the suspicion, and silent to the same scan. */
const perhapsMoreDead = refusal(
  'perhaps-more-dead',
  { hosts, others: hosts, limit: z.number() },
  {
    stage: 'death',
    by: ['monitor'],
    level: 'warning',
    about: theHosts,
    says: (r) =>
      `${list(r.hosts)} is dead, but ${list(r.others)} gave no sign since and does not answer either. Waiting until their heartbeats tell how many are dying (limit ${r.limit}).`,
    means: 'others are silent too, their heartbeats have not run out yet',
    remedy: 'wait: they are heard again, or counted',
  },
);

const cooldown = refusal(
  'cooldown',
  { hosts, sinceMs: z.number(), untilMs: z.number() },
  {
    stage: 'death',
    by: ['monitor'],
    level: 'error',
    about: theHosts,
    sameWhen: ({ sinceMs }) => String(sinceMs),
    says: (r) =>
      `${list(r.hosts)} is dead, but the last recovery began ${utc(r.sinceMs)} and the cooldown lasts until ${utc(r.untilMs)}. Nothing done ("ns4 -r" forgets it).`,
    means: 'a recovery was made within `cooldown_period`',
    remedy: '`ns4 -r`, when the first death is understood',
  },
);

const noSpare = refusal(
  'no-spare',
  { host, candidates: z.array(z.object({ host, why: z.string() })) },
  {
    stage: 'death',
    by: ['monitor'],
    level: 'error',
    about: theHost,
    sameWhen: ({ candidates }) => candidates.map((c) => `${c.host} ${c.why}`).join(';'),
    says: (r) => {
      const why =
        r.candidates.length === 0
          ? 'no compute service is disabled with a reason that begins with "spare"'
          : r.candidates.map((c) => `${c.host} ${c.why}`).join('; ');
      return `${r.host} is dead, but there is no fitting spare: ${why}. Nothing done.`;
    },
    means: 'no fitting spare; the sentence says why each does not fit',
    remedy: 'set one aside',
  },
);

/** Much longer ones are cut: it is an operator's own text. */
const mostReason = 80;

/**
 * `reason`: as the operator wrote it; "": he gave none. `meanwhile`: the service bore the mark of its recovery, and
 * `reason` says how it is now.
 */
const operatorAtWork = refusal(
  'operator-at-work',
  { host, reason: z.string(), meanwhile: z.boolean() },
  {
    stage: 'death',
    by: ['monitor', 'ns4'],
    level: 'warning',
    about: theHost,
    sameWhen: ({ reason }) => reason,
    says: (r) =>
      r.meanwhile
        ? `Somebody changed the compute service of ${r.host} during its recovery (it is ${reasonText(r.reason)} now). An operator is at work there. Nothing more is asked for.`
        : `The compute service of ${r.host} is ${reasonText(r.reason)}. An operator is at work there, so the host is neither recovered nor powered off. If it is dead all the same: "ns4 -d ${r.host} --despite operator-at-work".`,
    means: "its compute service was disabled, by a reason that is neither a spare's nor Sonny's",
    remedy:
      'nothing, if it is planned; else `ns4 -d HOST --despite operator-at-work`; `[RECOVERY] disabled_hosts = recover` has such hosts recovered',
  },
);

function reasonText(reason: string): string {
  return reason.trim() === '' ? 'disabled without a reason' : `disabled (${quoted(reason, mostReason)})`;
}

export const deadRefusals = [
  dryMode,
  stateLost,
  fencingPlansDiffer,
  tooManyDead,
  perhapsMoreDead,
  cooldown,
  operatorAtWork,
  noSpare,
] as const;
