// Events on the way from a suspicion to a death or back, and each refusal.
import { z } from 'zod';
import {
  refusalEntry,
  refusalHosts,
  refusalNames,
  refusalSchema,
  refusalSentence,
} from '../refusals/refusals.ts';
import { scopeSchema, scopeText } from '../terms/scope.ts';
import { event } from './entry.ts';
import { list, seconds } from './words.ts';

const suspectsFound = event(
  'suspects-found',
  { hosts: z.array(z.object({ host: z.string(), silentMs: z.number() })) },
  {
    hosts: ({ hosts }) => hosts.map(({ host }) => host),
    level: 'warning',
    says: ({ hosts }) =>
      `No heartbeat from ${list(hosts.map((h) => `${h.host} for ${seconds(h.silentMs)}`))}. Looking closer.`,
  },
);

const refused = event(
  'refused',
  { refusal: refusalSchema },
  {
    hosts: ({ refusal }) => refusalHosts(refusal),
    level: ({ refusal }) => refusalEntry(refusal).level,
    says: ({ refusal }) => refusalSentence(refusal),
  },
);

/** What stood about `scope` is over: a suspicion, or a refusal by name. */
const cleared = event(
  'cleared',
  { scope: scopeSchema, of: z.enum(['suspect', 'silent', ...refusalNames]) },
  {
    hosts: ({ scope }) => (scope.kind === 'host' ? [scope.name] : []),
    level: 'info',
    says: ({ scope, of }) => {
      const over = of === 'suspect' || of === 'silent' ? undefined : refusalEntry({ name: of }).over;
      return scope.kind === 'host' || over === undefined
        ? `${scopeText(scope)} is no longer suspicious (it was: ${of}).`
        : over(scopeText(scope));
    },
  },
);

/** The host scan was sighted and found them silent; their instances are asked next. */
const hostsSilent = event(
  'hosts-silent',
  { hosts: z.array(z.object({ host: z.string(), detail: z.string() })) },
  {
    hosts: ({ hosts }) => hosts.map(({ host }) => host),
    level: 'warning',
    says: ({ hosts }) =>
      `No answer from ${list(hosts.map((h) => `${h.host} (${h.detail})`))}, while the control hosts answer. Asking the instances.`,
  },
);

const hostDead = event(
  'host-dead',
  { host: z.string(), evidence: z.array(z.string()) },
  {
    hosts: ({ host }) => [host],
    level: 'error',
    says: ({ host, evidence }) => `${host} is dead: ${evidence.join('; ')}.`,
  },
);

const disabledWithInstances = event(
  'disabled-with-instances',
  { host: z.string(), instances: z.number() },
  {
    hosts: ({ host }) => [host],
    level: 'warning',
    says: ({ host, instances }) => `${host} is disabled, yet ${instances} instances are on it.`,
  },
);

/** A host of an earlier recovery is up and enabled again: its incident is closed. */
const returned = event(
  'returned',
  { host: z.string() },
  { hosts: ({ host }) => [host], level: 'info', says: ({ host }) => `${host} is back in service.` },
);

export const suspicionEvents = [
  suspectsFound,
  refused,
  cleared,
  hostsSilent,
  hostDead,
  disabledWithInstances,
  returned,
] as const;
