// A BMC that speaks Redfish over HTTPS, as far as fence_redfish asks: one system with a power state and its reset
// action.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { DeviceLevel } from '../../src/ns4/fencing/plan.ts';
import { makeCertificates } from './certificates.ts';

export const redfishPassword = 'a-redfish-secret';
const systemPath = '/redfish/v1/Systems/1';

export class RedfishServer {
  readonly port: number;
  isOn = true;
  /** What was asked for: "GET /path", with the reset's kind behind a POST. */
  readonly asked: string[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('request', (request, response) => void this.#answer(request, response));
  }

  /** Certificates that nobody trusts are made in `dir`, which is its own. */
  static async start(dir: string): Promise<RedfishServer> {
    const { cert, key } = makeCertificates(dir, 'IP:127.0.0.1').server;
    const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new RedfishServer(server);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** `change`: options to set, or by null to leave out. */
  level(number = 1, change: Record<string, string | null> = {}): DeviceLevel {
    const all = {
      ip: '127.0.0.1',
      ipport: String(this.port),
      username: 'admin',
      password: redfishPassword,
      ssl_insecure: '1',
      systems_uri: systemPath,
      power_wait: '0',
      ...change,
    };
    const options = Object.fromEntries(
      Object.entries(all).filter((e): e is [string, string] => e[1] !== null),
    );
    return { number, devices: [{ agent: 'fence_redfish', program: '/usr/sbin/fence_redfish', options }] };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += chunk;
    const send = (status: number, json: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    const login = `Basic ${Buffer.from(`admin:${redfishPassword}`).toString('base64')}`;
    if (request.headers.authorization !== login) return void send(401, { error: { code: 'unauthorized' } });
    const { method, url } = request;
    if (method === 'GET' && url === systemPath) {
      this.asked.push('GET');
      const target = `${systemPath}/Actions/ComputerSystem.Reset`;
      send(200, {
        PowerState: this.isOn ? 'On' : 'Off',
        Actions: { '#ComputerSystem.Reset': { target } },
      });
    } else if (method === 'POST' && url === `${systemPath}/Actions/ComputerSystem.Reset`) {
      const { ResetType } = JSON.parse(body) as { ResetType: string };
      this.asked.push(`POST ${ResetType}`);
      this.isOn = ResetType === 'On';
      send(200, {});
    } else send(404, {});
  }
}
