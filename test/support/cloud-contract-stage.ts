// The stage of the contract (cloud-contract.ts): a world, a client of it, and the steps that its tests have in common.
import { expect } from 'vitest';
import { type Cloud, CloudError, type ComputeService } from '../../src/ns4/cloud/cloud.ts';
import type { CloudCredentials } from '../../src/ns4/credentials/cloud-credentials.ts';
import { type CloudClient, createCloud } from '../../src/ns4/openstack/client.ts';
import type { Server } from '../../src/shared/documents/inventory.ts';
import { type Clock, systemClock } from '../../src/shared/ground/clock.ts';

/** A client under contract; one without HTTP has no endpoints to describe. */
export type Client = Cloud & Pick<CloudClient, 'close'> & Partial<Pick<CloudClient, 'describe'>>;

/** What a world gives its clients that is reached by HTTP. */
export const overHttp = (credentials: CloudCredentials): Pick<World, 'open' | 'clock'> => ({
  open: (pageSize = 500) => createCloud(credentials, { clock: systemClock, random: Math.random, pageSize }),
  clock: systemClock,
});

/** A cloud without instances and with at least four enabled hypervisors, and what is done to it from outside. */
export interface World {
  /** A client of its own, which pages its lists by so many. */
  open(pageSize?: number): Client;
  /** The time this world lives in. */
  readonly clock: Clock;
  /** Service hosts of all hypervisors. */
  readonly hosts: readonly string[];
  /** An instance on that host, settled (ACTIVE, or SHUTOFF); its id. */
  boot(name: string, host: string, options?: { stopped?: boolean }): Promise<string>;
  /** The hypervisor dies: nova-compute, agent and network. */
  kill(host: string): Promise<void>;
  /** It comes back, and its nova-compute has reported (a forced_down service still shows down). */
  revive(host: string): Promise<void>;
  /** Disabled with the reason "spare". */
  spare(host: string): Promise<void>;
  /** Enabled and not forced down. */
  unspare(host: string): Promise<void>;
  /** Ends or cleans up the world: no instances, all alive and enabled. */
  close(): Promise<void>;
}

export const signal = new AbortController().signal;
/** A well-formed id of nothing. */
export const nobody = '00000000-0000-4000-8000-000000000000';

/** Roles of four hypervisors: one dies, two take over, and on one everything else happens. */
interface Cast {
  readonly dead: string;
  readonly target: string;
  readonly other: string;
  readonly living: string;
}

export class Stage {
  readonly world: World;
  readonly cloud: Client;
  readonly cast: Cast;
  readonly #limitMs: number;

  constructor(world: World, limitMs: number) {
    this.world = world;
    this.#limitMs = limitMs;
    this.cloud = world.open();
    const [dead = '', target = '', other = '', living = ''] = world.hosts;
    this.cast = { dead, target, other, living };
  }

  nowMs(): number {
    return this.world.clock.nowMs();
  }

  async service(host: string): Promise<ComputeService> {
    const [service] = await this.cloud.listComputeServices(signal, host);
    if (!service) throw new Error(`no compute service on ${host}`);
    return service;
  }

  /** Reads until it is good, for no longer than anything in this world may take. */
  async eventually<T>(read: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
    const until = this.nowMs() + this.#limitMs;
    for (;;) {
      const value = await read();
      if (good(value)) return value;
      if (this.nowMs() > until) throw new Error(`not within ${this.#limitMs} ms: ${JSON.stringify(value)}`);
      await this.world.clock.sleep(100);
    }
  }

  /** The instance as it is once it rests on that host. */
  settledOn(id: string, host: string): Promise<Server | null> {
    return this.eventually(
      () => this.cloud.readServer(id, signal),
      (server) => server?.host === host && server.taskState === null && server.status !== 'REBUILD',
    );
  }

  /** What an evacuation does to the dead host before the first instance moves. */
  async condemn(host: string): Promise<void> {
    const change = { forcedDown: true, status: 'disabled', disabledReason: 'contract' } as const;
    await this.cloud.changeComputeService((await this.service(host)).id, change, signal);
  }

  /** The host comes back and takes instances again. */
  async rehabilitate(host: string): Promise<void> {
    await this.world.revive(host);
    const { id } = await this.service(host);
    // Refused until the restarted nova-compute has seen what was taken from it.
    await this.eventually(
      () => isDone(this.cloud.changeComputeService(id, { forcedDown: false }, signal)),
      (done) => done,
    );
    await this.eventually(
      () => this.service(host),
      (service) => service.state === 'up',
    );
    // Not together with forcedDown: Nova tells a host that is down nothing, and the scheduler would go on passing
    // over it until its next periodic update.
    await this.cloud.changeComputeService(id, { status: 'enabled' }, signal);
  }

  async close(): Promise<void> {
    await this.cloud.close();
    await this.world.close();
  }
}

const isDone = (change: Promise<unknown>): Promise<boolean> =>
  change.then(
    () => true,
    () => false,
  );

/** Expects a change to be refused in just these words. */
export async function refusal(change: Promise<unknown>, status: number, message: string): Promise<void> {
  const error = await change.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CloudError);
  expect(error).toMatchObject({ outcome: 'refused', status, message });
}
