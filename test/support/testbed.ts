// A real OpenStack as a test's stage: hypervisors killed and revived by the testbed's tool, what became of everything
// read back through our own client, and the three processes at work on it.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { MigrationRecord } from '../../src/ns4/cloud/cloud.ts';
import { loadCloud } from '../../src/ns4/credentials/clouds-yaml.ts';
import { type CloudClient, createCloud } from '../../src/ns4/openstack/client.ts';
import type { Server } from '../../src/shared/documents/inventory.ts';
import { systemClock } from '../../src/shared/ground/clock.ts';
import { heardAll, pretendHeard } from './baseline.ts';
import { cloudTool } from './cloud-tool.ts';
import { Household, type Ini } from './processes.ts';
import { passwordLogin, rawFetch } from './raw-api.ts';
import { startRedis, type TestRedis } from './redis.ts';

export const never = new AbortController().signal;

/** The cloud was raised with --stock-intervals: agents report every 30 s, and Sonny has its own default periods. */
export const isStock = process.env.SONNY_CLOUD_STOCK === '1';

/** Sonny's periods on this cloud, s. */
export const periods = isStock ? { monitor: 60, heartbeat: 40 } : { monitor: 5, heartbeat: 8 };
/** An agent that is well has reported within this. */
const freshMs = isStock ? 35_000 : 5_000;

interface Environment {
  readonly clouds_yaml: string;
  readonly cloud: string;
  readonly auth_url: string;
  readonly username: string;
  readonly password: string;
  readonly ext_net: string;
  readonly mysql: { host: string; port: number; user: string; password: string; database: string };
  readonly hypervisors: Record<string, string>;
}

interface CatalogEntry {
  readonly type: string;
  readonly endpoints: readonly { readonly interface: string; readonly url: string }[];
}

const isDone = (change: Promise<unknown>): Promise<boolean> =>
  change.then(
    () => true,
    () => false,
  );

const postJson = (url: string, body: object, headers: Record<string, string> = {}) =>
  rawFetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

/** The running cloud, with hv04 as spare and nothing else unusual after each `reset`. */
export class Testbed {
  readonly env: Environment;
  readonly cloud: CloudClient;
  readonly cloudsYaml: string;

  private constructor(env: Environment) {
    this.env = env;
    this.cloudsYaml = readFileSync(env.clouds_yaml, 'utf8');
    const credentials = loadCloud({
      cloud: env.cloud,
      env: { OS_CLIENT_CONFIG_FILE: env.clouds_yaml },
      cwd: '/',
      home: '/nonexistent',
    });
    this.cloud = createCloud(credentials, { clock: systemClock, random: Math.random });
  }

  static async open(): Promise<Testbed> {
    return new Testbed(JSON.parse(await cloudTool('env')) as Environment);
  }

  /** No instances, every hypervisor alive and enabled but for the spare, all control services running. */
  async reset(spare: 'hv04' | null = 'hv04'): Promise<void> {
    const status = await cloudTool('status').catch((error: { stdout?: string }) => error.stdout ?? '');
    for (const [, ip] of status.matchAll(/^silent\s+(\S+)/gm)) await cloudTool('unsilence', ip as string);
    for (const [, name] of status.matchAll(/^(\S+).*\(stopped on purpose\)/gm))
      if (!/-(hv\d+)$/.test(name as string)) await cloudTool('service', 'start', name as string);
    const broken = new Set(
      [...status.matchAll(/^(?:compute|agent)-(hv\d+)\s+-/gm), ...status.matchAll(/^(hv\d+) is dark/gm)].map(
        (m) => m[1] as string,
      ),
    );
    for (const hv of broken) await cloudTool('revive', hv);
    // Not before: what is deleted on a host that died a moment ago waits until the host is back.
    await this.until('the tool to delete all instances', () => isDone(cloudTool('clean')), 60_000);
    for (const hv of Object.keys(this.env.hypervisors)) await this.#enable(hv);
    if (spare !== null) await cloudTool('spare', spare);
    await this.until(
      'all hypervisors and agents to be up',
      async () => {
        const services = await this.cloud.listComputeServices(never);
        const agents = await this.cloud.listAgents(never);
        // OVN's rows beat when they are asked, and are stamped by their own clock.
        const fresh = agents.filter(
          (a) => a.alive && (a.binary.includes('ovn') || Date.now() - a.heartbeatAtMs < freshMs),
        );
        const target = (await this.cloud.listHypervisors(never)).find((h) => h.host === 'hv04');
        return (
          services.every((s) => s.state === 'up') &&
          new Set(fresh.map((a) => a.host)).size === services.length &&
          target?.vcpusUsed === 0
        );
      },
      90_000,
    );
  }

