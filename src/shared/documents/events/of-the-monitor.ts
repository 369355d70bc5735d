// Events about the monitor itself, and about what operators told it.
import { z } from 'zod';
import { fencingModeSchema } from '../terms/fencing-mode.ts';
import { event } from './entry.ts';
import { times } from './words.ts';

/** A monitor leads from now on; `resumed`: it goes on from a state that was there before. */
const monitorStarted = event(
  'monitor-started',
  {
    resumed: z.boolean(),
    who: z.string(),
    epoch: z.number(),
    fencing: fencingModeSchema,
  },
  {
    level: 'info',
    says: ({ resumed, who, epoch, fencing }) => {
      const leads = resumed
        ? `The monitor ${who} leads now (epoch ${epoch}) and goes on where the last one stood.`
        : `The monitor ${who} is watching (epoch ${epoch}).`;
      return fencing === 'none'
        ? `${leads} Fencing: none, silence is the only proof that a host is dead.`
        : leads;
    },
  },
);

const monitorStopped = event(
  'monitor-stopped',
  {},
  { level: 'info', says: () => 'The monitor stops watching.' },
);

const backoffOver = event(
  'backoff-over',
  { rounds: z.number() },
  {
    level: 'info',
    says: ({ rounds }) => `No hypervisor is suspicious any more; backed off ${times(rounds)}.`,
  },
);

/** An operator gave the word that a host is off. */
const fenceConfirmed = event(
  'fence-confirmed',
  { host: z.string(), by: z.string() },
  {
    hosts: ({ host }) => [host],
    level: 'warning',
    says: ({ host, by }) =>
      `${by} says that ${host} is off. That is taken as proof for an hour, unless a heartbeat of it comes.`,
  },
);

const cooldownReset = event(
  'cooldown-reset',
  { by: z.string() },
  { level: 'warning', says: ({ by }) => `The cooldown was reset by ${by}.` },
);

const safeModeLeft = event(
  'safe-mode-left',
  { by: z.string() },
  {
    level: 'warning',
    says: ({ by }) => `Recoveries are allowed again: ${by} accepted that Redis lost what I knew.`,
  },
);

export const monitorEvents = [
  monitorStarted,
  monitorStopped,
  backoffOver,
  fenceConfirmed,
  cooldownReset,
  safeModeLeft,
] as const;
