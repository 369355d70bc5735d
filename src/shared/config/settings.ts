// The settings of the three processes, as config.ini's reader hands them out: checked, with units, frozen.

import type { Endpoint } from '../documents/jobs/scan.ts';
import type { FencingMode } from '../documents/terms/fencing-mode.ts';

export interface MonitorSettings {
  /** Longest pause between two checks. */
  readonly monitorPeriodMs: number;
  /** A heartbeat older than this is missing. */
  readonly heartbeatPeriodMs: number;
  /** More suspects than this: inspect none. */
  readonly suspiciousBackoff: number;
  /** More dead hypervisors than this: do nothing; 0 is dry mode. */
  readonly deadBackoff: number;
  readonly cooldownMs: number;
}

export interface RedisSettings {
  /** Empty with sentinels, which know where the master is. */
  readonly host: string;
  readonly port: number;
  readonly username: string | null;
  readonly password: string | null;
  readonly tls: boolean;
  /** Null: the original's rule, from the cloud's name (see databaseNumber in keys.ts). */
  readonly db: number | null;
  /** Null: one server, at host and port. */
  readonly sentinels: SentinelSettings | null;
}

export interface SentinelSettings {
  /** At least one; asked in this order. */
  readonly endpoints: readonly Endpoint[];
  /** The name the sentinels know the master by. */
  readonly master: string;
  /** For the sentinels themselves; the one of RedisSettings is for the servers with the data. */
  readonly password: string | null;
}

export interface OpenStackSettings {
  /** Name in clouds.yaml. */
  readonly cloud: string;
  readonly externalNetworks: readonly string[];
  readonly method: 'api' | 'database';
  /** Instances evacuated at once, per dead hypervisor. */
  readonly concurrency: number;
}

export interface MysqlSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Path of a CA file: TLS with the host name checked; null: no TLS. */
  readonly ca: string | null;
}

export interface ScanSettings {
  readonly hypervisorPorts: readonly number[];
  readonly instancePorts: readonly number[];
  readonly timeoutMs: number;
  /** What a refused connection proves: a living host, or (where a firewall answers for the dead) nothing. */
  readonly refusedMeans: 'alive' | 'silent';
  /** Endpoints that always answer, probed along with every scan. */
  readonly controls: readonly Endpoint[];
  /** So many vantage points must agree that somebody is silent. */
  readonly quorum: number;
  /** The vantage point of this ns4: the workers of one name share its scans. */
  readonly name: string;
}

export interface FencingSettings {
  readonly mode: FencingMode;
  /** Absolute path of fencing.yaml, which ns4 alone reads; null: not set. */
  readonly file: string | null;
  /** For one level: `off` and its verification together. */
  readonly timeoutMs: number;
}

export interface SlackSettings {
  /** xoxb-…; null: events go to the terminal. */
  readonly token: string | null;
  /** xapp-…; null: posts only, answers nothing. */
  readonly appToken: string | null;
  readonly channel: string | null;
  /** Clouds whose events are relayed and whose inventory is asked. */
  readonly clouds: readonly string[];
  readonly apiUrl: string | null;
}

export interface Settings {
  /** The file all this was read from. */
  readonly file: string;
  readonly monitor: MonitorSettings;
  readonly redis: RedisSettings;
  /** Null for sonny, which needs no OpenStack. */
  readonly openstack: OpenStackSettings | null;
  /** Set with `evacuate = database` only. */
  readonly mysql: MysqlSettings | null;
  readonly scan: ScanSettings;
  readonly fencing: FencingSettings;
  readonly slack: SlackSettings;
}
