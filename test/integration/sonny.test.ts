// The sonny process before a real Redis and a pretend Slack that speaks the real protocols: questions and answers,
// lost connections, refused tokens, --check. The relay's side is in sonny-relay.test.ts.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Slack, startSlack } from '../../simulator/slack/slack.ts';
import { InventoryStore } from '../../src/shared/picture/store.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { hypervisor, inventory, server, spare } from '../support/inventories.ts';
import { incidentOf, monitorStatus } from '../support/monitor-statuses.ts';
import { Household, type Ini } from '../support/processes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
let slack: Slack;
let house: Household;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  slack = await startSlack({ channels: ['ops', 'other', 'foreign', 'D0ALONE'] });
});
afterEach(async () => {
  await house.close();
  await slack.close();
});

/** A household whose sonny posts to the pretend Slack. */
async function open(change: Record<string, string> = {}, env: NodeJS.ProcessEnv = {}): Promise<Household> {
  const ini: Ini = {
    SLACK: {
      token: slack.botToken,
      app_token: slack.appToken,
      channel: 'ops',
      ask: slack.channel('other').id,
      clouds: 'cloud1',
      api_url: slack.apiUrl,
      ...change,
    },
  };
  house = new Household({ cloud: 'cloud1', redisPort: redis.port, ini, cloudsYaml: 'clouds: {}\n', env });
  await house.redis.flushall();
  return house;
}

/** As open, with sonny started and connected. */
async function started(change: Record<string, string> = {}, verbosity = '-v') {
  await open(change);
  const sonny = house.start('sonny', verbosity);
  await slack.posted(/initialized/, 30_000);
  await until(() => slack.connections === 1);
  return sonny;
}

async function until(condition: () => boolean, limitMs = 10_000): Promise<void> {
  const endMs = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error(`not within ${limitMs} ms. ${await house.story()}`);
    await delay(20);
  }
}

/** What the bot answered in the thread of a question. */
async function ask(text: string): Promise<string> {
  const question = await slack.say(text, { mention: true });
  const answer = await slack
    .posted((post) => post.threadTs === question.ts)
    .catch(async (error: Error) => {
      throw new Error(`${error.message}\n${await house.story()}`);
    });
  return answer.text;
}

async function fillInventory(): Promise<void> {
  const { hosts, servers } = inventory(
    {
      hypervisors: [hypervisor('hv01', { name: 'hv01.example.org' }), spare('hv02')],
      servers: [server('web1', 'hv01'), server('<!channel>```', 'hv01', { id: 'id-evil' })],
    },
    Date.now() - 12_000,
  );
  if (hosts === null) throw new Error('no hosts');
  await new InventoryStore(house.redis, keysOf('cloud1')).write(hosts, servers);
}

/** As a monitor publishes it; none leads. */
async function publishStatus(change: object = {}): Promise<void> {
  const status = monitorStatus({ incidents: [incidentOf('hv01')] });
  await house.redis.set(keysOf('cloud1').status, JSON.stringify({ ...status, ...change }));
}

