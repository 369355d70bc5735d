import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Transport } from '../../../../src/ns4/openstack/transport.ts';
import { systemClock } from '../../../../src/shared/ground/clock.ts';
import { scriptedCloud } from '../../../support/scripted-cloud.ts';

const never = new AbortController().signal;

let ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends) await end();
  ends = [];
});

describe('the transport', () => {
  const limits = { ca: null, verify: true, maxBodyBytes: 1_000, connections: 1 };
  const request = { method: 'POST', headers: {}, body: '{}', change: false } as const;

  it('never sends a request that was given up while it waited for a connection', async () => {
    const server = await scriptedCloud((_, count) => (count === 0 ? 'hang' : {}));
    const transport = new Transport(limits, systemClock);
    ends.push(
      () => transport.close(),
      () => server.close(),
    );
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
