// Loads the settings of a process from config.ini. What stands in the file is judged alike by all three processes; what
// must stand there depends on the process. All mistakes are reported at once.
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../ground/errors.ts';
import { isLoopback } from '../ground/loopback.ts';
import { isNamedSecret, type Secrets, shortestSecret, tooShort } from '../masks/secrets.ts';
import { fileWarnings } from './file-warnings.ts';
import { findConfig } from './find-config.ts';
import { readGuarded } from './guarded-file.ts';
import { type IniFile, parseIni, readIni } from './ini.ts';
import { isVantagePointName } from './keys/decisions.ts';
import type { ProcessName } from './keys/key.ts';
import { isSecret, knownKeys, sections } from './known-keys.ts';
import { readRedis } from './redis-settings.ts';
import type { CephSettings, MysqlSettings, Settings, SlackSettings } from './settings.ts';
import { isSet, SettingsReader } from './settings-reader.ts';

interface LoadRequest {
  readonly process: ProcessName;
  /** What -c names; without it ./config.ini, else ~/.config.ini. */
  readonly file?: string | undefined;
  readonly cwd: string;
  readonly home: string;
  /** Learns every secret in the file, before anything is said of it. */
  readonly secrets?: Secrets;
}

interface Loaded {
  readonly settings: Settings;
  /** Each one line: unknown keys and sections, permissions, secrets that are too short to be masked. */
  readonly warnings: readonly string[];
}

/**
 * Settings and warnings. Throws UsageError with every mistake there is, each one line with file, section, key,
 * what was found (no secrets) and what was expected.
 */
export function loadSettings(request: LoadRequest): Loaded {
  const config = findConfig(request.file, request.cwd, request.home);
  const ini = parseIni(config.text);
  const found = secretsIn(ini);
  request.secrets?.learn(found.map(({ value }) => value));
  request.secrets?.learnUrls(valuesIn(ini));
  const reader = new SettingsReader(request.process, config.file, ini);
  const settings = readSettings(reader, config.file, request);
  const { signing, tls } = settings.redis;
  const pem = [tls?.client?.cert, tls?.ca].filter((text) => text?.includes('PRIVATE KEY'));
  request.secrets?.learn([...(signing?.keys ?? []), tls?.client?.key, ...pem]);
  const syntax = ini.mistakes.map(({ line, message }) => `${config.file}:${line}: ${message}`);
  // In a file that cannot be read whole, what seems to be missing may stand in the part that was not understood.
  const mistakes = [...syntax, ...reader.mistakes, ...(syntax.length === 0 ? reader.gaps : [])];
  if (mistakes.length > 0) throw new UsageError(mistakes);
  const short = found.filter(({ value }) => value.length < shortestSecret);
  const warnings = [
    ...fileWarnings(config, ini, found.length > 0),
    ...reader.warnings,
    ...new Map(short.map(({ key, line }) => [line, `${config.file}:${line}: ${key}: ${tooShort}`])).values(),
  ];
  return { settings: freezeDeeply(settings), warnings };
}

function readSettings(reader: SettingsReader, file: string, request: LoadRequest): Settings {
  /** A path as config.ini has it: relative to that file's folder, "~" is the home directory. */
  const besideConfig = (text: string): string =>
    resolve(dirname(file), text.replace(/^~(?=\/|$)/, request.home));
  const monitor = reader.read(sections.monitor);
  const redis = readRedis(reader, request.process !== 'sonny', besideConfig);
  const openstack = reader.read(sections.openstack);
  const mysql = readMysql(
    reader,
    request.process !== 'sonny' && openstack.method === 'database',
    file,
    besideConfig,
  );
  const scan = reader.read(sections.scan);
  const fencing = reader.read(sections.fencing);
  return {
    file,
    monitor,
    redis,
    openstack: request.process === 'sonny' ? null : { ...openstack, cloud: openstack.cloud ?? '' },
    mysql,
    scan: { ...scan, name: scan.name ?? vantagePointOf(hostname()) },
    fencing: { ...fencing, file: fencing.file === null ? null : besideConfig(fencing.file) },
    ceph: readCeph(reader, besideConfig),
    recovery: reader.read(sections.recovery),
    slack: readSlack(reader, openstack.cloud),
    alarm: reader.read(sections.alarm),
  };
}

