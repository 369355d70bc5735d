// Nova's compute API: version documents, admission, microversions, and its shape of errors. What it does stands in the
// files named nova-*.

import { randomUUID } from 'node:crypto';
import { ApiRefusal } from '../world/refusal.ts';
import { admit, type Gate } from './admission.ts';
import { type Answer, type Call, findRoute, htmlPage } from './call.ts';
import { infrastructureRoutes } from './nova-infrastructure.ts';
import { migrationRoutes } from './nova-migrations.ts';
import { serverRoutes } from './nova-servers.ts';
import { novaMax, novaMin, novaVersionHeaders, readNovaVersion } from './nova-version.ts';

const prefix = '/v2.1';

/** Handles every request to Nova. */
export function createNova(gate: Gate): (call: Call) => Promise<Answer> {
  const routes = [
    ...serverRoutes(gate.world),
    ...infrastructureRoutes(gate.world),
    ...migrationRoutes(gate.world),
  ];

  const answer = async (call: Call): Promise<Answer> => {
    if (call.path === '/') return { status: 200, body: { versions: [versionDocument(call)] } };
    if (call.path === prefix) return { status: 200, body: { version: versionDocument(call) } };
    const stopped = await admit(gate, call);
    if (stopped !== null) return stopped;
    readNovaVersion(call);
    const inner = call.path.startsWith(`${prefix}/`) ? call.path.slice(prefix.length) : '';
    const handle = findRoute(routes, call, inner);
    return handle === null
      ? { status: 404, body: htmlPage(404, 'Not Found', 'The resource could not be found.') }
      : handle();
  };

  return async (call) => {
    const id = `req-${randomUUID()}`;
    const plain = await answer(call).catch((error: unknown) => refused(error));
    return {
      ...plain,
      headers: {
        ...novaVersionHeaders(call),
        'X-Openstack-Request-Id': id,
        'X-Compute-Request-Id': id,
        ...plain.headers,
      },
    };
  };
}

const faultNames: Readonly<Record<number, string>> = {
  400: 'badRequest',
  403: 'forbidden',
  404: 'itemNotFound',
  409: 'conflictingRequest',
};

function refused(error: unknown): Answer {
  if (!(error instanceof ApiRefusal)) throw error;
  const name = faultNames[error.status] ?? 'computeFault';
  return { status: error.status, body: { [name]: { code: error.status, message: error.message } } };
}

function versionDocument(call: Call): object {
  return {
    id: 'v2.1',
    status: 'CURRENT',
    version: `2.${novaMax}`,
    min_version: `2.${novaMin}`,
    updated: '2013-07-23T11:33:21Z',
    links: [{ rel: 'self', href: `${call.url.origin}${prefix}/` }],
  };
}
