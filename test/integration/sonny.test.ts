// The sonny process before a real Redis and a pretend Slack that speaks the real protocols: questions and answers, who
// may ask, what else Slack sends, --check. How it is connected is in sonny-connection.test.ts, the relay's side in
// sonny-relay.test.ts.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { incidentOf, monitorStatus } from '../support/monitor-statuses.ts';
import { sonnyBeforeSlack } from '../support/sonny-before-slack.ts';

const given = sonnyBeforeSlack();

/** As a monitor publishes it; none leads. */
async function publishStatus(change: object = {}): Promise<void> {
  const status = monitorStatus({ incidents: [incidentOf('hv01')] });
  await given.house.redis.set(keysOf('cloud1').status, JSON.stringify({ ...status, ...change }));
}

describe('questions', () => {
  it('are answered in their thread, each once, wherever the bot was mentioned', async () => {
    await given.started();
    await given.fillInventory();
    expect(await given.ask('help')).toContain('`show hv NAME`');
    expect(await given.ask('status')).toMatch(/^cloud1: inventory updated 1\d seconds ago\n/);
    expect(await given.ask('show hv <http://hv01.example.org|hv01.example.org>')).toMatch(
      /```\ncloud: cloud1\nhost: hv01\n[\s\S]*\n```$/,
    );
    expect(await given.ask('show vm id-web1')).toContain('name: web1');
    expect(await given.ask('show vm web2')).toContain('Did you mean web1?');
    expect(await given.ask('make coffee')).toContain('not sure what you mean');
    const elsewhere = await given.slack.say('help', { mention: true, channel: 'other' });
    const answer = await given.slack.posted((post) => post.threadTs === elsewhere.ts);
    expect(answer.channel).toBe(given.slack.channel('other').id);
    // Every mention came as `message` and as `app_mention`: seven questions, seven answers.
    await delay(300);
    expect(given.slack.appPosts.filter((post) => post.threadTs !== null)).toHaveLength(7);
  });

  it('about the status are answered from what the monitor published, of whichever version', async () => {
    await given.started();
    await given.fillInventory();
    expect(await given.ask('status')).toContain('\n    no monitor has published its status yet\n');
    await publishStatus();
    await given.house.redis.set(keysOf('cloud1').monitorLease, JSON.stringify({ who: 'host/1', token: 't' }));
    expect(await given.ask('status')).toMatch(
      /\n {4}host\/1 leads\n {4}fencing: none, .*\n {4}hv01: suspect, incident open for .*\n {4}no ns4 is there$/,
    );
    await publishStatus({ version: 2 });
    expect(await given.ask('status')).toContain('the status of the monitor cannot be read (version 2)');
  });

  it('cannot make the bot shout or break out of a code block', async () => {
    await given.started();
    await given.fillInventory();
    const answer = await given.ask('show vm id-evil');
    expect(answer).not.toContain('<!channel>');
    expect(answer.match(/```/g)).toHaveLength(2);
    expect(await given.ask('show vm <!channel>')).not.toContain('<!channel>');
  });

  it('are no questions without a mention at the beginning, nor from the bot itself', async () => {
    await given.started();
    await given.slack.say('help');
    await given.slack.say(`I told <@${given.slack.botUserId}> help`);
    await given.slack.say('help', { mention: true, user: given.slack.botUserId });
    expect(await given.ask('help')).toContain('status');
    expect(given.slack.appPosts.filter((post) => post.threadTs !== null)).toHaveLength(1);
  });

  it('are answered although Slack refuses the answer at first', async () => {
    await given.started();
    given.slack.rateLimit(1, 1);
    expect(await given.ask('help')).toContain('status');
  });

  it('asked while the connection is lost are answered after it', async () => {
    await given.started();
    given.slack.dropSockets();
    await given.until(() => given.slack.connections === 0);
    const question = given.slack.say('help', { mention: true });
    const { ts } = await question;
    await given.slack.posted((post) => post.threadTs === ts);
    await delay(300);
    expect(given.slack.appPosts.filter((post) => post.threadTs === ts)).toHaveLength(1);
  });

  it('cannot be asked without an app token, and sonny says so', async () => {
    await given.open({ app_token: 'None' });
    const sonny = given.house.start('sonny', '-v');
    await given.slack.posted(/initialized/, 30_000);
    await given.until(() => /I post only/.test(sonny.output));
    expect(given.slack.connections).toBe(0);
  });
});

describe('who may ask', () => {
  const foreign = { team: 'T0FOREIGN', user_team: 'T0FOREIGN' };
  const asked = { mention: true } as const;

  it('is who belongs to the own workspace and asks in a channel that was named', async () => {
    const sonny = await given.started();
    given.slack.channel('other').shared = true;
    const strangers = [
      await given.slack.say('status', { ...asked, channel: 'foreign' }),
      await given.slack.say('status', { ...asked, event: foreign }),
      await given.slack.say('status', { ...asked, channel: 'other', event: { source_team: 'T0FOREIGN' } }),
      // Nobody knows whose: Slack does not say, and strangers are in that channel.
      await given.slack.say('status', { ...asked, channel: 'other', event: { team: undefined } }),
      await given.slack.say('status', { channel: 'D0ALONE' }),
    ];
    for (const why of ['neither', 'another workspace', 'nobody knows whom', 'direct is no'])
      await given.until(() => sonny.output.includes(why));
    expect(await given.ask('help')).toContain('status');
    const threads = new Set(given.slack.appPosts.map((post) => post.threadTs));
    expect(strangers.filter(({ ts }) => threads.has(ts))).toEqual([]);
  });

  it('may ask alone with the bot where the configuration says so', async () => {
    await given.started({ direct: 'yes' });
    const foreigner = await given.slack.say('help', { channel: 'D0ALONE', event: foreign });
    const { ts } = await given.slack.say('help', { channel: 'D0ALONE' });
    await given.slack.posted((post) => post.threadTs === ts);
    expect(given.slack.appPosts.some((post) => post.threadTs === foreigner.ts)).toBe(false);
  });

  it('may ask with a file, which gives the message a subtype and no workspace', async () => {
    await given.started();
    const { ts } = await given.slack.say('help', {
      ...asked,
      event: { subtype: 'file_share', team: undefined },
    });
    await given.slack.posted((post) => post.threadTs === ts);
    await delay(300);
    expect(given.slack.appPosts.filter((post) => post.threadTs === ts)).toHaveLength(1);
  });
});

describe('what Slack sends', () => {
  it('is acknowledged and harmless, however odd', async () => {
    const sonny = await given.started();
    const odd = [null, [], {}, 'text', 7, { event: null }, { event: 'x' }, { event: { type: 'close' } }];
    const odder = [
      { event: { type: 'disconnected' } },
      { event: { type: 'message', text: {}, channel: [] } },
    ];
    // The payload that is undefined makes an envelope without one.
    await Promise.all([...odd, ...odder, undefined].map((payload) => given.slack.sendEvent(payload)));
    for (const raw of ['null', '7', '"x"', '[]', '{}', '{', '', '{"type":"events_api"}', '{"type":{}}'])
      given.slack.sendRaw(raw);
    given.slack.sendRaw('{"type":"ws_message","envelope_id":"e1","payload":{"event":{"type":"ws_message"}}}');
    expect(await given.ask('help')).toContain('status');
    expect(sonny.alive).toBe(true);
    expect(given.slack.connections).toBe(1);
    expect(given.slack.calls.filter((call) => call.method === 'apps.connections.open')).toHaveLength(1);
  });

  it('is not written at -vv: no ticket, and no message of anybody', async () => {
    const sonny = await given.started({}, '-vv');
    await given.slack.say('a word among colleagues', { channel: 'foreign' });
    expect(await given.ask('help')).toContain('status');
    await given.until(() => sonny.output.includes('Slack sent app_mention'));
    expect(sonny.output).not.toMatch(/ticket|among colleagues|wss?:/);
  });
});

describe('--check', () => {
  const check = async (change: Record<string, string> = {}) => {
    await given.open(change);
    const sonny = given.house.start('sonny', '--check');
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
    expect(given.slack.posts).toHaveLength(0);
    expect(await given.house.redis.keys('*')).toEqual([]);
  });

  it('says when the bot is not in a channel, and when that cannot be seen', async () => {
    given.slack.channel('ops').member = false;
    const outside = await check();
    expect(outside.output).toMatch(/FAILED {2}Slack: \[SLACK\] channel: the bot is in no channel ops; /);
    expect(outside.code).toBe(1);
    await given.house.close();
    given.slack.channel('ops').member = true;
    given.slack.channel('other').member = false;
    const further = await check();
    expect(further.output).toContain('[SLACK] ask: the bot is in no channel C000000002');
    await given.house.close();
    given.slack.trouble({ kind: 'error', error: 'missing_scope' }, 1, 'users.conversations');
    const unseen = await check();
    expect(unseen.output).toContain('whether it exists and the bot is in it cannot be seen: missing_scope');
    expect(unseen.code).toBe(0);
  });

  it('ends with 1 when a token is refused, with 2 when the configuration is wrong', async () => {
    const refused = await check({ app_token: 'xapp-wrong' });
    expect(refused.output).toMatch(/FAILED {2}Slack: \[SLACK\] app_token: invalid_auth/);
    expect(refused.code).toBe(1);
    await given.house.close();
    const wrong = await check({ channel: 'None' });
    expect(wrong.output).toContain('[SLACK] channel: missing');
    expect(wrong.code).toBe(2);
  });
});
