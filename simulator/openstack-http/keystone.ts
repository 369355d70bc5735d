// Keystone v3: tokens by password or application credential, the catalogue, projects.
import { randomUUID } from 'node:crypto';
import { ApiRefusal } from '../world/refusal.ts';
import { unauthorized } from './admission.ts';
import { type Answer, type Call, findRoute, isoSeconds, isRecord, jsonBody, type Route } from './call.ts';
import type { HttpWorld } from './options.ts';
import type { Token, TokenBook } from './tokens.ts';

/** Base URLs as the catalogue tells them, by service type. */
type Catalogue = () => Readonly<Record<'identity' | 'compute' | 'network' | 'placement', string>>;

export const applicationCredential = { id: 'simulated-credential', secret: 'simulated-credential-secret' };

const serviceNames = { identity: 'keystone', compute: 'nova', network: 'neutron', placement: 'placement' };
const region = 'RegionOne';
const domain = { id: 'default', name: 'Default' };

/** Handles every request to Keystone. */
export function createKeystone(
  world: HttpWorld,
  tokens: TokenBook,
  catalogue: Catalogue,
): (call: Call) => Promise<Answer> {
  const userId = randomUUID().replaceAll('-', '');
  const endpointIds = new Map<string, string>();
  const version = (): object => ({
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: `${catalogue().identity}/` }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
  });
  const denied = (): Answer => unauthorized(catalogue().identity);

  const catalogueEntries = (): object[] =>
    Object.entries(catalogue()).map(([type, url]) => ({
      id: stableId(endpointIds, type),
      type,
      name: serviceNames[type as keyof typeof serviceNames],
      endpoints: ['public', 'internal', 'admin'].map((face) => ({
        id: stableId(endpointIds, `${type} ${face}`),
        interface: face,
        region_id: region,
        region,
        url,
      })),
    }));

  const tokenBody = (token: Token): object => ({
    token: {
      methods: token.methods,
      user: { domain, id: userId, name: world.settings.username, password_expires_at: null },
      audit_ids: [token.auditId],
      expires_at: `${isoSeconds(token.expiresAtMs)}Z`,
      issued_at: `${isoSeconds(token.issuedAtMs)}Z`,
      project: { domain, ...world.projects[0] },
      is_domain: false,
      roles: ['admin', 'member', 'reader'].map((name) => ({
        id: stableId(endpointIds, `role ${name}`),
        name,
      })),
      catalog: catalogueEntries(),
    },
  });

  const issue = (call: Call): Answer => {
    let methods: string[] | null = null;
    try {
      methods = checkIdentity(world, userId, jsonBody(call));
    } catch (error) {
      if (!(error instanceof ApiRefusal)) throw error;
      const { status, message } = error;
      return { status, body: { error: { code: status, message, title: 'Bad Request' } } };
    }
    if (methods === null) return denied();
    const token = tokens.issue(methods);
    return { status: 201, body: tokenBody(token), headers: { 'X-Subject-Token': token.id } };
  };

  const subject = (call: Call): Token | null => tokens.find(String(call.headers['x-subject-token'] ?? ''));

  const routes: Route[] = [
    {
      method: 'GET',
      path: /^\/$/,
      handle: () => ({ status: 300, body: { versions: { values: [version()] } } }),
    },
    { method: 'GET', path: /^\/v3$/, handle: () => ({ status: 200, body: { version: version() } }) },
    { method: 'POST', path: /^\/v3\/auth\/tokens$/, handle: issue },
    {
      method: 'GET',
      path: /^\/v3\/auth\/tokens$/,
      handle: (call) => {
        const token = subject(call);
        if (token === null) return notFound('Failed to validate token');
        return { status: 200, body: tokenBody(token), headers: { 'X-Subject-Token': token.id } };
      },
    },
    {
      method: 'DELETE',
      path: /^\/v3\/auth\/tokens$/,
      handle: (call) => {
        tokens.revoke(String(call.headers['x-subject-token'] ?? ''));
        return { status: 204 };
      },
    },
    {
      method: 'GET',
      path: /^\/v3\/auth\/catalog$/,
      handle: () => ({ status: 200, body: { catalog: catalogueEntries(), links: { next: null } } }),
    },
    {
      method: 'GET',
      path: /^\/v3\/(?:auth\/)?projects$/,
      handle: () => ({ status: 200, body: projectList(world, catalogue().identity) }),
    },
  ];

  return async (call) => {
    const open =
      call.path === '/' || call.path === '/v3' || (call.method === 'POST' && call.path === '/v3/auth/tokens');
    if (!open && tokens.find(String(call.headers['x-auth-token'] ?? '')) === null) return denied();
    const handle = findRoute(routes, call);
    return handle === null ? notFound(`(${call.path}): The resource could not be found.`) : handle();
  };
}

/** The methods a request proved itself by, null when it did not. */
function checkIdentity(world: HttpWorld, userId: string, body: Record<string, unknown>): string[] | null {
  const identity = field(field(body, 'auth'), 'identity');
  const methods = field(identity, 'methods');
  if (!Array.isArray(methods)) return null;
  if (!scopeFits(world, field(field(body, 'auth'), 'scope'), methods)) return null;
  if (methods.includes('password')) {
    const user = field(field(identity, 'password'), 'user');
    const known = field(user, 'name') === world.settings.username || field(user, 'id') === userId;
    return known && field(user, 'password') === world.settings.password ? ['password'] : null;
  }
  if (methods.includes('application_credential')) {
    const given = field(identity, 'application_credential');
    // A credential by name needs its user, one by id does not.
    const byId = field(given, 'id') === applicationCredential.id;
    const byName =
      field(given, 'name') === applicationCredential.id &&
      field(field(given, 'user'), 'name') === world.settings.username;
    const right = (byId || byName) && field(given, 'secret') === applicationCredential.secret;
    return right ? ['application_credential'] : null;
  }
  return null;
}

/** A password's scope must be the project there is; an application credential has its own and may not ask for one. */
function scopeFits(world: HttpWorld, scope: unknown, methods: readonly unknown[]): boolean {
  if (methods.includes('application_credential')) return scope === undefined;
  const project = field(scope, 'project');
  const known = world.projects[0];
  return scope === undefined || field(project, 'name') === known?.name || field(project, 'id') === known?.id;
}

function field(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}

function stableId(known: Map<string, string>, key: string): string {
  const id = known.get(key) ?? randomUUID().replaceAll('-', '');
  known.set(key, id);
  return id;
}

function projectList(world: HttpWorld, identityUrl: string): object {
  // Keystone gives all of them whatever limit is asked for.
  const projects = world.projects.map((project) => ({
    ...project,
    domain_id: domain.id,
    description: '',
    enabled: true,
    parent_id: domain.id,
    is_domain: false,
    tags: [],
    options: {},
    links: { self: `${identityUrl}/projects/${project.id}` },
  }));
  return { projects, links: { next: null, self: `${identityUrl}/projects`, previous: null } };
}

function notFound(message: string): Answer {
  return { status: 404, body: { error: { code: 404, message, title: 'Not Found' } } };
}
