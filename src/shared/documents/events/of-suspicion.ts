// Events on the way from a suspicion to a death or back, and each refusal.
import { z } from 'zod';
import { refusalEntry, refusalSchema, refusalSentence } from '../refusals/refusals.ts';
import { event } from './entry.ts';
import { list, seconds } from './words.ts';

const suspectsFound = event(
  'suspects-found',
  { hosts: z.array(z.object({ host: z.string(), silentMs: z.number() })) },
  {
    level: 'warning',
    says: ({ hosts }) =>
      `No heartbeat from ${list(hosts.map((h) => `${h.host} for ${seconds(h.silentMs)}`))}. Looking closer.`,
  },
);

const refused = event(
  'refused',
  { refusal: refusalSchema },
  {
    level: ({ refusal }) => refusalEntry(refusal).level,
    says: ({ refusal }) => refusalSentence(refusal),
  },
);

/** A standing refusal or suspicion about `scope` (a host, or "cloud") is over. */
const cleared = event(
  'cleared',
  { scope: z.string(), of: z.string() },
  {
    level: 'info',
    says: ({ scope, of }) => {
      if (of === 'control-plane-suspect' && /^(zone|aggregate) |^cloud$/.test(scope))
        return `Agents and compute services of ${scope === 'cloud' ? 'the cloud' : scope} report again.`;
      if (scope !== 'cloud') return `${scope} is no longer suspicious (it was: ${of}).`;
      return of === 'too-many-suspects'
        ? 'The number of suspects is within the limit again.'
        : 'I can see the cloud again.';
    },
  },
);

/** The host scan was sighted and found them silent; their instances are asked next. */
const hostsSilent = event(
  'hosts-silent',
  { hosts: z.array(z.object({ host: z.string(), detail: z.string() })) },
  {
    level: 'warning',
    says: ({ hosts }) =>
      `No answer from ${list(hosts.map((h) => `${h.host} (${h.detail})`))}, while the control hosts answer. Asking the instances.`,
  },
);

const hostDead = event(
  'host-dead',
  { host: z.string(), evidence: z.array(z.string()) },
  { level: 'error', says: ({ host, evidence }) => `${host} is dead: ${evidence.join('; ')}.` },
);

const disabledWithInstances = event(
  'disabled-with-instances',
  { host: z.string(), instances: z.number() },
  {
    level: 'warning',
    says: ({ host, instances }) =>
      `${host} is disabled, yet ${instances} instances are on it; it is treated as any other.`,
  },
);

export const suspicionEvents = [
  suspectsFound,
  refused,
  cleared,
  hostsSilent,
  hostDead,
  disabledWithInstances,
] as const;
