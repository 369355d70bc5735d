// `npm run demo`: the main job, seen in under half a minute. A private redis-server, a pretend OpenStack and a pretend
// Slack that speak the real protocols, and the three real processes; then the plug of a hypervisor is pulled.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { eventSchema, type SonnyEvent } from '../../src/shared/documents/events/events.ts';
import { OperationalError } from '../../src/shared/ground/errors.ts';
import { type ExitCode, type Frame, runProcess } from '../../src/shared/process/frame.ts';
import { databaseNumber, keysOf } from '../../src/shared/redis/keys.ts';
import { type Simulator, startSimulator } from '../simulator.ts';
import { type Slack, startSlack } from '../slack/slack.ts';
import { startPrivateRedis } from './private-redis.ts';
import { startProcesses } from './processes.ts';
import { Screen } from './screen.ts';

const cloud = 'demo';
const dead = 'hv01';
/** The name of its ns4. */
const vantagePoint = 'demo';
/** Everything must have happened by then; a demo that hangs is a defect. */
const limitMs = 45_000;

await runProcess('demo', async (frame) => {
  const screen = new Screen(process.stdout);
  const begunMs = Date.now();
  const [redis, simulator, slack] = await Promise.all([
    startPrivateRedis(),
    // Ports above 1023: the demo works without root. Short intervals: nobody wants to wait for a minute.
    startSimulator({
      cloud,
      computes: 4,
      hypervisorPorts: { open: [10022, 16509], closed: [10111] },
      instancePorts: { open: [10022], closed: [] },
      durations: { reportIntervalMs: 500, serviceDownMs: 3_000, agentDownMs: 3_000 },
    }),
    startSlack({ channels: ['cloud-ops'] }),
  ]);
  frame.onClose('Redis', () => redis.stop());
  frame.onClose('the pretend OpenStack', () => simulator.close());
  frame.onClose('the pretend Slack', () => slack.close());
  await furnish(simulator);

  screen.title('A small cloud: three hypervisors at work, hv04 set aside as a spare');
  screen.cloud(simulator.snapshot());
  const died = new AbortController();
  const processes = startProcesses(configOf(redis.port, slack), simulator.cloudsYaml(), (name, code) =>
    died.abort(new OperationalError(`${name} ended with ${code}; see ${name}.log in the folder named above`)),
  );
  frame.onClose('ns4, monitor and sonny', () => processes.stop());
  screen.line();
  screen.line(`ns4, monitor and sonny are started in ${processes.dir}`);
  const events = await follow(redis.port, frame);
  const stop = AbortSignal.any([frame.stop, died.signal, AbortSignal.timeout(limitMs)]);
  await waitUntilWatched(events, redis.port, stop);
  const heard = await waitUntilHeard(simulator, redis.port, stop);
  screen.line(
    `ns4 has heard all ${heard} addresses that answer: the silence of one means something from now on`,
  );
  await slack.posted(/initialized/i);

  screen.title(`The plug of ${dead} is pulled`);
  screen.zero();
  await simulator.kill(dead);
  const shown = events.length;
  const ended = await narrate(events, shown, screen, stop);
  screen.title('The cloud now');
  screen.cloud(simulator.snapshot());

  // Slack gets a post a second at most: the last words may still be on their way.
  await slack.posted((post) => post.text.includes(ended.text.replaceAll('>', '&gt;')));
  for (const words of ['show vm web-1', 'status']) {
    const question = await slack.say(words, { mention: true });
    await slack.posted((post) => post.threadTs === question.ts);
  }
  screen.title('The Slack channel, as people see it');
  screen.slack(slack.posts, slack.botUserId);
  return conclude(screen, simulator, ended, { dir: processes.dir, tookMs: Date.now() - begunMs });
});

async function furnish(simulator: Simulator): Promise<void> {
  for (const name of ['web-1', 'web-2', 'db-1']) await simulator.boot(name, dead);
  await simulator.boot('batch-1', dead, { stopped: true });
  await simulator.boot('mail-1', 'hv02');
  await simulator.boot('wiki-1', 'hv03');
  simulator.spare('hv04');
}

