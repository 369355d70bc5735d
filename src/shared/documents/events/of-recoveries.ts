// Events of a recovery: ordered, asked for, continued, its steps, each instance, its end.

import { z } from 'zod';
import { quoted } from '../../ground/plain.ts';
import { type InstanceReport, instanceReportSchema, recoveryReportSchema } from '../jobs/recover.ts';
import { refusalSchema, refusalSentence } from '../refusals/refusals.ts';
import { targetSchema, targetsText } from '../terms/plan.ts';
import { event } from './entry.ts';
import { progressSchema, progressText } from './progress.ts';
import { endedText, endedWell, mute } from './report-text.ts';
import { seconds } from './words.ts';

/** Which recovery of which incident, whose instances, and where they go. */
const which = {
  incident: z.string(),
  recovery: z.string(),
  host: z.string(),
  targets: z.array(targetSchema),
};
const incident = (facts: { readonly incident: string }) => facts.incident;
const way = ({ host, targets }: Pick<z.infer<z.ZodObject<typeof which>>, 'host' | 'targets'>) =>
  `${host} -> ${targetsText(targets)}`;

/** `order`: the operator's order that it was begun by; null: the watch found the host dead. */
const recoveryRequested = event(
  'recovery-requested',
  { ...which, order: z.string().nullable() },
  {
    incident,
    level: 'warning',
    says: (facts) => `Recovering ${way(facts)} (incident ${facts.incident}).`,
  },
);

/** An operator's order to recover a host was not followed. */
const orderRefused = event(
  'order-refused',
  { order: z.string(), host: z.string(), by: z.string(), refusal: refusalSchema },
  {
    hosts: ({ host }) => [host],
    level: 'warning',
    says: ({ host, by, refusal }) =>
      `The order of ${by} to recover ${host} was refused: ${refusalSentence(refusal)}`,
  },
);

const recoveryContinued = event(
  'recovery-continued',
  { ...which, attempt: z.number(), why: z.string() },
  {
    incident,
    level: 'warning',
    says: (facts) => `Continuing ${way(facts)} with another worker, attempt ${facts.attempt}: ${facts.why}.`,
  },
);

const recoveryProgress = event(
  'progress',
  { ...which, progress: progressSchema },
  {
    incident,
    level: ({ progress }) => (progress.step === 'guests-answer' ? 'error' : 'info'),
    says: (facts) => `${way(facts)}: ${progressText(facts.host, facts.progress)}.`,
  },
);

const instanceEnded = event(
  'instance-ended',
  { ...which, instance: instanceReportSchema },
  {
    incident,
    level: ({ instance }) => (instance.outcome === 'recovered' ? 'info' : 'error'),
    says: ({ instance, targets }) => instanceText(instance, instance.to ?? targetsText(targets)),
  },
);

function instanceText(i: InstanceReport, to: string): string {
  const name = quoted(i.name);
  const took = i.tookMs === null ? '' : ` after ${seconds(i.tookMs)}`;
  switch (i.outcome) {
    case 'recovered':
      return `${name} is back on ${to}${took} (${i.after ?? i.before}).`;
    case 'skipped':
      return `${name} stays where it is: ${i.why}.`;
    case 'failed':
      return `${name} could not be recovered: ${i.why}.`;
    case 'unfinished':
      return `${name} is not back yet: ${i.why}.`;
  }
}

const recoveryEnded = event(
  'recovery-ended',
  { report: recoveryReportSchema },
  {
    incident: ({ report }) => report.incident,
    level: ({ report }) => (!endedWell(report) ? 'error' : mute(report).length > 0 ? 'warning' : 'info'),
    says: ({ report }) => endedText(report),
  },
);

const recoveryLost = event(
  'recovery-lost',
  { ...which, why: z.string() },
  {
    incident,
    level: 'error',
    says: (facts) => `Nobody knows how ${way(facts)} ended (${facts.why}). Please look; the cooldown stands.`,
  },
);

export const recoveryEvents = [
  recoveryRequested,
  orderRefused,
  recoveryContinued,
  recoveryProgress,
  instanceEnded,
  recoveryEnded,
  recoveryLost,
] as const;
