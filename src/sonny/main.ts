#!/usr/bin/env node
// Entry of sonny: wires settings, the event streams and inventories in Redis, and Slack (or the terminal) together.

import type { SlackSettings } from '../shared/config/settings.ts';
import { systemClock } from '../shared/ground/clock.ts';
import type { Log } from '../shared/ground/log.ts';
import type { Mask } from '../shared/masks/secrets.ts';
import { type CommonOptions, command, type Frame, runProcess } from '../shared/process/frame.ts';
import { start } from '../shared/process/start.ts';
import { check } from './checks.ts';
import { type Clouds, connectClouds, onEvents } from './clouds.ts';
import { Feed } from './inbox/feed.ts';
import { Relay } from './relay/relay.ts';
import { Silence } from './relay/silence.ts';
import { keepListening } from './slack/listening.ts';
import { Slack } from './slack/slack.ts';
import { judge } from './slack/slack-verdict.ts';
import { Answering } from './talk/answering.ts';
import { statusText } from './talk/status.ts';
import { readViews } from './talk/views.ts';
import { Terminal } from './terminal/terminal.ts';

const clock = systemClock;
/** One look reads every stream and posts once, each within its limit. */
const relayMostMs = 120_000;

await runProcess('sonny', async (frame) => {
  const program = command(
    'sonny',
    "Relays the monitor's events to Slack and answers questions.",
  ).exitOverride();
  const options = program.parse().opts<CommonOptions>();
  const { settings, log } = start('sonny', options, frame);
  const slack = slackOf(settings.slack, log, frame.secrets.mask);
  if (options.check) return check(settings, slack, log, frame);
  const clouds = connectClouds(settings, slack === null ? 'terminal' : 'slack', log, frame);
  const outlet = slack ?? new Terminal(process.stdout);
  const beat = frame.service.loop('the relay', relayMostMs);
  const relay = new Relay({
    ...{ feed: new Feed(clouds.sources, log), outlet, clock, log },
    onTurn: (pauseMs) => {
      frame.service.ready(`relays ${clouds.names.join(', ')} to ${outlet.name}`);
      beat(pauseMs);
    },
  });
  onEvents(settings, () => relay.wake(), log, frame);
  log.info({ clouds: clouds.names, config: settings.file }, `relaying to ${outlet.name}`);
  relay.say(`Sonny is initialized and follows ${clouds.names.join(', ')}.`);
  const silence = new Silence({
    statuses: new Map([...clouds.readers].map(([cloud, { status }]) => [cloud, status])),
    silenceMs: settings.monitor.silenceAlarmMs,
    say: (text) => relay.say(text),
    clock,
  });
  await Promise.all([
    relay.run(frame.stop),
    silence.run(frame.stop),
    slack === null ? null : listen(slack, settings.slack, relay, clouds, log, frame),
  ]);
  await relay.farewell('Sonny terminates.');
  return 0;
});

function slackOf(
  { token, channel, clouds: _, ...others }: SlackSettings,
  log: Log,
  mask: Mask,
): Slack | null {
  return token === null || channel === null ? null : new Slack({ token, channel, ...others }, log, mask);
}

/** Answers questions until stopped; beside the relay, which does not wait for any of this. */
function listen(slack: Slack, settings: SlackSettings, relay: Relay, clouds: Clouds, log: Log, frame: Frame) {
  const answering = new Answering({
    views: (server) => readViews(clouds.readers, server),
    reply: (asked, text) => slack.reply(asked, text),
    clock,
    log,
  });
  return keepListening(
    {
      login: () => slack.login(),
      open:
        settings.appToken === null
          ? null
          : (login) => slack.open(login, (asked) => void answering.take(asked)),
      judge,
      onReconnected: () =>
        void readViews(clouds.readers).then((seen) =>
          relay.say(`Connected again.\n${statusText(seen, clock.nowMs())}`),
        ),
      clock,
      log,
    },
    frame.stop,
  );
}
