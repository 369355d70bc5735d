// Calls to the services of one cloud, with a token: the one place that decides what may be concluded from a call that
// did not succeed (see the rules in ../cloud.ts), what is repeated, and what is kept out of error texts.

import type { Clock } from '../../shared/ground/clock.ts';
import { errorText } from '../../shared/ground/errors.ts';
import type { Mask, Secrets } from '../../shared/masks/secrets.ts';
import { CloudError } from '../cloud/cloud.ts';
import type { CloudCredentials, ServiceName } from '../credentials/cloud-credentials.ts';
import { type RetryLimits, type RetryTools, retried } from './backoff.ts';
import { endpointOf, identityRoot, serviceTitles } from './catalogue.ts';
import { CloudConfigurationError } from './configuration-error.ts';
import { LeftOut } from './left-out.ts';
import { type Grant, loginBody, loginName, readGrant, refusalWords, sentOnTo } from './login.ts';
import { isPage, json, serviceWords } from './service-words.ts';
import { SharedValue } from './shared-value.ts';
import { type HttpAnswer, type HttpRequest, NoAnswer, Transport } from './transport.ts';

interface SessionOptions {
  readonly clock: Clock;
  /** In [0, 1); spreads the pauses before repetitions. */
  readonly random: () => number;
  readonly timeoutMs: number;
  readonly retry: RetryLimits;
  readonly maxBodyBytes: number;
  readonly connections: number;
  /** Told of everything that was repeated, and why. */
  readonly log: (text: string) => void;
  /** Told the login and each token; no error text shows what it knows, should a service or a proxy quote it. */
  readonly secrets: Pick<Secrets, 'learn' | 'learnPassing' | 'mask'>;
}

export interface Call {
  readonly service: ServiceName;
  /** GET is a read and may be repeated; the others are changes and never are. */
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Below the endpoint: "/servers/detail". */
  readonly path: string;
  readonly query?: URLSearchParams;
  readonly body?: unknown;
  /** As in the header: "compute 2.87". */
  readonly microversion?: string;
  readonly timeoutMs?: number;
  /** Answers other than 2xx that the caller deals with itself. */
  readonly accept?: (answer: HttpAnswer) => boolean;
}

export interface Reply {
  readonly status: number;
  /** Undefined when the body was no JSON (an empty one is none). */
  readonly body: unknown;
  /** The call, for messages: "Nova GET /servers/detail". */
  readonly what: string;
}

export class Session {
  readonly credentials: CloudCredentials;
  readonly transport: Transport;
  /** Records that made no sense. */
  readonly leftOut = new LeftOut();
  readonly #options: SessionOptions;
  readonly #grants: SharedValue<Grant>;
  #latest: { readonly grant: Grant; readonly atMs: number } | null = null;
  readonly #closing = new AbortController();

