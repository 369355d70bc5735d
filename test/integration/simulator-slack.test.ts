// The pretend Slack with the real @slack/bolt: what Bolt accepts here, it accepts of Slack.
import { App, LogLevel, webApi } from '@slack/bolt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Slack, startSlack } from '../../simulator/slack/slack.ts';
import { until } from '../support/raw-api.ts';

describe('the pretend Slack', () => {
  let slack: Slack;
  let app: App;

  beforeEach(async () => {
    slack = await startSlack({ channels: ['ops', 'other'] });
    app = new App({
      token: slack.botToken,
      appToken: slack.appToken,
      socketMode: true,
      deferInitialization: true,
      logLevel: LogLevel.ERROR,
      clientOptions: { slackApiUrl: slack.apiUrl, retryConfig: { retries: 2, minTimeout: 10 } },
    });
    app.event('app_mention', async ({ event, say }) => {
      await say({ text: `you said ${event.text}`, thread_ts: event.ts });
    });
    app.command('/sonny', async ({ ack, respond }) => {
      await ack({ text: 'at once' });
      await respond('later');
    });
    app.action('approve', async ({ ack, client }) => {
      await ack();
      await client.chat.postMessage({ channel: 'ops', text: 'approved' });
    });
  });
  afterEach(async () => {
    await app.stop().catch(() => undefined);
    await slack.close();
  });
  const start = async (): Promise<void> => {
    await app.init();
    await app.start();
  };

  it('starts a Bolt app and takes posts', async () => {
    await start();
    expect(slack.connections).toBe(1);
    const posted = await app.client.chat.postMessage({ channel: '#ops', text: 'hello', thread_ts: '1.2' });
    expect(slack.appPosts).toMatchObject([
      { ts: posted.ts, channel: slack.channel('ops').id, text: 'hello', threadTs: '1.2' },
    ]);
    await expect(app.client.chat.postMessage({ channel: 'nosuch', text: 'x' })).rejects.toThrow(
      /channel_not_found/,
    );
    slack.channel('other').member = false;
    await expect(app.client.chat.postMessage({ channel: 'other', text: 'x' })).rejects.toThrow(
      /not_in_channel/,
    );
  });

  it('carries mentions, commands and buttons', async () => {
    await start();
    const asked = await slack.say('status', { mention: true });
    expect(await slack.posted(/you said/)).toMatchObject({ threadTs: asked.ts });
    expect(await slack.command('/sonny', 'help')).toEqual({ text: 'at once' });
    await slack.posted(/later/);
    const [post] = slack.appPosts;
    if (post !== undefined) await slack.press(post, 'approve');
    await slack.posted(/approved/);
  });

  it('limits rates, answers errors and loses answers', async () => {
    slack.rateLimit(1, 1);
    const before = Date.now();
    await app.client.chat.postMessage({ channel: 'ops', text: 'late' });
    expect(Date.now() - before).toBeGreaterThanOrEqual(1_000);
    slack.trouble({ kind: 'status', status: 503 });
    await app.client.chat.postMessage({ channel: 'ops', text: 'again' });
    slack.trouble({ kind: 'lost' });
    await app.client.chat.postMessage({ channel: 'ops', text: 'twice' });
    expect(slack.appPosts.map((post) => post.text)).toEqual(['late', 'again', 'twice', 'twice']);
  });

  it('refuses tokens', async () => {
    slack.refuse('invalid_auth');
    await expect(start()).rejects.toThrow(/invalid_auth/);
    slack.refuse(null);
    const unknown = new webApi.WebClient('xoxb-other', { slackApiUrl: slack.apiUrl });
    await expect(unknown.auth.test()).rejects.toThrow(/invalid_auth/);
  });

  it('goes away and comes back; what was said meanwhile is delivered then', { timeout: 40_000 }, async () => {
    await start();
    await slack.away();
    expect(slack.connections).toBe(0);
    await expect(app.client.chat.postMessage({ channel: 'ops', text: 'lost' })).rejects.toThrow();
    await slack.back();
    void slack.say('are you there?', { mention: true });
    await slack.posted(/are you there/, 20_000);
    slack.dropSockets({ announced: true });
    await until(
      () => slack.connections,
      (count) => count === 0,
    );
    await until(
      () => slack.connections,
      (count) => count === 1,
      15_000,
    );
    // Bolt is there again only when it answers; stopped before, it leaves a rejection that nobody can handle.
    void slack.say('and now?', { mention: true });
    await slack.posted(/and now/, 20_000);
  });
});
