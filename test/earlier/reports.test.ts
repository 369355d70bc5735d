// H, public reports about such clouds: odd records, odd catalogues, identity by label, what --check says.

import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { makeCertificates } from '../support/certificates.ts';
import { freePort } from '../support/redis.ts';
import { play, type Stage } from './stage.ts';

const guests = ['vm-1', 'vm-2', 'vm-3'];
const everybody = ['hv01', 'hv02', ...guests, 'other'];

/** Changes the list of that name in every answer of a path. */
function bend(stage: Stage, of: string, key: string, change: (rows: Row[]) => unknown[]): void {
  stage.simulator.bend(({ path, method }, answer) => {
    if (!path.endsWith(of) || method !== 'GET' || typeof answer.body !== 'object') return answer;
    const rows = (answer.body as Record<string, Row[]>)[key];
    return rows === undefined ? answer : { ...answer, body: { ...answer.body, [key]: change(rows) } };
  });
}
type Row = Record<string, unknown> & { readonly host?: string };

play(
  'H9: agents by full names, services by short ones',
  { cloud: { agentDomain: 'example.org' } },
  async (stage) => {
    await stage.watched(...everybody);
    await stage.simulator.kill('hv01');
    await stage.recovered('hv01.example.org is hv01', guests);
  },
);

play('H11: nulls of a compute node that was never counted', {}, async (stage) => {
  bend(stage, '/os-hypervisors/detail', 'hypervisors', (rows) =>
    rows.map((row) => (row.hypervisor_hostname === 'hv03' ? { ...row, running_vms: null } : row)),
  );
  await stage.watched(...everybody);
  await stage.simulator.kill('hv01');
  await stage.recovered('one record stops nothing else', guests);
});

play('H12: the list of servers alone fails', {}, async (stage) => {
  await stage.watched(...everybody);
  stage.simulator.fault({ kind: 'error', status: 500, api: 'nova', path: '/servers/detail', times: 100_000 });
  await stage.simulator.kill('hv01');
  await stage.round(12);
  const over = (await stage.said()).filter(({ of = '' }) => /^(servers|inventory)-unavailable$/.test(of));
  expect(over, 'it fails all the time').toEqual([]);
});

play('H15: monitor --check without Redis', {}, async (stage) => {
  const away = stage.household.configure('away.ini', { REDIS: { port: await freePort() } });
  const { code, output } = await stage.run('monitor', ['-c', away, '--check'], 60_000);
  expect(code, `it ends, and fails:\n${output}`).toBe(1);
});

play('H20: an endpoint that clouds.yaml overrides', {}, async (stage) => {
  const url = `http://127.0.0.1:${await freePort()}/v2.1`;
  stage.changeCloud(() => ({ compute_endpoint_override: url }));
  const { code, output } = await stage.run('ns4', ['--check']);
  expect(code, `nobody listens there, and every other client goes there:\n${output}`).not.toBe(0);
});

play('H21: the CA as verify', {}, async (stage) => {
  const { ca } = makeCertificates(join(stage.household.dir, 'tls'), 'DNS:localhost');
  stage.changeCloud(() => ({ verify: ca }));
  const { code, output } = await stage.run('ns4', ['--check']);
  expect(code, `a path in place of the truth:\n${output}`).toBe(0);
});

play('H21: a CA bundle with remarks in Latin-1', {}, async (stage) => {
  const { ca } = makeCertificates(join(stage.household.dir, 'tls'), 'DNS:localhost');
  const latin = join(stage.household.dir, 'latin.pem');
  writeFileSync(latin, Buffer.concat([Buffer.from('# für alle\n', 'latin1'), readFileSync(ca)]));
  stage.changeCloud(() => ({ cacert: latin }));
  const { code, output } = await stage.run('ns4', ['--check']);
  expect(code, `its certificates count:\n${output}`).toBe(0);
});