describe('questions', () => {
  it('are answered in their thread, each once, wherever the bot was mentioned', async () => {
    await started();
    await fillInventory();
    expect(await ask('help')).toContain('`show hv NAME`');
    expect(await ask('status')).toMatch(/^cloud1: inventory updated 1\d seconds ago\n/);
    expect(await ask('show hv <http://hv01.example.org|hv01.example.org>')).toMatch(
      /```\ncloud: cloud1\nhost: hv01\n[\s\S]*\n```$/,
    );
    expect(await ask('show vm id-web1')).toContain('name: web1');
    expect(await ask('show vm web2')).toContain('Did you mean web1?');
    expect(await ask('make coffee')).toContain('not sure what you mean');
    const elsewhere = await slack.say('help', { mention: true, channel: 'other' });
    const answer = await slack.posted((post) => post.threadTs === elsewhere.ts);
    expect(answer.channel).toBe(slack.channel('other').id);
    // Every mention came as `message` and as `app_mention`: seven questions, seven answers.
    await delay(300);
    expect(slack.appPosts.filter((post) => post.threadTs !== null)).toHaveLength(7);
  });

  it('about the status are answered from what the monitor published, of whichever version', async () => {
    await started();
    await fillInventory();
    expect(await ask('status')).toContain('\n    no monitor has published its status yet\n');
    await publishStatus();
    await house.redis.set(keysOf('cloud1').monitorLease, JSON.stringify({ who: 'host/1', token: 't' }));
    expect(await ask('status')).toMatch(
      /\n {4}host\/1 leads\n {4}fencing: none, .*\n {4}hv01: suspect, incident open for .*\n {4}no ns4 is there$/,
    );
    await publishStatus({ version: 2 });
    expect(await ask('status')).toContain('the status of the monitor cannot be read (version 2)');
  });

  it('cannot make the bot shout or break out of a code block', async () => {
    await started();
    await fillInventory();
    const answer = await ask('show vm id-evil');
    expect(answer).not.toContain('<!channel>');
    expect(answer.match(/```/g)).toHaveLength(2);
    expect(await ask('show vm <!channel>')).not.toContain('<!channel>');
  });

  it('are no questions without a mention at the beginning, nor from the bot itself', async () => {
    await started();
    await slack.say('help');
    await slack.say(`I told <@${slack.botUserId}> help`);
    await slack.say('help', { mention: true, user: slack.botUserId });
    expect(await ask('help')).toContain('status');
    expect(slack.appPosts.filter((post) => post.threadTs !== null)).toHaveLength(1);
  });

  it('are answered although Slack refuses the answer at first', async () => {
    await started();
    slack.rateLimit(1, 1);
    expect(await ask('help')).toContain('status');
  });

  it('asked while the connection is lost are answered after it', async () => {
    await started();
    slack.dropSockets();
    await until(() => slack.connections === 0);
    const question = slack.say('help', { mention: true });
    const { ts } = await question;
    await slack.posted((post) => post.threadTs === ts);
    await delay(300);
    expect(slack.appPosts.filter((post) => post.threadTs === ts)).toHaveLength(1);
  });

  it('cannot be asked without an app token, and sonny says so', async () => {
    await open({ app_token: 'None' });
    const sonny = house.start('sonny', '-v');
    await slack.posted(/initialized/, 30_000);
    await until(() => /I post only/.test(sonny.output));
    expect(slack.connections).toBe(0);
  });
});

describe('who may ask', () => {
  const foreign = { team: 'T0FOREIGN', user_team: 'T0FOREIGN' };
  const asked = { mention: true } as const;

  it('is who belongs to the own workspace and asks in a channel that was named', async () => {
    const sonny = await started();
    slack.channel('other').shared = true;
    const strangers = [
      await slack.say('status', { ...asked, channel: 'foreign' }),
      await slack.say('status', { ...asked, event: foreign }),
      await slack.say('status', { ...asked, channel: 'other', event: { source_team: 'T0FOREIGN' } }),
      // Nobody knows whose: Slack does not say, and strangers are in that channel.
      await slack.say('status', { ...asked, channel: 'other', event: { team: undefined } }),
      await slack.say('status', { channel: 'D0ALONE' }),
    ];
    for (const why of ['neither', 'another workspace', 'nobody knows whom', 'direct is no'])
      await until(() => sonny.output.includes(why));
    expect(await ask('help')).toContain('status');
    const threads = new Set(slack.appPosts.map((post) => post.threadTs));
    expect(strangers.filter(({ ts }) => threads.has(ts))).toEqual([]);
  });

  it('may ask alone with the bot where the configuration says so', async () => {
    await started({ direct: 'yes' });
    const foreigner = await slack.say('help', { channel: 'D0ALONE', event: foreign });
    const { ts } = await slack.say('help', { channel: 'D0ALONE' });
    await slack.posted((post) => post.threadTs === ts);
    expect(slack.appPosts.some((post) => post.threadTs === foreigner.ts)).toBe(false);
  });

  it('may ask with a file, which gives the message a subtype and no workspace', async () => {
    await started();
    const { ts } = await slack.say('help', { ...asked, event: { subtype: 'file_share', team: undefined } });
    await slack.posted((post) => post.threadTs === ts);
    await delay(300);
    expect(slack.appPosts.filter((post) => post.threadTs === ts)).toHaveLength(1);
  });
});

describe('what Slack sends', () => {
  it('is acknowledged and harmless, however odd', async () => {
    const sonny = await started();
    const odd = [null, [], {}, 'text', 7, { event: null }, { event: 'x' }, { event: { type: 'close' } }];
    const odder = [
      { event: { type: 'disconnected' } },
      { event: { type: 'message', text: {}, channel: [] } },
    ];
    // The payload that is undefined makes an envelope without one.
    await Promise.all([...odd, ...odder, undefined].map((payload) => slack.sendEvent(payload)));
    for (const raw of ['null', '7', '"x"', '[]', '{}', '{', '', '{"type":"events_api"}', '{"type":{}}'])
      slack.sendRaw(raw);
    slack.sendRaw('{"type":"ws_message","envelope_id":"e1","payload":{"event":{"type":"ws_message"}}}');
    expect(await ask('help')).toContain('status');
    expect(sonny.alive).toBe(true);
    expect(slack.connections).toBe(1);
    expect(slack.calls.filter((call) => call.method === 'apps.connections.open')).toHaveLength(1);
  });

  it('is not written at -vv: no ticket, and no message of anybody', async () => {
    const sonny = await started({}, '-vv');
    await slack.say('a word among colleagues', { channel: 'foreign' });
    expect(await ask('help')).toContain('status');
    await until(() => sonny.output.includes('Slack sent app_mention'));
    expect(sonny.output).not.toMatch(/ticket|among colleagues|wss?:/);
  });
});

describe('lost connections', () => {
  it('is back within seconds and posts the status', async () => {
    await started();
    await fillInventory();
    slack.dropSockets();
    const post = await slack.posted(/Connected again/);
    expect(post.text).toMatch(/^Connected again\.\ncloud1: inventory updated \d+ seconds ago/);
    expect(slack.connections).toBe(1);
  });

  it('exchanges a connection at once and silently when Slack asks for it', async () => {
    await started();
    slack.dropSockets({ announced: true });
    const opened = () => slack.calls.filter((call) => call.method === 'apps.connections.open').length;
    await until(() => opened() === 2 && slack.connections === 1);
    expect(await ask('help')).toContain('status');
    expect(slack.appPosts.some((post) => post.text.includes('Connected again'))).toBe(false);
  });

  it('defect 13: after several failures in a row it is back soon, and the process lives', async () => {
    const sonny = await started();
    await slack.away();
    await delay(8_500);
    await slack.back();
    const backAtMs = Date.now();
    await until(() => slack.connections === 1, 12_000);
    // 1 + 2 + 4 + 8 s: the fifth attempt at the latest, where the original would have waited 65,536 s.
    expect(Date.now() - backAtMs).toBeLessThan(10_000);
    await slack.posted(/Connected again/);
    expect(sonny.alive).toBe(true);
  });

  it('starts while Slack is away, and connects when it is there', async () => {
    await open();
    await slack.away();
    const sonny = house.start('sonny', '-v');
    await until(() => /not reachable/.test(sonny.output));
    await delay(1_500);
    await slack.back();
    await slack.posted(/initialized/, 30_000);
    await until(() => slack.connections === 1);
  });
});

describe('a proxy', () => {
  it('is used for calls and sockets when the environment names one', async () => {
    const tunnels: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (request, socket) => {
      tunnels.push(request.url ?? '');
      // Slack's name is known to the proxy alone.
      const upstream = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        socket.pipe(upstream).pipe(socket);
      });
      for (const end of [socket, upstream]) end.on('error', () => upstream.destroy());
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port } = proxy.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const host = new URL(slack.apiUrl).port;
    await open(
      { api_url: `http://slack.test:${host}/api/` },
      { http_proxy: url, HTTP_PROXY: url, https_proxy: url, HTTPS_PROXY: url, no_proxy: '', NO_PROXY: '' },
    );
    house.start('sonny', '-v');
    await slack.posted(/initialized/, 30_000);
    await until(() => slack.connections === 1);
    expect(await ask('help')).toContain('status');
    // The socket's address is what apps.connections.open gave.
    expect(new Set(tunnels)).toEqual(new Set([`slack.test:${host}`, `127.0.0.1:${host}`]));
    await house.close();
    proxy.close();
  });
});

describe('refused tokens', () => {
  it.each([
    ['token', { token: 'xoxb-wrong' }, /Slack refuses \[SLACK\] token \(invalid_auth: /],
    ['app_token', { app_token: 'xapp-wrong' }, /Slack refuses \[SLACK\] app_token \(invalid_auth: /],
  ])('%s: ends with one clear line, without the secret', async (_, change, expected) => {
    await open(change);
    const sonny = house.start('sonny');
    expect(await sonny.exited).toBe(1);
    expect(sonny.output).toMatch(expected);
    expect(sonny.output).not.toMatch(/x(oxb|app)-wrong/);
    expect(sonny.output).not.toContain(' at ');
  });

  it('that were good before: waits for better times', async () => {
    const sonny = await started();
    slack.refuse('account_inactive');
    slack.dropSockets();
    await until(() => /account_inactive/.test(sonny.output));
    expect(sonny.alive).toBe(true);
  });
});

describe('--check', () => {
  const check = async (change: Record<string, string> = {}) => {
    await open(change);
    const sonny = house.start('sonny', '--check');
    const code = await sonny.exited;
    return { code, output: sonny.output };
  };

  it('prints what was found and posts nothing', async () => {
    const { code, output } = await check();
    expect(output).toContain(
      '@sonny in Simulated, posting to ops (C000000001), answering questions there and in C000000002',
    );
    expect(output).toMatch(/ok {6}inventory of cloud1: none yet/);
    expect(output).toMatch(/ok {6}monitor of cloud1: no monitor leads now: .*; no monitor has published/);
    expect(code).toBe(0);
    expect(slack.posts).toHaveLength(0);
    expect(await house.redis.keys('*')).toEqual([]);
  });

  it('says when the bot is not in a channel, and when that cannot be seen', async () => {
    slack.channel('ops').member = false;
    const outside = await check();
    expect(outside.output).toMatch(/FAILED {2}Slack: \[SLACK\] channel: the bot is in no channel ops; /);
    expect(outside.code).toBe(1);
    await house.close();
    slack.channel('ops').member = true;
    slack.channel('other').member = false;
    const further = await check();
    expect(further.output).toContain('[SLACK] ask: the bot is in no channel C000000002');
    await house.close();
    slack.trouble({ kind: 'error', error: 'missing_scope' }, 1, 'users.conversations');
    const unseen = await check();
    expect(unseen.output).toContain('whether it exists and the bot is in it cannot be seen: missing_scope');
    expect(unseen.code).toBe(0);
  });

  it('ends with 1 when a token is refused, with 2 when the configuration is wrong', async () => {
    const refused = await check({ app_token: 'xapp-wrong' });
    expect(refused.output).toMatch(/FAILED {2}Slack: \[SLACK\] app_token: invalid_auth/);
    expect(refused.code).toBe(1);
    await house.close();
    const wrong = await check({ channel: 'None' });
    expect(wrong.output).toContain('[SLACK] channel: missing');
    expect(wrong.code).toBe(2);
  });
});
