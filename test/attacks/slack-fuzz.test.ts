// Everything that Slack may send, bent: envelopes of Socket Mode in every field, texts that are none, replies of the Web API.
// sonny acknowledges, lives, keeps to one connection, and answers the next question. `SEED` repeats it, `RUNS` makes it longer.
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commandPayload, eventPayload, messageEvent, pressPayload } from '../../simulator/slack/payloads.ts';
import { type Post, type Slack, startSlack } from '../../simulator/slack/slack.ts';
import { announce } from '../../src/shared/documents/events/events.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { Household, type Running } from '../support/processes.ts';
import { until } from '../support/raw-api.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { crashWords, within } from './crew.ts';
import { garbled, seeded, Tried } from './nonsense.ts';

let redis: TestRedis;
let slack: Slack;
let house: Household;
let sonny: Running;
beforeEach(async () => {
  [redis, slack] = await Promise.all([startRedis(), startSlack({ channels: ['ops'] })]);
  const of = { token: slack.botToken, app_token: slack.appToken, channel: 'ops', api_url: slack.apiUrl };
  house = new Household({
    ...{ cloud: 'cloud1', redisPort: redis.port, cloudsYaml: 'clouds: {}\n' },
    ini: { SLACK: { ...of, clouds: 'cloud1' } },
  });
  sonny = house.start('sonny', '-vv');
  await slack.posted(/initialized/, 30_000);
  await until(
    () => slack.connections,
    (connections) => connections === 1,
  );
});
afterEach(async () => {
  await house.close();
  await Promise.all([slack.close(), redis.stop()]);
});

async function answers(): Promise<void> {
  const question = await within(slack.say('help', { mention: true }), 40_000);
  await slack
    .posted((post) => post.threadTs === question.ts, 40_000)
    .catch((error) => {
      throw new Error(`${error}\n${sonny.output.slice(-3_000)}`);
    });
  expect(sonny.alive).toBe(true);
  expect(slack.connections).toBe(1);
  expect(sonny.output.split('\n').filter((line) => crashWords.test(line))).toEqual([]);
}

test('envelopes', async () => {
  const { random, runs } = seeded('bent envelopes of Slack', 20);
  const tried = new Tried();
  const post: Post = {
    ...{ ts: '1700000000.000100', channel: slack.channel('ops').id, user: 'U0OPERATOR', blocks: null },
    ...{ text: `<@${slack.botUserId}> status`, threadTs: null, byApp: false },
    ...{ ephemeralFor: null, atMs: 0 },
  };
  const command = {
    ...{ command: '/sonny', text: 'status', user: 'U0OPERATOR' },
    channel: slack.channel('ops'),
  };
  const kinds: Record<string, () => object> = {
    message: () => eventPayload(messageEvent(post, 'message')),
    app_mention: () => eventPayload(messageEvent(post, 'app_mention')),
    slash_commands: () => commandPayload(command, 'http://127.0.0.1:1/response/x'),
    interactive: () =>
      pressPayload({ actionId: 'a', value: 'v', user: 'U0OPERATOR', post }, 'http://127.0.0.1:1/response/x'),
  };
  let sent = 0;
  for (let run = 0; run < runs; run += 1) {
    const acknowledged: Promise<unknown>[] = [];
    for (const [kind, payload] of Object.entries(kinds)) {
      for (let i = 0; i < 4; i += 1) {
        const bent = tried.bend(random, kind, payload());
        acknowledged.push(slack.sendEvent(bent.value));
        const type = ['message', 'app_mention'].includes(kind) ? 'events_api' : kind;
        const envelope = { envelope_id: `e-${run}-${kind}-${i}`, type, payload: payload() };
        // Not a question that is one: its answer would be right.
        slack.sendRaw(String(garbled(random, tried, `envelope of ${kind}`, JSON.stringify(envelope)).text));
        sent += 2;
      }
    }
    slack.sendRaw(String(garbled(random, tried, 'greeting', '{"type":"hello","num_connections":1}').text));
    await within(Promise.all(acknowledged), 30_000);
  }
  await answers();
  process.stdout.write(
    `${sent} envelopes, ${tried.fields.length} fields, ${tried.untouched.length} untouched\n`,
  );
}, 180_000);

test('replies of the Web API', async () => {
  const { random, runs } = seeded('bent replies of Slack', 20);
  const tried = new Tried();
  const keys = keysOf('cloud1');
  for (let run = 0; run < runs; run += 1) {
    slack.bend((method, reply) => (random.chance(0.4) ? tried.bend(random, method, reply).value : reply));
    const event = announce('cloud1', Date.now(), { kind: 'monitor-stopped' });
    await house.redis.xadd(keys.events, '*', 'event', JSON.stringify(event));
    await house.redis.publish(keys.channel, '{}');
    void slack.say('status', { mention: true });
    if (run % 4 === 3) slack.dropSockets();
    await delay(400);
  }
  slack.bend(null);
  await answers();
  process.stdout.write(`${tried.total} replies bent, ${tried.fields.length} fields\n`);
}, 180_000);