play('H22: an entry of the catalogue that is none of ours', {}, async (stage) => {
  stage.simulator.bend(({ path }, answer) => {
    const { token } = (typeof answer.body === 'object' ? answer.body : {}) as {
      token?: { catalog: object[] };
    };
    if (!path.endsWith('/auth/tokens') || token === undefined) return answer;
    const odd = { id: 'odd', type: null, name: null };
    return { ...answer, body: { token: { ...token, catalog: [odd, ...token.catalog] } } };
  });
  const { code, output } = await stage.run('ns4', ['--check']);
  expect(code, `the login stands:\n${output}`).toBe(0);
});

play('H23: Keystone sends on to another address', {}, async (stage) => {
  const location = 'https://keystone.example.org/v3';
  const server = createServer((request, response) => {
    response.writeHead(301, { location: `${location}${(request.url ?? '').replace('/v3', '')}` }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const auth_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v3`;
    stage.changeCloud(({ auth }) => ({ auth: { ...(auth as object), auth_url } }));
    const { output } = await stage.run('ns4', ['--check']);
    expect(output, 'the new address is named').toContain('https://keystone.example.org');
  } finally {
    server.close();
  }
});

const longAgo = { launchedAgoMs: 2 * 3_600_000 };
play(
  'H24: a record of an evacuation that nobody ended',
  { instances: { 'vm-1': ['hv01', longAgo], 'vm-2': ['hv01', longAgo] } },
  async (stage) => {
    await stage.watched('hv01', 'hv02', 'vm-1', 'vm-2', 'other');
    await stage.simulator.happen('an evacuation of vm-1 to hv03 was left behind 200 days ago');
    await stage.simulator.kill('hv01');
    await stage.recovered('it is history', ['vm-1', 'vm-2']);
  },
);

play("H25: a tenant's network of the same name", { instances: { 'vm-1': ['hv01'] } }, async (stage) => {
  const { externalNetwork } = stage.simulator.settings;
  await stage.simulator.boot('tenant', 'hv01', {
    network: {
      id: '5b0c1c0e-0000-4000-8000-000000000001',
      name: externalNetwork,
      external: false,
      shared: false,
    },
    // By chance one that somebody else answers at, outside.
    addresses: [
      {
        network: externalNetwork,
        address: stage.simulator.addressOf('other') ?? '',
        version: 4,
        type: 'fixed',
      },
    ],
  });
  await stage.watched('hv01', 'hv02', 'vm-1', 'other');
  await stage.simulator.kill('hv01');
  await stage.recovered('what answers there is not of hv01', ['vm-1', 'tenant']);
});

play('H27: the row of an agent that was replaced', {}, async (stage) => {
  bend(stage, '/agents', 'agents', (rows) => {
    const own = rows.find(({ host }) => host === 'hv04');
    const old = { agent_type: 'Linux bridge agent', binary: 'neutron-linuxbridge-agent', alive: false };
    const dead = {
      ...old,
      id: 'aaaaaaaa-0000-4000-8000-000000000001',
      heartbeat_timestamp: '2024-02-03 04:05:06',
    };
    return own === undefined ? rows : [...rows, { ...own, ...dead }];
  });
  await stage.watched(...everybody);
  await stage.simulator.kill('hv01');
  await stage.recovered('the spare has a living agent beside it', guests);
});

play('H28: --check where no hypervisor answers', {}, async (stage) => {
  for (const host of ['hv01', 'hv02', 'hv03', 'hv04']) await stage.simulator.silence(host);
  const { code, output } = await stage.run('ns4', ['--check']);
  expect(code, `nobody could be judged:\n${output}`).toBe(1);
});

play('H31: two rows of one compute service', {}, async (stage) => {
  bend(stage, '/os-services', 'services', (rows) => {
    const own = rows.find(({ host }) => host === 'hv04');
    const again = { id: 'aaaaaaaa-0000-4000-8000-000000000002', status: 'enabled', disabled_reason: null };
    return own === undefined ? rows : [...rows, { ...own, ...again }];
  });
  const { output } = await stage.run('ns4', ['--check']);
  expect(output, 'nobody knows which of them is true').toMatch(/hv04[^\n]*(twice|two|several|2 )/);
});
