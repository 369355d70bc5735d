// The settings of the three processes, as config.ini's reader hands them out: checked, with units, frozen. What each
// one means stands in its entry in keys/.
import type { Signing } from '../trust/trust.ts';
import type { SettingsOf } from './keys/key.ts';
import type { sections } from './known-keys.ts';

type Of<N extends keyof typeof sections> = SettingsOf<(typeof sections)[N]>;

type MonitorSettings = Of<'monitor'>;

type RedisKeys = Of<'redis'>;
export interface RedisSettings extends Pick<RedisKeys, 'port' | 'password' | 'username' | 'db'> {
  /** Empty with sentinels, which know where the master is. */
  readonly host: string;
  /** Null: plain. */
  readonly tls: RedisTls | null;
  /** Null: one server, at host and port. */
  readonly sentinels: SentinelSettings | null;
  /** Null: nothing is signed; always so for sonny. */
  readonly signing: Signing | null;
}

/** As Node's TLS takes it; what is not set is left to it. */
export interface RedisTls {
  /** Certificates of authorities, as PEM; null: those of the system. */
  readonly ca: string | null;
  /** What is shown to a server that asks. */
  readonly client: { readonly cert: string; readonly key: string } | null;
  /** The name on the server's certificate; null: the host that is connected to. */
  readonly serverName: string | null;
}

export interface SentinelSettings {
  /** At least one; asked in this order. */
  readonly endpoints: NonNullable<RedisKeys['sentinels']>;
  /** The name the sentinels know the master by. */
  readonly master: string;
  /** For the sentinels themselves; those of RedisSettings are for the servers with the data. */
  readonly username: string | null;
  readonly password: string | null;
}

/** Settings that are texts wherever the section is used, as the reader refuses it without them. */
type Complete<T, N extends keyof T> = Omit<T, N> & { readonly [K in N]: NonNullable<T[K]> };

export type OpenStackSettings = Complete<Of<'openstack'>, 'cloud'>;

/** `ca`: absolute path of a CA file: TLS with the host name checked; null: no TLS. */
export type MysqlSettings = Omit<Complete<Of<'mysql'>, 'host' | 'user' | 'password'>, 'tls'>;

export type ScanSettings = Complete<Of<'scan'>, 'name'>;

/** `file`: absolute path of fencing.yaml; null: not set. */
export type FencingSettings = Of<'fencing'>;

/** `conf`, `keyring`: absolute paths; a null keyring: where ceph.conf says. */
export type CephSettings = Complete<Of<'ceph'>, 'conf'>;

type RecoverySettings = Of<'recovery'>;

export type SlackSettings = Complete<Of<'slack'>, 'clouds' | 'ask'>;

/** `deadManUrl`: null: nobody outside is told. */
type AlarmSettings = Of<'alarm'>;

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
  /** Null: Ceph is not asked. */
  readonly ceph: CephSettings | null;
  readonly fencing: FencingSettings;
  readonly recovery: RecoverySettings;
  readonly slack: SlackSettings;
  readonly alarm: AlarmSettings;
}