/** Where nothing uses [MYSQL], only host and port are judged: a password that cannot be read does no harm there. */
function readMysql(
  reader: SettingsReader,
  used: boolean,
  file: string,
  besideConfig: (text: string) => string,
): MysqlSettings | null {
  if (!used) {
    const { host, port } = sections.mysql.keys;
    reader.read({ name: sections.mysql.name, keys: { host, port } });
    return null;
  }
  const { host, user, password, ca, ...others } = reader.read(sections.mysql);
  const path = ca === null ? null : besideConfig(ca);
  if (path !== null && !others.tls)
    reader.wrong('MYSQL', 'tls', 'true, or no ca: the connection is TLS with one');
  if (path === null && others.tls && host !== null && !isLoopback(host))
    reader.gaps.push(
      `${file}: [MYSQL] ca: missing, expected the certificate of the CA that signed that of ${host}, which is not this machine; or "tls = off" for a plain connection that others can read and change`,
    );
  const read = path === null ? null : readGuarded(path, { secret: 'none' });
  if (read !== null && 'problem' in read)
    reader.wrong('MYSQL', 'ca', `a file with the CA's certificate (${path}: ${read.problem})`);
  const { tls: _, ...rest } = others;
  return { ...rest, host: host ?? '', user: user ?? '', password: password ?? '', ca: path };
}

/** Null without a ceph.conf. */
function readCeph(reader: SettingsReader, besideConfig: (text: string) => string): CephSettings | null {
  const { conf, keyring, ...others } = reader.read(sections.ceph);
  if (conf === null) return null;
  const path = keyring === null ? null : besideConfig(keyring);
  return { ...others, conf: besideConfig(conf), keyring: path };
}

/** The machine's name, without what a name of a vantage point may not have. */
export function vantagePointOf(machine: string): string {
  const name = machine.replaceAll(/[^a-z0-9._-]/gi, '-').slice(0, 64);
  return isVantagePointName(name) ? name : 'ns4';
}

function readSlack(reader: SettingsReader, own: string | null): SlackSettings {
  const { clouds, ask, ...others } = reader.read(sections.slack);
  if (own !== null && clouds !== null && !clouds.includes(own))
    reader.warn('SLACK', 'clouds', `[OPENSTACK] cloud ("${own}") is not among them, nobody will hear of it`);
  return { ...others, ask: ask ?? [], clouds: clouds ?? (own === null ? [] : [own]) };
}

interface FoundSecret {
  /** "[REDIS] pass". */
  readonly key: string;
  readonly line: number;
  readonly value: string;
}

/**
 * The values of all secret keys that are set, whether or not anything uses them, and of keys that Sonny does not know and
 * that are called like one.
 */
function secretsIn(ini: IniFile): FoundSecret[] {
  const own = [...ini.sections].flatMap(([section, { keys }]) =>
    [...keys.keys()].filter(isNamedSecret).map((name) => [section, name] as const),
  );
  const known = Object.entries(knownKeys).flatMap(([section, names]) =>
    names.filter(isSecret).map((name) => [section, name] as const),
  );
  const places = new Map(
    [...known, ...own].map(([section, name]) => [`[${section}] ${name}`, { section, name }]),
  );
  return [...places].flatMap(([key, { section, name }]) => {
    const value = readIni(ini, section, name);
    return value?.state === 'value' && isSet(value.text)
      ? [{ key, line: value.line, value: value.text }]
      : [];
  });
}

/** Every value there is. */
const valuesIn = (ini: IniFile): string[] =>
  [...ini.sections.values()].flatMap(({ keys }) => [...keys.values()].map(({ raw }) => raw));

function freezeDeeply<T>(value: T): T {
  if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) freezeDeeply(part);
  return Object.freeze(value);
}