function configOf(redisPort: number, slack: Slack): string {
  return `[DEFAULT]
monitor_period = 2
heartbeat_period = 3

[REDIS]
host = 127.0.0.1
port = ${redisPort}

[OPENSTACK]
cloud = ${cloud}

[SCAN]
hypervisor_ports = 10022,10111,16509
instance_ports = 10022
timeout = 1
name = ${vantagePoint}

[SLACK]
token = ${slack.botToken}
app_token = ${slack.appToken}
channel = ${slack.channel('cloud-ops').id}
clouds = ${cloud}
api_url = ${slack.apiUrl}
`;
}

/** Collects every event as it is published, as any program of an operator could. */
async function follow(redisPort: number, frame: Frame): Promise<SonnyEvent[]> {
  const events: SonnyEvent[] = [];
  const subscriber = new Redis({
    host: '127.0.0.1',
    port: redisPort,
    protocol: 2,
    maxRetriesPerRequest: null,
  });
  subscriber.on('error', () => {});
  subscriber.on('message', (_channel, text) => events.push(eventSchema.parse(JSON.parse(text))));
  await subscriber.subscribe(keysOf(cloud).channel);
  frame.onClose('the event feed', () => subscriber.disconnect());
  return events;
}

/** Until the monitor has seen the whole cloud once. */
async function waitUntilWatched(
  events: readonly SonnyEvent[],
  redisPort: number,
  stop: AbortSignal,
): Promise<void> {
  const redis = new Redis({ host: '127.0.0.1', port: redisPort, db: databaseNumber(cloud), protocol: 2 });
  try {
    while (
      !events.some((e) => e.facts.kind === 'monitor-started') ||
      (await redis.exists(keysOf(cloud).instances)) === 0
    )
      await delay(50, undefined, { signal: stop });
  } catch (error) {
    throw stop.aborted ? stop.reason : error;
  } finally {
    redis.disconnect();
  }
}

/**
 * Until ns4 has heard every hypervisor and every instance that runs: whoever never answered is never judged by his
 * silence. Resolves with how many they are.
 */
async function waitUntilHeard(simulator: Simulator, redisPort: number, stop: AbortSignal): Promise<number> {
  const { hosts, servers } = simulator.snapshot();
  const running = Object.values(servers).filter(({ status }) => status === 'ACTIVE');
  const names = [...Object.keys(hosts), ...running.map(({ name }) => name)];
  const addresses = names.flatMap((name) => simulator.addressOf(name) ?? []);
  const redis = new Redis({ host: '127.0.0.1', port: redisPort, db: databaseNumber(cloud), protocol: 2 });
  try {
    while ((await redis.hmget(keysOf(cloud).heard(vantagePoint), ...addresses)).includes(null))
      await delay(50, undefined, { signal: stop });
    return addresses.length;
  } catch (error) {
    throw stop.aborted ? stop.reason : error;
  } finally {
    redis.disconnect();
  }
}

/** Shows the events from now on until the evacuation ended. */
async function narrate(
  events: readonly SonnyEvent[],
  from: number,
  screen: Screen,
  stop: AbortSignal,
): Promise<SonnyEvent> {
  for (let next = from; ; ) {
    const event = events[next];
    if (event === undefined) {
      if (stop.aborted) throw stop.reason;
      await delay(30);
      continue;
    }
    next += 1;
    screen.event(event);
    if (event.facts.kind === 'recovery-ended') return event;
  }
}

function conclude(
  screen: Screen,
  simulator: Simulator,
  ended: SonnyEvent,
  { dir, tookMs }: { dir: string; tookMs: number },
): ExitCode {
  const servers = Object.values(simulator.snapshot().servers);
  const left = servers.filter((server) => server.host === dead);
  const doubled = servers.filter((server) => server.everTwoWriters);
  const well = ended.level === 'info' && left.length === 0 && doubled.length === 0;
  screen.title('Where everything went');
  screen.line(`  configuration   ${join(dir, 'config.ini')}, ${join(dir, 'clouds.yaml')}`);
  screen.line(`  logs            ${join(dir, '{ns4,monitor,sonny}.log')}`);
  screen.line(`  Redis           was private to this demo and is gone`);
  screen.line();
  const words = well
    ? screen.paint('green', `Every instance of ${dead} is back; no disk ever had two writers.`)
    : screen.paint(
        'red',
        `Not as it should be: ${left.length} left on ${dead}, ${doubled.length} with two writers.`,
      );
  screen.line(`${words} ${screen.paint('dim', `(${(tookMs / 1000).toFixed(1)} s in all)`)}`);
  return well ? 0 : 1;
}