  /**
   * Not in one request: Nova tells a host that is not up yet nothing of its being enabled, and the scheduler would pass
   * over it until its next periodic update.
   */
  async #enable(host: string): Promise<void> {
    const { id } = await this.service(host);
    // Refused until the restarted nova-compute has seen what was taken from it.
    const notForcedDown = () => isDone(this.cloud.changeComputeService(id, { forcedDown: false }, never));
    await this.until(`${host} to be forced down no more`, notForcedDown, 60_000);
    await this.until(`${host} to be up`, async () => (await this.service(host)).state === 'up', 60_000);
    await this.cloud.changeComputeService(id, { status: 'enabled' }, never);
  }

  /** Until the processes on this stage have seen the cloud, and every ns4 heard whoever answers. */
  watched({ household }: Pick<Stage, 'household'>): Promise<void> {
    return heardAll(household.redis, this.env.cloud, (30 + periods.monitor) * 1_000);
  }

  /** As if this stage had been watched before the processes start: for hosts that are dead by then. */
  async wasWatched({ household }: Pick<Stage, 'household'>): Promise<void> {
    const guests = [...(await this.servers()).values()].flatMap(({ addresses }) => addresses);
    const addresses = [...Object.values(this.env.hypervisors), ...guests.map(({ address }) => address)];
    await pretendHeard(household.redis, this.env.cloud, addresses);
  }

  /** Polls until true; throws with the name of what was waited for. */
  async until(what: string, is: () => Promise<boolean>, limitMs: number, pollMs = 200): Promise<void> {
    const untilMs = Date.now() + limitMs;
    while (!(await is())) {
      if (Date.now() > untilMs) throw new Error(`waited ${limitMs} ms in vain for ${what}`);
      await delay(pollMs);
    }
  }

  /** Boots instances on a hypervisor; their ids. */
  async boot(
    name: string,
    host: string,
    options: { count?: number; stopped?: boolean } = {},
  ): Promise<string[]> {
    const more = [
      ...(options.count ? ['--count', String(options.count)] : []),
      ...(options.stopped ? ['--stopped'] : []),
    ];
    const printed = await cloudTool('boot', name, '--host', host, ...more);
    return [...printed.matchAll(/^([0-9a-f-]{36}) /gm)].map((m) => m[1] as string);
  }

  async servers(): Promise<Map<string, Server>> {
    return new Map((await this.cloud.listServers(never)).map((s) => [s.name, s]));
  }

  /** Makes an instance ERROR, as `openstack server set --state` does, which asks a terminal first in newer releases. */
  async makeError(instanceId: string): Promise<void> {
    const act = await this.#loggedIn();
    await act(instanceId, { 'os-resetState': { state: 'error' } });
  }

  /**
   * What begins a live migration at once: whoever calls it has logged in before. Nova's conductor goes on by itself (2.34).
   */
  async migration(instanceId: string, host: string): Promise<() => Promise<void>> {
    const act = await this.#loggedIn();
    return () => act(instanceId, { 'os-migrateLive': { host, block_migration: 'auto' } }, '2.34');
  }

  /** Asks Nova for an action of a server; rejects unless it takes it. */
  async #loggedIn(): Promise<(instanceId: string, action: object, version?: string) => Promise<void>> {
    const { auth_url: url, username, password } = this.env;
    const login = await postJson(`${url}/auth/tokens`, passwordLogin(username, password));
    const catalog = login.at<readonly CatalogEntry[]>('token', 'catalog');
    const nova = catalog
      .find(({ type }) => type === 'compute')
      ?.endpoints.find((e) => e.interface === 'public');
    const token = login.headers.get('x-subject-token') ?? '';
    return async (instanceId, action, version = '2.1') => {
      const headers = { 'x-auth-token': token, 'OpenStack-API-Version': `compute ${version}` };
      const { status, text } = await postJson(`${nova?.url}/servers/${instanceId}/action`, action, headers);
      if (status !== 202) throw new Error(`Nova answers ${status} to ${Object.keys(action)}: ${text}`);
    };
  }

  evacuations(host = 'hv01'): Promise<MigrationRecord[]> {
    return this.cloud.listEvacuations(host, never);
  }

  /** A hypervisor's own address. */
  addressOf(host: string): string {
    const address = this.env.hypervisors[host];
    if (address === undefined) throw new Error(`the test bed has no hypervisor ${host}`);
    return address;
  }

  async service(host: string) {
    const [found] = await this.cloud.listComputeServices(never, host);
    if (found === undefined) throw new Error(`Nova knows no compute service on ${host}`);
    return found;
  }

  /** Runs SQL as the cloud's root, one JSON object per row. */
  async sql(database: string, statement: string): Promise<Record<string, unknown>[]> {
    const printed = await cloudTool('sql', database, statement);
    return printed
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Names of the hypervisors whose resource provider holds an allocation of this instance. */
  async allocatedOn(instanceId: string): Promise<string[]> {
    const rows = await this.sql(
      'placement',
      `SELECT DISTINCT rp.name AS name FROM allocations a JOIN resource_providers rp ON rp.id = a.resource_provider_id WHERE a.consumer_id = '${instanceId}'`,
    );
    return rows.map((row) => String(row.name)).sort();
  }

  async close(): Promise<void> {
    await this.cloud.close();
  }
}

/** Redis and a configuration with the periods of this cloud; processes are started by the test. */
export interface Stage {
  readonly household: Household;
  readonly redis: TestRedis;
  close(): Promise<void>;
}

export async function stage(
  testbed: Testbed,
  ini: Ini = {},
  options: { aof?: boolean } = {},
): Promise<Stage> {
  const redis = await startRedis(options);
  const household = new Household({
    cloud: testbed.env.cloud,
    redisPort: redis.port,
    cloudsYaml: testbed.cloudsYaml,
    ini: {
      ...ini,
      DEFAULT: { monitor_period: periods.monitor, heartbeat_period: periods.heartbeat, ...ini.DEFAULT },
      OPENSTACK: { cloud: testbed.env.cloud, provider_net: testbed.env.ext_net, ...ini.OPENSTACK },
      // A guest's address is silent until the test bed is told that it moved (`settle`).
      RECOVERY: { answer_timeout: 5, ...ini.RECOVERY },
    },
  });
  return {
    household,
    redis,
    close: async () => {
      await household.close();
      await redis.stop();
    },
  };
}
