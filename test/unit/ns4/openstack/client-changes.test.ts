// What may be concluded from a change that did not succeed: the rules of src/ns4/cloud/cloud.ts, on real sockets.
import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  cloudErrorOf as errorOf,
  grant,
  type Script,
  type ScriptedClient,
  scriptedClient,
} from '../../../support/scripted-cloud.ts';

const never = new AbortController().signal;

let clients: ScriptedClient[] = [];
afterEach(async () => {
  for (const client of clients) await client.close();
  clients = [];
});

const start: typeof scriptedClient = async (...how) => {
  const client = await scriptedClient(...how);
  clients.push(client);
  return client;
};

/** A port of loopback that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('a change', () => {
  const used = 'Compute service of hv01 is still in use.';
  it.each([
    ['400', { status: 400, json: { badRequest: { code: 400, message: used } } }, 'refused', used],
    [
      '404',
      { status: 404, json: { itemNotFound: { message: 'Compute host x not found.' } } },
      'refused',
      'Compute host x not found.',
    ],
    ['409', { status: 409, json: { conflictingRequest: { message: 'paused' } } }, 'refused', 'paused'],
    ['429', { status: 429, text: '' }, 'refused', 'Nova POST /servers/i/action: 429'],
    [
      'a 404 page',
      { status: 404, text: '\n<html><h1>404 Not Found</h1>nginx</html>' },
      'unknown',
      'Nova POST /servers/i/action: 404 404 Not Found nginx',
    ],
    ['half a 400', { half: '{"badReq', status: 400 }, 'refused', '{"badReq'],
    [
      '500',
      { status: 500, json: { computeFault: { message: 'oops' } } },
      'unknown',
      'Nova POST /servers/i/action: 500 oops',
    ],
    ['503 HTML', { status: 503, text: '<h1>away</h1>' }, 'unknown', 'Nova POST /servers/i/action: 503 away'],
    [
      'a page that says 200',
      { status: 200, text: '<h1>We will be back soon</h1>' },
      'unknown',
      'Nova POST /servers/i/action: 200, but the answer is no JSON',
    ],
    ['302', { status: 302, text: '' }, 'unknown', 'Nova POST /servers/i/action: 302'],
    ['reset', 'reset', 'unknown', /^Nova POST \/servers\/i\/action: /],
    ['half a 200', { half: '{"adm' }, 'unknown', /^Nova POST \/servers\/i\/action: /],
    ['hang', 'hang', 'unknown', 'Nova POST /servers/i/action: no answer within 80 ms'],
  ] as const)('answered by %s is sent once', async (_, answer, outcome, message) => {
    const { cloud, server } = await start(() => answer, { evacuateTimeoutMs: 80 });
    const error = await errorOf(cloud.evacuate('i', 'hv02', never));
    expect(error.outcome).toBe(outcome);
    expect(error.message).toMatch(
      typeof message === 'string' ? new RegExp(`^${escaped(message)}$`) : message,
    );
    expect(server.calls()).toHaveLength(1);
    expect(server.calls()[0]?.body).toEqual({ evacuate: { host: 'hv02' } });
  });

  it('is sent once more after a 401, with a new token', async () => {
    const { cloud, server } = await start((_, count) => ({ status: count === 0 ? 401 : 200 }));
    await cloud.hardReboot('i', never);
    expect(server.calls().map((c) => c.headers['x-auth-token'])).toEqual(['token-1', 'token-2']);
  });

  it('is of unknown outcome when it got lost after a 401', async () => {
    const { cloud, server } = await start((_, count) => (count === 0 ? { status: 401 } : 'reset'));
    expect((await errorOf(cloud.hardReboot('i', never))).outcome).toBe('unknown');
    expect(server.calls()).toHaveLength(2);
  });

  it('stopped by its signal after it left is of unknown outcome, before that it is not done', async () => {
    const stop = new AbortController();
    const { cloud, server } = await start(() => {
      stop.abort(new Error('enough'));
      return 'hang';
    });
    expect((await errorOf(cloud.evacuate('i', 'hv02', stop.signal))).outcome).toBe('unknown');
    expect((await errorOf(cloud.evacuate('i', 'hv02', stop.signal))).outcome).toBe('not-done');
    expect(server.calls()).toHaveLength(1);
  });

  it('is not done without a token', async () => {
    const { cloud, server } = await start(() => ({}), {}, { login: () => ({ status: 503, text: 'away' }) });
    expect(await errorOf(cloud.hardReboot('i', never))).toMatchObject({ outcome: 'not-done', status: 503 });
    expect(server.calls()).toEqual([]);
  });

  it('is not done where nobody listens', async () => {
    const port = await closedPort();
    const login: Script = () => grant('t', `http://127.0.0.1:${port}`);
    const { cloud } = await start(() => ({}), {}, { login });
    const error = await errorOf(cloud.bindPort('p', 'hv02', never));
    expect(error.outcome).toBe('not-done');
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('accepted with an answer that makes no sense is of unknown outcome', async () => {
    const { cloud } = await start(() => ({ json: { service: { id: 'x' } } }));
    expect((await errorOf(cloud.changeComputeService('x', { forcedDown: true }, never))).outcome).toBe(
      'unknown',
    );
  });

  it('never meets a connection that is about to close: each has its own', async () => {
    const { cloud, server } = await start(() => ({ status: 202 }));
    for (let i = 0; i < 3; i++) await cloud.hardReboot(`i${i}`, never);
    expect(server.calls().map((c) => c.headers.connection)).toEqual(['close', 'close', 'close']);
  });

  it('of a compute service carries all its fields at once, a long reason cut', async () => {
    const { cloud, server } = await start(() => ({ status: 500 }));
    const change = { status: 'disabled', disabledReason: '🙂'.repeat(300), forcedDown: true } as const;
    await errorOf(cloud.changeComputeService('s', change, never));
    await errorOf(cloud.changeComputeService('s', { status: 'enabled' }, never));
    const [first, second] = server.calls().map((c) => c.body as Record<string, string>);
    expect(first).toMatchObject({ status: 'disabled', forced_down: true });
    expect([...(first?.disabled_reason ?? '')]).toHaveLength(255);
    expect(second).toEqual({ status: 'enabled' });
    const reasonless = errorOf(cloud.changeComputeService('s', { disabledReason: 'why' }, never));
    expect((await reasonless).outcome).toBe('not-done');
    expect(server.calls()).toHaveLength(2);
  });
});

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
