// The pretend Slack with Slack's own clients: what they accept here, they accept of Slack.
import { LogLevel, SocketModeClient } from '@slack/socket-mode';
import { WebClient } from '@slack/web-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Slack, startSlack } from '../../simulator/slack/slack.ts';
import { until } from '../support/raw-api.ts';

/** What the client hands on of an envelope. */
interface Received {
  ack(response?: object): Promise<void>;
  readonly body: { readonly response_url?: string };
  readonly event: { readonly text: string; readonly ts: string };
}

describe('the pretend Slack', () => {
  let slack: Slack;
  let web: WebClient;
  let app: SocketModeClient;

  beforeEach(async () => {
    slack = await startSlack({ channels: ['ops', 'other'] });
    const clientOptions = { slackApiUrl: slack.apiUrl, retryConfig: { retries: 2, minTimeout: 10 } };
    web = new WebClient(slack.botToken, { ...clientOptions, logLevel: LogLevel.ERROR });
    app = new SocketModeClient({ appToken: slack.appToken, logLevel: LogLevel.ERROR, clientOptions });
    app.on('app_mention', async ({ ack, event }: Received) => {
      await ack();
      const { text, ts } = event;
      await web.chat.postMessage({ channel: 'ops', text: `you said ${text}`, thread_ts: ts });
    });
    app.on('slash_commands', async ({ ack, body }: Received) => {
      await ack({ text: 'at once' });
      await fetch(body.response_url ?? '', { method: 'POST', body: JSON.stringify({ text: 'later' }) });
    });
    app.on('interactive', async ({ ack }: Received) => {
      await ack();
      await web.chat.postMessage({ channel: 'ops', text: 'approved' });
    });
    app.on('message', ({ ack }: Received) => ack());
  });
  afterEach(async () => {
    void app.disconnect().catch(() => undefined);
    await slack.close();
  });

  it('greets an app and takes posts', async () => {
    await app.start();
    expect(slack.connections).toBe(1);
    const posted = await web.chat.postMessage({ channel: '#ops', text: 'hello', thread_ts: '1.2' });
    expect(slack.appPosts).toMatchObject([
      { ts: posted.ts, channel: slack.channel('ops').id, text: 'hello', threadTs: '1.2' },
    ]);
    await expect(web.chat.postMessage({ channel: 'nosuch', text: 'x' })).rejects.toThrow(/channel_not_found/);
    slack.channel('other').member = false;
    await expect(web.chat.postMessage({ channel: 'other', text: 'x' })).rejects.toThrow(/not_in_channel/);
  });

  it('carries mentions, commands and buttons', async () => {
    await app.start();
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
    await web.chat.postMessage({ channel: 'ops', text: 'late' });
    expect(Date.now() - before).toBeGreaterThanOrEqual(1_000);
    slack.trouble({ kind: 'status', status: 503 });
    await web.chat.postMessage({ channel: 'ops', text: 'again' });
    slack.trouble({ kind: 'lost' });
    await web.chat.postMessage({ channel: 'ops', text: 'twice' });
    expect(slack.appPosts.map((post) => post.text)).toEqual(['late', 'again', 'twice', 'twice']);
  });

  it('refuses tokens', async () => {
    slack.refuse('invalid_auth');
    await expect(app.start()).rejects.toThrow(/invalid_auth/);
    slack.refuse(null);
    const unknown = new WebClient('xoxb-other', { slackApiUrl: slack.apiUrl });
    await expect(unknown.auth.test()).rejects.toThrow(/invalid_auth/);
  });

  it('goes away and comes back; what was said meanwhile is delivered then', { timeout: 40_000 }, async () => {
    await app.start();
    await slack.away();
    expect(slack.connections).toBe(0);
    await expect(web.chat.postMessage({ channel: 'ops', text: 'lost' })).rejects.toThrow();
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
    // Stopped before it answers again, the client leaves a rejection that nobody can handle.
    void slack.say('and now?', { mention: true });
    await slack.posted(/and now/, 20_000);
  });
});
