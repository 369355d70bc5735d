// `sonny --check`: everything sonny needs, reached once; nothing is posted and no cursor moves.

import type { Settings } from '../shared/config/settings.ts';
import { counted } from '../shared/ground/counted.ts';
import type { Log } from '../shared/ground/log.ts';
import { type Check, connectionsCheck, runChecks } from '../shared/process/check.ts';
import { connectionsOf } from '../shared/process/connection-safety.ts';
import { type ExitCode, type Frame, printLine } from '../shared/process/frame.ts';
import { probeRedis } from '../shared/redis/probe.ts';
import { connectReader } from './clouds.ts';
import { secondsText } from './render/durations.ts';
import type { Slack } from './slack/slack.ts';
import { monitorLine } from './talk/monitor-lines.ts';
import type { CloudReader } from './talk/views.ts';

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
    connectionsCheck(async () => connectionsOf('sonny', settings)),
    {
      what: 'Slack',
      run: async () =>
        slack === null ? 'no token: events go to the terminal, questions cannot be asked' : slack.check(),
    },
  ];
  return runChecks(checks, printLine);
}

function cloudChecks(cloud: string, settings: Settings, log: Log, frame: Frame): Check[] {
  // All at once: a server that is away is away for each of them.
  const found = probeRedis(settings.redis, cloud, 'sonny');
  // Told when its line is due.
  found.catch(() => undefined);
  let connected: CloudReader | null = null;
  const reader = () => {
    connected ??= connectReader(settings, cloud, log, frame);
    return connected;
  };
  const needs = `Redis of ${cloud}`;
  return [
    { what: needs, run: () => found },
    {
      what: `inventory of ${cloud}`,
      needs,
      run: async () => {
        const picture = await reader().inventory.read();
        if (picture === null) return 'none yet';
        const age = secondsText(Date.now() - picture.collectedAtMs);
        return `${counted(picture.hypervisors.length, 'hypervisor')}, updated ${age} ago`;
      },
    },
    {
      what: `monitor of ${cloud}`,
      needs,
      run: async () => {
        const [leader, published] = await Promise.all([reader().leader(), reader().status()]);
        return monitorLine({ leader, published }, Date.now());
      },
    },
  ];
}
