// The settings of the three processes, as config.ini's reader hands them out: checked, with units, frozen. What each
// one means stands in its entry in keys/.
import type { SettingsOf } from './keys/key.ts';
import type { sections } from './known-keys.ts';

type Of<N extends keyof typeof sections> = SettingsOf<(typeof sections)[N]>;

type MonitorSettings = Of<'monitor'>;

type RedisKeys = Of<'redis'>;
export interface RedisSettings extends Omit<RedisKeys, 'host' | 'sentinels' | 'master' | 'sentinelPassword'> {
  /** Empty with sentinels, which know where the master is. */
  readonly host: string;
  /** Null: one server, at host and port. */
  readonly sentinels: SentinelSettings | null;
}

export interface SentinelSettings {
  /** At least one; asked in this order. */
  readonly endpoints: NonNullable<RedisKeys['sentinels']>;
  /** The name the sentinels know the master by. */
  readonly master: string;
  /** For the sentinels themselves; the one of RedisSettings is for the servers with the data. */
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
