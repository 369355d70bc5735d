// A request to one of the four APIs and an answer of theirs, free of node:http.
import type { IncomingHttpHeaders } from 'node:http';
import { ApiRefusal } from '../world/refusal.ts';

export type ApiName = 'keystone' | 'nova' | 'neutron' | 'placement';

export interface Call {
  readonly api: ApiName;
  readonly method: string;
  /** Without a trailing slash; "/" for the root. */
  readonly path: string;
  readonly url: URL;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The body as it came. */
  readonly text: string;
  /** Aborted when the client has gone. */
  readonly gone: AbortSignal;
}

export interface Answer {
  readonly status: number;
  /** An object goes out as JSON, a string as HTML; absent: empty. */
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

/** One route of an API; groups of the path's pattern are handed over decoded. */
export interface Route {
  readonly method: string;
  readonly path: RegExp;
  readonly handle: (call: Call, ...groups: string[]) => Answer | Promise<Answer>;
}

/** The handler for a call among the routes, or null; `path` is the call's, perhaps without a prefix. */
export function findRoute(
  routes: readonly Route[],
  call: Call,
  path = call.path,
): (() => Answer | Promise<Answer>) | null {
  for (const route of routes) {
    const match = route.method === call.method ? route.path.exec(path) : null;
    if (match !== null) {
      return () => route.handle(call, ...match.slice(1).map((group) => decodeURIComponent(group ?? '')));
    }
  }
  return null;
}

/** The body as a JSON object; refuses anything else as the services do. */
export function jsonBody(call: Call): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(call.text);
    if (isRecord(parsed)) return parsed;
  } catch {
    // Falls through: not JSON at all.
  }
  throw new ApiRefusal(400, 'Malformed request body');
}

/** Is it an object with named fields? */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The minor number of a 2.x or 1.x version word; null when malformed. */
export function minorOf(word: string, major: number): number | null {
  const match = /^(\d+)\.(\d+)$/.exec(word);
  return match === null || Number(match[1]) !== major ? null : Number(match[2]);
}

/** "2026-11-21T02:17:13.000000": Nova's and Keystone's way; they keep whole seconds. */
export function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}.000000`;
}

/** The reason phrase's usual page of a WSGI server. */
export function htmlPage(status: number, title: string, text: string): string {
  return `<html>\n <head>\n  <title>${status} ${title}</title>\n </head>\n <body>\n  <h1>${status} ${title}</h1>\n  ${text}<br /><br />\n\n\n\n </body>\n</html>`;
}
