// Keystone v3's login: the request for a token and what its answer means. Pure.
import { z } from 'zod';
import { mostOfWords, quoted } from '../../shared/ground/plain.ts';
import { CloudError } from '../cloud/cloud.ts';
import { name, opaqueId, sensible } from '../cloud/outside.ts';
import type { CloudCredentials, ScopedReference } from '../credentials/cloud-credentials.ts';
import { type Catalogue, catalogueSchema } from './catalogue.ts';
import { json } from './service-words.ts';
import type { HttpAnswer } from './transport.ts';
import { utcTime } from './validation.ts';

type Login = CloudCredentials['login'];

/** A token and what came with it. */
export interface Grant {
  readonly token: string;
  /** By our clock; a while before it expires. */
  readonly renewAtMs: number;
  readonly catalogue: Catalogue;
  readonly user: string;
  readonly project: string | null;
  readonly projectId: string | null;
  readonly roles: readonly string[];
}

/** The body of POST /v3/auth/tokens. */
export function loginBody(login: Login): unknown {
  if (login.method === 'application-credential') {
    // Its project comes with it; a scope would be refused.
    return {
      auth: {
        identity: {
          methods: ['application_credential'],
          application_credential: { ...login.credential, secret: login.secret },
        },
      },
    };
  }
  return {
    auth: {
      identity: { methods: ['password'], password: { user: { ...login.user, password: login.password } } },
      scope: { project: login.project },
    },
  };
}

/** The login as people know it, without its secret. */
export function loginName(login: Login): string {
  if (login.method === 'password') return `user ${named(login.user)}`;
  return `application credential ${'id' in login.credential ? login.credential.id : login.credential.name}`;
}

const named = (thing: ScopedReference): string => ('id' in thing ? thing.id : thing.name);

const knownRefusals: Readonly<Record<number, string>> = {
  400: 'Keystone does not understand the login',
  401: 'the login is refused',
  403: 'the login is forbidden',
  404: 'there is no Keystone at this address',
  408: 'the login came in too slowly',
  429: 'too many logins',
};

/** What a status means that a login ended with. The body's words are left out: they may quote the request. */
export const refusalWords = (status: number): string =>
  knownRefusals[status] ??
  (status >= 500 ? 'Keystone, or what stands before it, is in trouble' : 'not a login');

/**
 * Where a login was sent on to, as `auth_url` would have to name it. Nobody follows: the password would go along. Null:
 * nowhere that makes sense.
 */
export function sentOnTo({ status, headers }: HttpAnswer, from: URL): string | null {
  const { location } = headers;
  if (status < 300 || status >= 400 || location === undefined || !URL.canParse(location, from.href))
    return null;
  const { origin, pathname } = new URL(location, from);
  return origin === 'null'
    ? null
    : quoted(`${origin}${pathname.replace(/\/auth\/tokens\/?$/, '')}`, mostOfWords);
}

const tokenSchema = z.object({
  token: z.object({
    expires_at: utcTime,
    issued_at: utcTime,
    user: z.object({ name }),
    project: z.object({ id: opaqueId.optional(), name }).nullish(),
    roles: sensible(z.object({ name })).nullish(),
    catalog: catalogueSchema,
  }),
});

/** A token is renewed this long before it ends, or at nine tenths of a short life: a call must not outlive it. */
const RENEW_BEFORE_MS = 120_000;

/**
 * Reads the answer (2xx) of a login asked for at `askedAtMs` by our clock. The token's life is taken from its own two
 * dates, so the cloud's clock does not matter.
 * @throws CloudError (not-done) when it makes no sense
 */
export function readGrant(answer: HttpAnswer, askedAtMs: number): Grant {
  const token = answer.headers['x-subject-token'];
  if (!token) throw new CloudError('not-done', "Keystone's login answered without a token", answer.status);
  const parsed = tokenSchema.safeParse(json(answer.text));
  if (!parsed.success) {
    // Where only: what is there may be a part of the request.
    const where = parsed.error.issues[0]?.path.map(String).join('.') || 'body';
    throw new CloudError('not-done', `Keystone's login: the answer makes no sense (${where})`, null);
  }
  const body = parsed.data.token;
  const lifeMs = body.expires_at - body.issued_at;
  return {
    token,
    renewAtMs: askedAtMs + Math.max(lifeMs * 0.9, lifeMs - RENEW_BEFORE_MS),
    catalogue: body.catalog,
    user: body.user.name,
    project: body.project?.name ?? null,
    projectId: body.project?.id ?? null,
    roles: (body.roles ?? []).map((role) => role.name),
  };
}
