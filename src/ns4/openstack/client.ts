// The client: one session with a cloud, and the services' parts put together to the port that ns4 works with.

import type { Clock } from '../../shared/ground/clock.ts';
import { timings } from '../../shared/ground/timings.ts';
import { Secrets } from '../../shared/masks/secrets.ts';
import type { Cloud } from '../cloud/cloud.ts';
import type { CloudCredentials, ServiceName } from '../credentials/cloud-credentials.ts';
import type { RetryLimits } from './backoff.ts';
import { Compute } from './compute.ts';
import { readList } from './listing.ts';
import { Network } from './network.ts';
import { Placement } from './placement.ts';
import { projectItem } from './records.ts';
import { Session } from './session.ts';

export interface CloudOptions {
  readonly clock: Clock;
  /** In [0, 1); spreads the pauses before repetitions (Math.random). */
  readonly random: () => number;
  /** Told of every repetition, with its reason; no secrets. */
  readonly log?: (text: string) => void;
  /** Those of the process, which learn the login and each token. */
  readonly secrets?: Secrets;
  /** For one request with all of its answer. */
  readonly timeoutMs?: number;
  readonly evacuateTimeoutMs?: number;
  /** Items per page. Nova serves no more than its osapi_max_limit (1000), whatever is asked. */
  readonly pageSize?: number;
  readonly retry?: Partial<RetryLimits>;
  readonly maxBodyBytes?: number;
  /** Connections to each service that reads share. */
  readonly connections?: number;
}

/** What `--check` shows of a cloud that was reached. */
export interface CloudDescription {
  readonly cloud: string;
  readonly user: string;
  readonly project: string | null;
  readonly roles: readonly string[];
  readonly region: string | null;
  readonly interface: string;
  /** Placement is needed by the database method only: null when the catalogue has none. */
  readonly endpoints: Readonly<Record<Exclude<ServiceName, 'placement'>, string>> & {
    readonly placement: string | null;
  };
  readonly computeMicroversion: string;
  readonly clockSkewMs: number;
}

export interface CloudClient extends Cloud {
  /** Logs in, finds all endpoints and negotiates with Nova. @throws CloudError */
  describe(signal: AbortSignal): Promise<CloudDescription>;
  /** Ends everything under way and closes all connections. */
  close(): Promise<void>;
}

const defaultRetry: RetryLimits = { retries: 4, pauseMs: 300, maxPauseMs: 8_000, totalMs: 45_000 };

/**
 * A client of one cloud. It connects with the first call. Every method throws CloudError by the rules in ../cloud.ts;
 * reads are repeated within the limits of `retry`, changes never.
 */
export function createCloud(credentials: CloudCredentials, options: CloudOptions): CloudClient {
  const session = new Session(credentials, {
    clock: options.clock,
    random: options.random,
    log: options.log ?? (() => undefined),
    secrets: options.secrets ?? new Secrets(),
    timeoutMs: options.timeoutMs ?? 20_000,
    retry: { ...defaultRetry, ...options.retry },
    maxBodyBytes: options.maxBodyBytes ?? 64 * 1024 * 1024,
    connections: options.connections ?? 10,
  });
  const pageSize = options.pageSize ?? 500;
  const evacuateTimeoutMs = options.evacuateTimeoutMs ?? timings.evacuation.clientMs;
  const compute = new Compute(session, { pageSize, evacuateTimeoutMs });
  const network = new Network(session, pageSize);
  const placement = new Placement(session);

  const describe = async (signal: AbortSignal): Promise<CloudDescription> => {
    const grant = await session.grant(signal);
    const endpoint = (service: ServiceName): Promise<string> => session.endpoint(service, signal);
    return {
      cloud: credentials.cloud,
      user: grant.user,
      project: grant.project,
      roles: grant.roles,
      region: credentials.region,
      interface: credentials.interface,
      endpoints: {
        compute: await endpoint('compute'),
        network: await endpoint('network'),
        placement: await endpoint('placement').catch(() => null),
        identity: await endpoint('identity'),
      },
      computeMicroversion: await compute.microversion(signal),
      clockSkewMs: session.transport.skew.ms(),
    };
  };

  return {
    listHypervisors: (signal) => compute.listHypervisors(signal),
    readUptime: (host, signal) => compute.readUptime(host, signal),
    listComputeServices: (signal, host, onDown) => compute.listComputeServices(signal, host, onDown),
    listAgents: (signal, host) => network.listAgents(signal, host),
    listAggregates: (signal) => compute.listAggregates(signal),
    // Keystone ignores a limit and sends all (docs/facts.md#lists-and-pages).
    listProjects: (signal) =>
      readList(
        session,
        {
          call: { service: 'identity', path: '/projects' },
          key: 'projects',
          item: projectItem,
          idOf: (project) => project.id,
          pageSize: null,
        },
        signal,
      ),
    listServers: (signal, host, onDown) => compute.listServers(signal, host, onDown),
    readServer: (id, signal) => compute.readServer(id, signal),
    listEvacuations: (sourceHost, signal) => compute.listEvacuations(sourceHost, signal),
    listMigrations: (host, signal) => compute.listMigrations(host, signal),
    listMigrationsOf: (instanceId, signal) => compute.listMigrationsOf(instanceId, signal),
    listPorts: (filter, signal) => network.listPorts(filter, signal),
    listNetworks: (signal) => network.listNetworks(signal),
    listInstanceAddresses: (signal) => network.listInstanceAddresses(signal),
    clockSkewMs: () => session.transport.skew.ms(),
    leftOut: () => session.leftOut.lists(),
    changeComputeService: (id, change, signal) => compute.changeComputeService(id, change, signal),
    evacuate: (instanceId, target, signal) => compute.evacuate(instanceId, target, signal),
    hardReboot: (instanceId, signal) => compute.hardReboot(instanceId, signal),
    bindPort: (portId, host, signal) => network.bindPort(portId, host, signal),
    moveAllocation: (instanceId, from, to, signal) => placement.moveAllocation(instanceId, from, to, signal),
    describe,
    close: () => session.close(),
  };
}
