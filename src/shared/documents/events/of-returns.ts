// Events about hosts that were recovered and are heard again.
import { z } from 'zod';
import { quoted } from '../../ground/plain.ts';
import { event } from './entry.ts';
import { mayRunTwiceText } from './twice-text.ts';
import { list, seconds } from './words.ts';

/**
 * The host is heard, and nobody has destroyed what it ran of instances that were moved. Said again and again until it
 * is over. `sinceMs` of `forMs`: for how long it has been so.
 */
const runningTwice = event(
  'running-twice',
  {
    host: z.string(),
    /** Their names; none: nobody knows which. */
    instances: z.array(z.string()),
    evidence: z.array(z.string()),
    forMs: z.number(),
    /** Why nobody can tell whether Nova has destroyed them; null: it tells that it has not. */
    untold: z.string().nullable().default(null),
  },
  {
    hosts: ({ host }) => [host],
    level: 'error',
    says: ({ host, instances, evidence, forMs, untold }) =>
      `${mayRunTwiceText(host, instances)} ${host} was recovered, and it is heard again${forMs < 1_000 ? '' : ` for ${seconds(forMs)}`} (${list(evidence)}), ${clearingText(untold)}. Or did you boot it just now? Then start its nova-compute, which destroys them; "ns4 --copies-gone ${host}" when you have made sure that nothing of them runs there.`,
  },
);

const clearingText = (untold: string | null): string =>
  untold === null
    ? 'but Nova has not destroyed its copies there'
    : `and nobody can tell whether its copies there are destroyed (${untold})`;

const ends = {
  completed: 'Nova has destroyed its copies there (the evacuations are completed)',
  silent: 'it is not heard any more. It is off, or cut off again',
  word: 'nothing of them runs there',
  closed: 'its incident is closed',
} as const;

/** `by`: whose word it is. */
const runningTwiceOver = event(
  'running-twice-over',
  {
    host: z.string(),
    why: z.enum(['completed', 'silent', 'word', 'closed']),
    by: z.string().nullable(),
  },
  {
    hosts: ({ host }) => [host],
    level: ({ why }) => (why === 'silent' ? 'warning' : 'info'),
    says: ({ host, why, by }) =>
      `${host}: no instance is known to run twice any more: ${by === null ? '' : `by the word of ${by} `}${ends[why]}.`,
  },
);

/** A recovered host may be taken back into service. */
const returnChecked = event(
  'return-checked',
  { host: z.string(), listed: z.number() },
  {
    hosts: ({ host }) => [host],
    level: ({ listed }) => (listed === 0 ? 'info' : 'warning'),
    says: ({ host, listed }) => {
      const left =
        listed === 0
          ? 'Nova has nothing on it'
          : `but Nova still has ${listed === 1 ? '1 instance' : `${listed} instances`} on it, please look`;
      return `${host} is back: its nova-compute reports, no evacuation is left uncompleted, ${left}. "openstack compute service set --up", then "--enable", takes it into service.`;
    },
  },
);

/** Found with the mark of a recovery that nothing is remembered of. `reason`: the mark, as Nova has it. */
const returnWatched = event(
  'return-watched',
  { hosts: z.array(z.object({ host: z.string(), reason: z.string() })) },
  {
    hosts: ({ hosts }) => hosts.map(({ host }) => host),
    level: 'warning',
    says: ({ hosts }) =>
      hosts.length === 1
        ? `${named(hosts)} was found marked by an earlier recovery; its return is watched.`
        : `${hosts.length} hosts were found marked by earlier recoveries; their return is watched: ${named(hosts)}.`,
  },
);

const named = (hosts: readonly { readonly host: string; readonly reason: string }[]): string =>
  list(
    hosts.map(({ host, reason }) => `${host} (${quoted(reason)})`),
    20,
  );

export const returnEvents = [runningTwice, runningTwiceOver, returnChecked, returnWatched] as const;