  constructor(credentials: CloudCredentials, options: SessionOptions) {
    this.credentials = credentials;
    this.#options = options;
    const { login } = credentials;
    options.secrets.learn([login.method === 'password' ? login.password : login.secret]);
    this.transport = new Transport({ ...options, ...credentials.tls }, options.clock);
    this.#grants = new SharedValue<Grant>(
      () => this.#login(),
      (grant) => options.clock.nowMs() < grant.renewAtMs,
    );
  }

  /** Fires when the session is closed: for what is shared by several calls, and ends with none of them. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Ends everything under way and all connections. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the client was closed'));
    await this.transport.close();
  }

  /** The current token with what came along, logging in first where needed. @throws CloudError (not-done) */
  grant(signal: AbortSignal): Promise<Grant> {
    return this.#grants.get(signal);
  }

  /** The base URL of a service. @throws CloudError (not-done) */
  async endpoint(service: ServiceName, signal: AbortSignal): Promise<string> {
    try {
      return endpointOf((await this.grant(signal)).catalogue, service, this.credentials);
    } catch (error) {
      this.#doubt();
      throw error;
    }
  }

  /**
   * The service was not found where the catalogue has it, or is not in it. That may have been odd, or things have moved since:
   * the next call asks for it anew, rather than all calls fail until the token runs out; once in a while, as services are
   * away for other reasons too.
   */
  #doubt(): void {
    if (this.#latest === null || this.#options.clock.nowMs() - this.#latest.atMs < doubtAfterMs) return;
    this.#grants.forget(this.#latest.grant);
  }

  /**
   * Makes one call and returns its answer (2xx; to a change nothing or JSON). Reads are repeated within the limits. A
   * 401 renews the token and sends once more, changes too: it was answered before anything was done.
   * @throws CloudError
   */
  async call(call: Call, signal: AbortSignal): Promise<Reply> {
    const what = `${serviceTitles[call.service]} ${call.method} ${call.path}`;
    const attempt = (): Promise<HttpAnswer> => this.#authorised(call, signal);
    try {
      const answer =
        call.method === 'GET'
          ? await retried(attempt, this.#options.retry, this.#tools(what), signal)
          : await attempt();
      const good = (answer.status >= 200 && answer.status < 300) || call.accept?.(answer) === true;
      if (!good) throw unsuccessful(answer, what, call.method !== 'GET', this.#options.secrets.mask);
      const body = json(answer.text);
      // A page in place of the service ("maintenance", a login) may well say 200. Reads are checked field by field.
      if (call.method !== 'GET' && body === undefined && answer.text.trim() !== '')
        throw new CloudError('unknown', `${what}: ${answer.status}, but the answer is no JSON`, null);
      return { status: answer.status, body, what };
    } catch (error) {
      if (!(error instanceof CloudError && error.outcome === 'refused')) this.#doubt();
      throw this.#withoutSecrets(inWords(error, what, call.method !== 'GET'));
    }
  }

  async #authorised(call: Call, signal: AbortSignal): Promise<HttpAnswer> {
    const grant = await this.grant(signal);
    const answer = await this.#send(call, grant, signal);
    if (answer.status !== 401) return answer;
    this.#grants.forget(grant);
    return this.#send(call, await this.grant(signal), signal);
  }

  #send(call: Call, grant: Grant, signal: AbortSignal): Promise<HttpAnswer> {
    if (this.closing.aborted) throw new CloudError('not-done', 'the client was closed', null);
    const url = new URL(endpointOf(grant.catalogue, call.service, this.credentials) + call.path);
    if (call.query) url.search = call.query.toString();
    const request: HttpRequest = {
      method: call.method,
      url,
      headers: {
        ...commonHeaders,
        'x-auth-token': grant.token,
        ...(call.microversion && { 'openstack-api-version': call.microversion }),
      },
      body: call.body === undefined ? null : JSON.stringify(call.body),
      timeoutMs: call.timeoutMs ?? this.#options.timeoutMs,
      change: call.method !== 'GET',
    };
    return this.transport.exchange(request, signal);
  }

  /** Logging in changes nothing, so it is repeated like a read. It ends with the session, not with who asked first. */
  async #login(): Promise<Grant> {
    const what = `Keystone login of ${loginName(this.credentials.login)}`;
    const signal = this.closing;
    const request: HttpRequest = {
      method: 'POST',
      url: new URL(`${identityRoot(this.credentials.authUrl)}/auth/tokens`),
      headers: commonHeaders,
      body: JSON.stringify(loginBody(this.credentials.login)),
      timeoutMs: this.#options.timeoutMs,
      change: false,
    };
    try {
      let askedAtMs = 0;
      const attempt = (): Promise<HttpAnswer> => {
        askedAtMs = this.#options.clock.nowMs();
        return this.transport.exchange(request, signal);
      };
      const answer = await retried(attempt, this.#options.retry, this.#tools(what), signal);
      if (answer.status !== 201 && answer.status !== 200) {
        const elsewhere = sentOnTo(answer, request.url);
        const why =
          elsewhere === null ? refusalWords(answer.status) : `Keystone is at ${elsewhere} (auth_url)`;
        const text = `${what}: ${answer.status} ${why}`;
        if (answer.status === 401) throw new CloudConfigurationError(text, 401);
        throw new CloudError('not-done', text, answer.status);
      }
      const grant = readGrant(answer, askedAtMs);
      this.#latest = { grant, atMs: this.#options.clock.nowMs() };
      this.#options.secrets.learnPassing(grant.token);
      return grant;
    } catch (error) {
      throw this.#withoutSecrets(inWords(error, what, false));
    }
  }

  #tools(what: string): RetryTools {
    const { clock, random, log } = this.#options;
    return { clock, random, onRetry: (why, pauseMs) => log(`${what}: ${why}; again in ${pauseMs} ms`) };
  }

  #withoutSecrets(error: CloudError): CloudError {
    const text = this.#options.secrets.mask(error.message);
    return text === error.message ? error : new CloudError(error.outcome, text, error.status);
  }
}

/** So long a catalogue is believed whatever it leads to. */
const doubtAfterMs = 60_000;

const commonHeaders = {
  accept: 'application/json',
  'content-type': 'application/json',
  'user-agent': 'sonny',
};

/** An answer that is no success, by the rules of CloudError. */
function unsuccessful(answer: HttpAnswer, what: string, change: boolean, mask: Mask): CloudError {
  const { status } = answer;
  const words = serviceWords(answer.text, mask);
  const full = `${what}: ${status} ${words}`.trim();
  // A page is from something in between: its 404 is no more the service's no than its 503, and whether it had passed
  // the request on only a look tells. Whoever says 401 has not.
  if (status >= 400 && status < 500 && (status === 401 || !isPage(answer.text))) {
    // A refused change is reported per instance, in the service's own words.
    return new CloudError('refused', change && words && status !== 401 ? words : full, status);
  }
  return new CloudError(change ? 'unknown' : 'not-done', full, status);
}

/** Whatever a call threw, by the rules of CloudError. */
function inWords(error: unknown, what: string, change: boolean): CloudError {
  if (error instanceof CloudError) return error;
  const certainlyNotDone = !change || (error instanceof NoAnswer && !error.sent);
  return new CloudError(certainlyNotDone ? 'not-done' : 'unknown', `${what}: ${errorText(error)}`, null);
}
