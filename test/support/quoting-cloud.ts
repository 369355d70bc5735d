// Something hostile between Sonny and a pretend cloud: it passes requests on, and where it is told to, answers with an
// error that quotes what it should not, in one form after the other.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { quotings } from './quotings.ts';

/** Errors as services and proxies give them. */
const statuses = [400, 401, 403, 404, 409, 413, 418, 429, 500, 502, 503, 200];
const dresses: readonly ((words: string) => { readonly type: string; readonly body: string })[] = [
  (words) => ({ type: 'application/json', body: JSON.stringify({ error: { code: 400, message: words } }) }),
  (words) => ({ type: 'application/json', body: JSON.stringify({ badRequest: { message: words } }) }),
  (words) => ({ type: 'text/html', body: `<html><head><title>x</title></head><body>${words}</body></html>` }),
  (words) => ({ type: 'text/plain', body: words }),
  (words) => ({ type: 'application/json', body: JSON.stringify({ errors: [{ code: 'x', detail: words }] }) }),
];

export class QuotingCloud {
  /** Which requests are answered by an error; a path as the cloud's own. */
  hostile: (method: string, path: string) => boolean = () => false;
  /** How many were. */
  answered = 0;
  readonly #secrets: readonly string[];
  readonly #behind: string;
  readonly #server: Server;

  private constructor(behind: string, secrets: readonly string[]) {
    this.#behind = behind;
    this.#secrets = secrets;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  /** `behind`: the origin of the true Keystone. */
  static async open(behind: string, secrets: readonly string[]): Promise<QuotingCloud> {
    const cloud = new QuotingCloud(behind, secrets);
    await new Promise<void>((resolve) => cloud.#server.listen(0, '127.0.0.1', resolve));
    return cloud;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** An error's words: some of the secrets, all in the next form. */
  #words(): string {
    const forms = Object.values(quotings);
    const form = forms[this.answered % forms.length] ?? ((text: string) => text);
    const first = (this.answered * 5) % this.#secrets.length;
    return this.#secrets
      .slice(first, first + 5)
      .map(form)
      .join(' ');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = 'GET', url = '/' } = request;
    const [, origin = this.#behind, path = url] = /^\/o\/([^/]+)(\/.*)$/.exec(url) ?? [];
    if (this.hostile(method, path)) {
      const words = this.#words();
      const status = statuses[this.answered % statuses.length] ?? 500;
      const { type, body } = dresses[this.answered % dresses.length]?.(words) ?? {
        type: 'text/plain',
        body: words,
      };
      this.answered += 1;
      response.writeHead(status, { 'content-type': type }).end(body);
      return;
    }
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
    const answer = await fetch(`${origin.startsWith('http') ? origin : `http://${origin}`}${path}`, {
      method,
      headers: headers as Record<string, string>,
      ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
    });
    const text = await answer.text();
    const kept = ['content-type', 'x-subject-token', 'openstack-api-version', 'x-openstack-nova-api-version'];
    response.writeHead(
      answer.status,
      Object.fromEntries(
        kept.flatMap((name) => [[name, answer.headers.get(name)]].filter(([, v]) => v !== null)),
      ),
    );
    // The catalogue leads to here as well.
    response.end(
      path.endsWith('/auth/tokens') ? text.replaceAll(/http:\/\/([\d.]+:\d+)/g, `${this.origin}/o/$1`) : text,
    );
  }
}
