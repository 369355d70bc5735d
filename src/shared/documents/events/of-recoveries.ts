// Events of a recovery: asked for, continued, its steps, each instance, its end.
import { z } from 'zod';
import { evacuationReportSchema } from '../jobs/evacuate.ts';
import { type InstanceReport, instanceReportSchema } from '../jobs/recover.ts';
import { targetSchema, targetsText } from '../plan.ts';
import { event } from './entry.ts';
import { progressSchema, progressText } from './progress.ts';
import { endedText, endedWell } from './report-text.ts';
import { seconds } from './words.ts';

/** What ns4 tells carries both names, and where the plan sends the instances. */
const names = {
  incident: z.string(),
  recovery: z.string(),
  dead: z.string(),
  targets: z.array(targetSchema),
};
const pair = { incident: z.string(), dead: z.string(), spare: z.string() };

const evacuationRequested = event('evacuation-requested', pair, {
  level: 'warning',
  says: ({ dead, spare, incident }) => `Recovering ${dead} -> ${spare} (incident ${incident}).`,
});

const evacuationContinued = event(
  'evacuation-continued',
  { ...pair, attempt: z.number(), why: z.string() },
  {
    level: 'warning',
    says: ({ dead, spare, attempt, why }) =>
      `Continuing ${dead} -> ${spare} with another worker, attempt ${attempt}: ${why}.`,
  },
);

const recoveryProgress = event(
  'progress',
  { ...names, progress: progressSchema },
  {
    level: 'info',
    says: ({ dead, targets, progress }) =>
      `${dead} -> ${targetsText(targets)}: ${progressText(dead, progress)}.`,
  },
);

const instanceEnded = event(
  'instance',
  { ...names, instance: instanceReportSchema },
  {
    level: ({ instance }) => (instance.outcome === 'recovered' ? 'info' : 'error'),
    says: ({ instance }) => instanceText(instance),
  },
);

function instanceText(i: InstanceReport): string {
  const took = i.tookMs === null ? '' : ` after ${seconds(i.tookMs)}`;
  switch (i.outcome) {
    case 'recovered':
      return `${i.name} is back on ${i.to}${took} (${i.after ?? i.before}).`;
    case 'skipped':
      return `${i.name} stays where it is: ${i.why}.`;
    case 'failed':
      return `${i.name} could not be recovered: ${i.why}.`;
    case 'unfinished':
      return `${i.name} is not back yet: ${i.why}.`;
  }
}

const evacuationEnded = event(
  'evacuation-ended',
  { report: evacuationReportSchema },
  {
    level: ({ report }) => (endedWell(report) ? 'info' : 'error'),
    says: ({ report }) => endedText(report),
  },
);

const evacuationLost = event(
  'evacuation-lost',
  { ...pair, why: z.string() },
  {
    level: 'error',
    says: ({ dead, spare, why }) =>
      `Nobody knows how ${dead} -> ${spare} ended (${why}). Please look; the cooldown stands.`,
  },
);

export const recoveryEvents = [
  evacuationRequested,
  evacuationContinued,
  recoveryProgress,
  instanceEnded,
  evacuationEnded,
  evacuationLost,
] as const;
