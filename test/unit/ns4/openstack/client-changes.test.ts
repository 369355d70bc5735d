// What may be concluded from a change that did not succeed: the rules of src/ns4/cloud.ts, on real sockets.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { CloudError } from '../../../../src/ns4/cloud.ts';
import { type CloudClient, type CloudOptions, createCloud } from '../../../../src/ns4/openstack/client.ts';
import { Transport } from '../../../../src/ns4/openstack/transport.ts';
import { systemClock } from '../../../../src/shared/clock.ts';
import { instantClock } from '../../../support/instant-clock.ts';
import { grant, type Script, type ScriptedCloud, scriptedCloud } from '../../../support/scripted-cloud.ts';

const never = new AbortController().signal;

let ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends) await end();
  ends = [];
});

async function start(
  script: Script,
  options: Partial<CloudOptions> = {},
  server: Parameters<typeof scriptedCloud>[1] = {},
): Promise<{ cloud: CloudClient; server: ScriptedCloud }> {
  const scripted = await scriptedCloud(script, server);
  const cloud = createCloud(scripted.credentials, { clock: instantClock(), random: () => 1, ...options });
  ends.push(
    () => cloud.close(),
    () => scripted.close(),
  );
  return { cloud, server: scripted };
}

const errorOf = (promise: Promise<unknown>): Promise<CloudError> =>
  promise.then(
    () => expect.fail('did not throw'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(CloudError);
      return error as CloudError;
    },
  );

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
    ['half a 400', { half: '{"badReq', status: 400 }, 'refused', '{"badReq'],
    [
      '500',
      { status: 500, json: { computeFault: { message: 'oops' } } },
      'unknown',
      'Nova POST /servers/i/action: 500 oops',
    ],
    ['503 HTML', { status: 503, text: '<h1>away</h1>' }, 'unknown', 'Nova POST /servers/i/action: 503 away'],
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

describe('moveAllocation', () => {
  const placement = (puts: (count: number) => { status: number; json?: unknown }): Script => {
    let generation = 1;
    return (request, count) => {
      if (request.path === '/placement/')
        return { json: { versions: [{ max_version: '1.39', min_version: '1.0' }] } };
      if (request.path === '/placement/resource_providers') {
        const name = request.query.get('name');
        const known = name === 'hv01' || name === 'hv02' ? [{ uuid: `rp-${name}`, name }] : [];
        return { json: { resource_providers: known } };
      }
      if (request.method === 'PUT') return puts(count);
      return {
        json: {
          allocations: { 'rp-hv01': { resources: { VCPU: 1 }, generation: 7 } },
          consumer_generation: generation++,
          project_id: 'p',
          user_id: 'u',
        },
      };
    };
  };
  const conflict = {
    status: 409,
    json: { errors: [{ code: 'placement.concurrent_update', detail: 'again' }] },
  };

  it('reads and writes again after a concurrent update', async () => {
    const { cloud, server } = await start(placement((count) => (count === 0 ? conflict : { status: 204 })));
    await cloud.moveAllocation('i', 'hv01', 'hv02', never);
    const puts = server.calls().filter((c) => c.method === 'PUT');
    expect(puts.map((put) => put.body)).toEqual(
      [1, 2].map((generation) => ({
        allocations: { 'rp-hv02': { resources: { VCPU: 1 } } },
        consumer_generation: generation,
        project_id: 'p',
        user_id: 'u',
      })),
    );
    expect(puts[0]?.headers['openstack-api-version']).toBe('placement 1.28');
  });

  it('gives up after a few, and at once on another conflict', async () => {
    const busy = await start(placement(() => conflict));
    expect(await errorOf(busy.cloud.moveAllocation('i', 'hv01', 'hv02', never))).toMatchObject({
      outcome: 'refused',
    });
    expect(busy.server.calls().filter((c) => c.method === 'PUT')).toHaveLength(5);
    const other = {
      status: 409,
      json: { errors: [{ code: 'placement.undefined_code', detail: 'no room' }] },
    };
    const full = await start(placement(() => other));
    const error = await errorOf(full.cloud.moveAllocation('i', 'hv01', 'hv02', never));
    expect(error).toMatchObject({
      outcome: 'refused',
      status: 409,
      message: 'placement.undefined_code: no room',
    });
    expect(full.server.calls().filter((c) => c.method === 'PUT')).toHaveLength(1);
  });

  it('does not guess at a provider', async () => {
    const { cloud } = await start(placement(() => ({ status: 204 })));
    const error = await errorOf(cloud.moveAllocation('i', 'hv01', 'hv09', never));
    expect(error).toMatchObject({
      outcome: 'not-done',
      message: 'Placement knows no resource provider hv09',
    });
  });
});

describe('the transport', () => {
  const limits = { ca: null, verify: true, maxBodyBytes: 1_000, connections: 1 };
  const request = { method: 'POST', headers: {}, body: '{}', change: false } as const;

  it('never sends a request that was given up while it waited for a connection', async () => {
    const { server } = await start((_, count) => (count === 0 ? 'hang' : {}));
    const transport = new Transport(limits, systemClock);
    ends.unshift(() => transport.close());
    const url = new URL('/queue', server.credentials.authUrl);
    // The one connection there is.
    const first = transport
      .exchange({ ...request, url, timeoutMs: 150 }, never)
      .catch((error: unknown) => error);
    const second = transport
      .exchange({ ...request, url, timeoutMs: 50 }, never)
      .catch((error: unknown) => error);
    expect(await second).toMatchObject({ sent: false });
    expect(await first).toMatchObject({ sent: true });
    const third = await transport.exchange({ ...request, url, timeoutMs: 1_000 }, never);
    expect(third.status).toBe(200);
    expect(server.calls()).toHaveLength(2);
  });

  it('has sent nothing to a server it does not trust, and trusts as it is told', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sonny-tls-'));
    ends.push(() => rmSync(dir, { recursive: true }));
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const openssl = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '1',
      '-keyout',
      key,
      '-out',
      cert,
    ];
    execFileSync('openssl', [...openssl, ...subject], { stdio: 'ignore' });
    let served = 0;
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => {
      served++;
      response.end('{}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    ends.push(() => void server.close());
    const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const attempt = async (trust: { ca: string | null; verify: boolean }): Promise<unknown> => {
      const transport = new Transport({ ...limits, ...trust }, systemClock);
      const answer = await transport
        .exchange({ ...request, change: true, url, timeoutMs: 2_000 }, never)
        .catch((error: unknown) => error);
      await transport.close();
      return answer;
    };
    expect(await attempt({ ca: null, verify: true })).toMatchObject({ sent: false });
    expect(served).toBe(0);
    expect(await attempt({ ca: readFileSync(cert, 'utf8'), verify: true })).toMatchObject({ status: 200 });
    expect(await attempt({ ca: null, verify: false })).toMatchObject({ status: 200 });
  });
});

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
