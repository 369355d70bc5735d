// The sonny process and its connection to a pretend Slack that speaks the real protocols: lost, through a proxy, with
// tokens that Slack refuses.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { sonnyBeforeSlack } from '../support/sonny-before-slack.ts';

const given = sonnyBeforeSlack();

describe('lost connections', () => {
  it('is back within seconds and posts the status', async () => {
    await given.started();
    await given.fillInventory();
    given.slack.dropSockets();
    const post = await given.slack.posted(/Connected again/);
    expect(post.text).toMatch(/^Connected again\.\ncloud1: inventory updated \d+ seconds ago/);
    expect(given.slack.connections).toBe(1);
  });

  it('exchanges a connection at once and silently when Slack asks for it', async () => {
    await given.started();
    given.slack.dropSockets({ announced: true });
    const opened = () => given.slack.calls.filter((call) => call.method === 'apps.connections.open').length;
    await given.until(() => opened() === 2 && given.slack.connections === 1);
    expect(await given.ask('help')).toContain('status');
    expect(given.slack.appPosts.some((post) => post.text.includes('Connected again'))).toBe(false);
  });

  it('defect 13: after several failures in a row it is back soon, and the process lives', async () => {
    const sonny = await given.started();
    await given.slack.away();
    await delay(8_500);
    await given.slack.back();
    const backAtMs = Date.now();
    await given.until(() => given.slack.connections === 1, 12_000);
    // 1 + 2 + 4 + 8 s: the fifth attempt at the latest, where the original would have waited 65,536 s.
    expect(Date.now() - backAtMs).toBeLessThan(10_000);
    await given.slack.posted(/Connected again/);
    expect(sonny.alive).toBe(true);
  });

  it('starts while Slack is away, and connects when it is there', async () => {
    await given.open();
    await given.slack.away();
    const sonny = given.house.start('sonny', '-v');
    await given.until(() => /not reachable/.test(sonny.output));
    await delay(1_500);
    await given.slack.back();
    await given.slack.posted(/initialized/, 30_000);
    await given.until(() => given.slack.connections === 1);
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
    const host = new URL(given.slack.apiUrl).port;
    await given.open(
      { api_url: `http://slack.test:${host}/api/` },
      { http_proxy: url, HTTP_PROXY: url, https_proxy: url, HTTPS_PROXY: url, no_proxy: '', NO_PROXY: '' },
    );
    given.house.start('sonny', '-v');
    await given.slack.posted(/initialized/, 30_000);
    await given.until(() => given.slack.connections === 1);
    expect(await given.ask('help')).toContain('status');
    // The socket's address is what apps.connections.open gave.
    expect(new Set(tunnels)).toEqual(new Set([`slack.test:${host}`, `127.0.0.1:${host}`]));
    await given.house.close();
    proxy.close();
  });
});

describe('refused tokens', () => {
  it.each([
    ['token', { token: 'xoxb-wrong' }, /Slack refuses \[SLACK\] token \(invalid_auth: /],
    ['app_token', { app_token: 'xapp-wrong' }, /Slack refuses \[SLACK\] app_token \(invalid_auth: /],
  ])('%s: ends with one clear line, without the secret', async (_, change, expected) => {
    await given.open(change);
    const sonny = given.house.start('sonny');
    expect(await sonny.exited).toBe(1);
    expect(sonny.output).toMatch(expected);
    expect(sonny.output).not.toMatch(/x(oxb|app)-wrong/);
    expect(sonny.output).not.toContain(' at ');
  });

  it('that were good before: waits for better times', async () => {
    const sonny = await given.started();
    given.slack.refuse('account_inactive');
    given.slack.dropSockets();
    await given.until(() => /account_inactive/.test(sonny.output));
    expect(sonny.alive).toBe(true);
  });
});
