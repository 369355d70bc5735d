// `sonny --check`: everything sonny needs, reached once; nothing is posted and no cursor moves.

import type { Settings } from '../shared/config/settings.ts';
import type { Log } from '../shared/ground/log.ts';
import { type Check, runChecks } from '../shared/process/check.ts';
import type { ExitCode, Frame } from '../shared/process/frame.ts';
import { probeRedis } from '../shared/redis/probe.ts';
import { connectClouds } from './inbox/clouds.ts';
import type { Slack } from './slack/slack.ts';
import { secondsText } from './talk/status.ts';

/** Runs the checks and prints a line for each; 1 when one failed. */
export async function check(
  settings: Settings,
  slack: Slack | null,
  log: Log,
  frame: Frame,
): Promise<ExitCode> {
  const { clouds } = settings.slack;
  const checks: Check[] = [
    { what: 'configuration', run: async () => `${settings.file}, following ${clouds.join(', ')}` },
    ...clouds.flatMap((cloud) => cloudChecks(cloud, settings, log, frame)),
    {
      what: 'Slack',
      run: async () =>
        slack === null ? 'no token: events go to the terminal, questions cannot be asked' : slack.check(),
    },
  ];
  return runChecks(checks, (line) => process.stdout.write(`${line}\n`));
}

function cloudChecks(cloud: string, settings: Settings, log: Log, frame: Frame): Check[] {
  // All at once: a server that is away is away for each of them.
  const found = probeRedis(settings.redis, cloud);
  // Told when its line is due.
  found.catch(() => undefined);
  return [
    { what: `Redis of ${cloud}`, run: () => found },
    {
      what: `inventory of ${cloud}`,
      needs: `Redis of ${cloud}`,
      run: async () => {
        const only = { ...settings, slack: { ...settings.slack, clouds: [cloud] } };
        const { readers } = connectClouds(only, 'slack', log, frame);
        const picture = (await readers.get(cloud)?.inventory.read()) ?? null;
        if (picture === null) return 'none yet';
        const age = secondsText(Date.now() - picture.collectedAtMs);
        return `${picture.hypervisors.length} hypervisors, updated ${age} ago`;
      },
    },
  ];
}
