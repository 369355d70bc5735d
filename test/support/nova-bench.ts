// A simulator with quick durations and without listeners, and the requests that tests of Nova's quirks are made of.
import { type ServerSnapshot, type Simulator, startSimulator } from '../../simulator/simulator.ts';
import {
  openRawApi,
  type RawAnswer,
  type RawApi,
  type RawServer,
  type RawService,
  until,
} from './raw-api.ts';

export const quickDurations = {
  reportIntervalMs: 100,
  serviceDownMs: 600,
  agentDownMs: 600,
  resourcesIntervalMs: 300,
  scheduleMs: 100,
  rebuildMs: 200,
  oldHostShownMs: 40,
  portActiveMs: 50,
  rebindMs: 100,
  disableDeadBlockMs: 700,
  neutronAwayMs: 100,
  reconnectMs: 50,
};

/** Starts one. */
export async function openNovaBench(): Promise<NovaBench> {
  const simulator = await startSimulator({
    computes: 4,
    domain: 'example.org',
    listen: false,
    durations: quickDurations,
    aggregates: { ssd: ['hv01', 'hv04'] },
  });
  return new NovaBench(simulator, await openRawApi(simulator));
}

export class NovaBench {
  readonly simulator: Simulator;
  readonly api: RawApi;

  constructor(simulator: Simulator, api: RawApi) {
    this.simulator = simulator;
    this.api = api;
  }

  /** No instances; all hosts alive, enabled, and not forced down. */
  async clean(): Promise<void> {
    const { simulator } = this;
    simulator.clearFaults();
    for (const name of Object.keys(simulator.snapshot().servers)) await simulator.delete(name);
    for (const host of simulator.hosts) {
      await simulator.revive(host);
      simulator.unspare(host);
    }
  }

  evacuate(id: string, body: object, version = '2.79'): Promise<RawAnswer> {
    return this.act(id, { evacuate: body }, version);
  }

  act(id: string, body: object, version = '2.79'): Promise<RawAnswer> {
    return this.api.nova('POST', `/servers/${id}/action`, { version, body });
  }

  async server(id: string): Promise<RawServer> {
    return (await this.api.nova('GET', `/servers/${id}`)).at('server');
  }

  async service(host: string): Promise<RawService> {
    const found = await this.api.nova('GET', `/os-services?binary=nova-compute&host=${host}`);
    return found.at('services', 0);
  }

  async putService(host: string, body: object): Promise<RawAnswer> {
    return this.api.nova('PUT', `/os-services/${(await this.service(host)).id}`, { body });
  }

  /** Forced down and disabled in one request, as an evacuation begins. */
  condemn(host: string): Promise<RawAnswer> {
    return this.putService(host, { forced_down: true, status: 'disabled', disabled_reason: 'dead' });
  }

  /** The server of that name as the simulator has it. */
  seen(name: string): ServerSnapshot | undefined {
    return this.simulator.snapshot().servers[name];
  }

  /** Resolves when Nova has the server of that name on that host. */
  async arrival(name: string, host: string): Promise<void> {
    await until(
      () => this.seen(name)?.host,
      (now) => now === host,
    );
  }
}
