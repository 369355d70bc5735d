// Placement: providers and allocations with their generations.
import { randomUUID } from 'node:crypto';
import type { Resources } from '../world/placement-book.ts';
import { ApiRefusal } from '../world/refusal.ts';
import type { World } from '../world/world.ts';
import { admit, type Gate } from './admission.ts';
import { type Answer, type Call, findRoute, isRecord, jsonBody, minorOf, type Route } from './call.ts';

const maxVersion = 39;

/** Handles every request to Placement. */
export function createPlacement(gate: Gate): (call: Call) => Promise<Answer> {
  const { world } = gate;
  const routes: Route[] = [
    { method: 'GET', path: /^\/resource_providers$/, handle: (call) => providers(world, call) },
    {
      method: 'GET',
      path: /^\/allocations\/([^/]+)$/,
      handle: (call, id) => allocations(world, call, id ?? ''),
    },
    {
      method: 'PUT',
      path: /^\/allocations\/([^/]+)$/,
      handle: (call, id) => putAllocations(world, call, id ?? ''),
    },
  ];

  const answer = async (call: Call): Promise<Answer> => {
    if (call.path === '/') return { status: 200, body: { versions: [versionDocument] } };
    const stopped = await admit(gate, call);
    if (stopped !== null) return stopped;
    const version = versionOf(call);
    if (version === null) return badVersion(call);
    const handle = findRoute(routes, call);
    const plain =
      handle === null ? errorAnswer(404, 'Not Found', 'The resource could not be found.') : await handle();
    return {
      ...plain,
      headers: { 'openstack-api-version': `placement 1.${version}`, vary: 'openstack-api-version' },
    };
  };

  return async (call) => {
    const plain = await answer(call).catch((error: unknown) => {
      if (!(error instanceof ApiRefusal)) throw error;
      return errorAnswer(error.status, titles[error.status] ?? 'Error', error.message, error.code);
    });
    return { ...plain, headers: { 'x-openstack-request-id': `req-${randomUUID()}`, ...plain.headers } };
  };
}

const versionDocument = {
  id: 'v1.0',
  max_version: `1.${maxVersion}`,
  min_version: '1.0',
  status: 'CURRENT',
  links: [{ rel: 'self', href: '' }],
};

const titles: Readonly<Record<number, string>> = { 400: 'Bad Request', 404: 'Not Found', 409: 'Conflict' };

function versionWord(call: Call): string {
  const header = call.headers['openstack-api-version'];
  return (typeof header === 'string' ? /placement\s+(\S+)/.exec(header)?.[1] : undefined) ?? '1.0';
}

/** The minor version asked for, null when it is not to be had. */
function versionOf(call: Call): number | null {
  const word = versionWord(call);
  const minor = word === 'latest' ? maxVersion : minorOf(word, 1);
  return minor === null || minor > maxVersion ? null : minor;
}

function badVersion(call: Call): Answer {
  const detail = `The resource could not be generated that was acceptable to your browser (content of type application/json. \n\n Invalid microversion: Unacceptable version header: ${versionWord(call)}`;
  const more = { max_version: `1.${maxVersion}`, min_version: '1.0' };
  return { status: 406, body: { errors: [{ status: 406, title: 'Not Acceptable', detail, ...more }] } };
}

function errorAnswer(status: number, title: string, detail: string, code: string | null = null): Answer {
  const error = {
    status,
    title,
    detail,
    code: code ?? 'placement.undefined_code',
    request_id: `req-${randomUUID()}`,
  };
  return { status, body: { errors: [error] } };
}

function providers(world: World, call: Call): Answer {
  const { query } = call;
  const is = (name: string, value: string): boolean => (query.get(name) ?? value) === value;
  const list = [...world.placement.providers.values()]
    // No provider has others below it here, so a tree is the provider itself.
    .filter((p) => is('name', p.name) && is('uuid', p.id) && is('in_tree', p.id))
    .map(({ id, name, generation }) => ({
      uuid: id,
      name,
      generation,
      links: [{ rel: 'self', href: `/resource_providers/${id}` }],
      parent_provider_uuid: null,
      root_provider_uuid: id,
    }));
  return { status: 200, body: { resource_providers: list } };
}

function allocations(world: World, call: Call, id: string): Answer {
  const consumer = world.placement.consumers.get(id);
  if (consumer === undefined) return { status: 200, body: { allocations: {} } };
  const list = [...consumer.allocations].map(([provider, resources]) => [
    provider,
    { resources, generation: world.placement.providers.get(provider)?.generation },
  ]);
  const owner = { project_id: consumer.projectId, user_id: consumer.userId };
  const withGeneration = (versionOf(call) ?? 0) >= 28 ? { consumer_generation: consumer.generation } : {};
  return { status: 200, body: { allocations: Object.fromEntries(list), ...owner, ...withGeneration } };
}

function putAllocations(world: World, call: Call, id: string): Answer {
  if ((versionOf(call) ?? 0) < 28) {
    throw new ApiRefusal(400, 'The simulator takes allocations from version 1.28 on only.');
  }
  const body = jsonBody(call);
  const { allocations: given, consumer_generation: generation, project_id: project, user_id: user } = body;
  const known = ['allocations', 'consumer_generation', 'project_id', 'user_id'];
  const odd = Object.keys(body).find((name) => !known.includes(name));
  const complete = isRecord(given) && typeof project === 'string' && typeof user === 'string';
  if (odd !== undefined || !complete || !known.every((name) => name in body)) {
    throw new ApiRefusal(
      400,
      `JSON does not validate${odd === undefined ? '' : `: '${odd}' was unexpected`}`,
    );
  }
  const wanted = new Map(Object.entries(given).map(([provider, entry]) => [provider, resourcesOf(entry)]));
  const seen = typeof generation === 'number' ? generation : null;
  world.placement.replace(id, { projectId: project, userId: user, allocations: wanted }, seen);
  return { status: 204 };
}

function resourcesOf(entry: unknown): Resources {
  const resources = isRecord(entry) ? entry.resources : undefined;
  // `generation` is tolerated beside the resources, as a GET's answer has it; anything else is not.
  if (!isRecord(resources) || Object.values(resources).some((amount) => typeof amount !== 'number')) {
    throw new ApiRefusal(400, 'JSON does not validate: resources are numbers by class');
  }
  return resources as Resources;
}
