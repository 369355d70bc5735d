// The way out to Slack where there is no direct one: the proxy that the environment names, as every other tool there
// uses it (HTTPS_PROXY, HTTP_PROXY, NO_PROXY, in upper or lower case). Node's own fetch does not look.
import { type Dispatcher, EnvHttpProxyAgent, fetch } from 'undici';
import { OperationalError } from '../../shared/ground/errors.ts';

/** What Slack's client asks of a fetch; it sends texts only, as long as no files are uploaded. */
interface Request {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly redirect?: 'error' | 'follow' | 'manual';
  readonly signal?: AbortSignal;
}

export interface ProxyRoute {
  /** For the sockets of Socket Mode. */
  readonly dispatcher: Dispatcher;
  /** For the calls of the Web API. */
  readonly fetch: (url: string | URL, request?: Request) => ReturnType<typeof fetch>;
}

/** Null when the environment names no proxy, or when Slack is on this very machine (a pretend one). */
export function proxyRoute(env: NodeJS.ProcessEnv, apiUrl: string | null): ProxyRoute | null {
  if (apiUrl !== null && /^(localhost|127\.[\d.]+|\[::1\])$/.test(new URL(apiUrl).hostname)) return null;
  const names = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'];
  if (!names.some((name) => (env[name] ?? '') !== '')) return null;
  const dispatcher = proxyAgent(names);
  return {
    dispatcher,
    fetch: (url, { body, ...rest } = {}) =>
      fetch(url, { ...rest, body: typeof body === 'string' ? body : null, dispatcher }),
  };
}

function proxyAgent(names: readonly string[]): Dispatcher {
  try {
    return new EnvHttpProxyAgent();
  } catch {
    // Its message would quote the address, which may hold a password.
    throw new OperationalError(`no proxy's URL in one of ${names.join(', ')}`);
  }
}
