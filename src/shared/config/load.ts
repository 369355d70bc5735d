// Loads the settings of a process from config.ini. What stands in the file is judged alike by all three processes; what
// must stand there depends on the process. All mistakes are reported at once.
import { accessSync, constants } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../ground/errors.ts';
import { fileWarnings } from './file-warnings.ts';
import { findConfig } from './find-config.ts';
import { defaultSection, parseIni } from './ini.ts';
import { fileProblem } from './read-text.ts';
import type {
  FencingSettings,
  MonitorSettings,
  MysqlSettings,
  OpenStackSettings,
  RedisSettings,
  ScanSettings,
  SentinelSettings,
  Settings,
  SlackSettings,
} from './settings.ts';
import { SettingsReader } from './settings-reader.ts';

/** The processes that load settings; each needs other parts of them. */
export type ProcessName = 'ns4' | 'monitor' | 'sonny';

export interface LoadRequest {
  readonly process: ProcessName;
  /** What -c names; without it ./config.ini, else ~/.config.ini. */
  readonly file?: string | undefined;
  readonly cwd: string;
  readonly home: string;
}

const dayInSeconds = 86_400;

/**
 * Settings and warnings (each one line: unknown keys and sections, permissions). Throws UsageError with every mistake
 * there is, each one line with file, section, key, what was found (no secrets) and what was expected.
 */
export function loadSettings(request: LoadRequest): {
  readonly settings: Settings;
  readonly warnings: readonly string[];
} {
  const config = findConfig(request.file, request.cwd, request.home);
  const ini = parseIni(config.text);
  const reader = new SettingsReader(config.file, ini);
  const settings = readSettings(reader, config.file, request);
  const syntax = ini.mistakes.map(({ line, message }) => `${config.file}:${line}: ${message}`);
  // In a file that cannot be read whole, what seems to be missing may stand in the part that was not understood.
  const mistakes = [...syntax, ...reader.mistakes, ...(syntax.length === 0 ? reader.gaps : [])];
  if (mistakes.length > 0) throw new UsageError(mistakes);
  const warnings = [...fileWarnings(config, ini), ...reader.warnings];
  return { settings: freezeDeeply(settings), warnings };
}

function readSettings(reader: SettingsReader, file: string, request: LoadRequest): Settings {
  const monitor = readMonitor(reader);
  const redis = readRedis(reader);
  const openstack = readOpenStack(reader, request.process);
  const mysql = openstack?.method === 'database' ? readMysql(reader, file, request.home) : checkMysql(reader);
  const scan = readScan(reader);
  const fencing = readFencing(reader, file, request.home);
  const slack = readSlack(reader, request.process);
  return { file, monitor, redis, openstack, mysql, scan, fencing, slack };
}

function readMonitor(reader: SettingsReader): MonitorSettings {
  const seconds = (key: string, fallback: number, min: number, max: number): number =>
    reader.seconds(defaultSection, key, fallback, { min, max });
  const limit = (key: string, fallback: number): number =>
    reader.whole(defaultSection, key, fallback, { min: 0, max: 1_000_000 });
  return {
    monitorPeriodMs: seconds('monitor_period', 60, 0.1, dayInSeconds),
    heartbeatPeriodMs: seconds('heartbeat_period', 40, 0.1, dayInSeconds),
    suspiciousBackoff: limit('suspicious_backoff', 5),
    deadBackoff: limit('dead_backoff', 1),
    cooldownMs: seconds('cooldown_period', dayInSeconds, 0, 3650 * dayInSeconds),
  };
}

function readRedis(reader: SettingsReader): RedisSettings {
  const host = reader.host('REDIS', 'host');
  const port = reader.port('REDIS', 'port', 6379);
  const sentinels = readSentinels(reader);
  // One of the three is enough to see that sentinels are meant; what is missing beside it was said.
  if (sentinels !== null) {
    const ignored = (['host', 'port'] as const).filter((key) => reader.text('REDIS', key) !== null);
    for (const key of ignored) reader.warn('REDIS', key, 'ignored, as the sentinels say where the master is');
  } else if (reader.text('REDIS', 'host') === null)
    reader.missing('REDIS', 'host', 'the name or address of the Redis server');
  // The original read `pass`, while its sample said `password`.
  const [pass, password] = [reader.text('REDIS', 'pass'), reader.text('REDIS', 'password')];
  if (pass !== null && password !== null && pass !== password)
    reader.wrong('REDIS', 'password', 'the same as pass, or only one of the two');
  const username = reader.text('REDIS', 'username');
  if (username !== null && pass === null && password === null)
    reader.missing('REDIS', 'pass', 'the password of the user that username names');
  return {
    host: sentinels === null ? (host ?? '') : '',
    port,
    username,
    password: pass ?? password,
    tls: reader.boolean('REDIS', 'tls', false),
    db: reader.text('REDIS', 'db') === null ? null : reader.whole('REDIS', 'db', 0, { min: 0, max: 9999 }),
    sentinels,
  };
}

/** Null where none of the three keys is set. */
function readSentinels(reader: SettingsReader): SentinelSettings | null {
  const text = (key: string): string | null => reader.text('REDIS', key);
  const [list, master, password] = [text('sentinels'), text('master'), text('sentinel_password')];
  if (list === null && master === null && password === null) return null;
  const endpoints = reader.endpoints('REDIS', 'sentinels');
  if (list === null)
    reader.missing(
      'REDIS',
      'sentinels',
      `host:port of each sentinel between commas, as ${master === null ? 'sentinel_password' : 'master'} is set`,
    );
  else if (/^[\s,]*$/.test(list))
    reader.wrong('REDIS', 'sentinels', 'host:port of each sentinel between commas');
  if (list !== null && master === null)
    reader.missing('REDIS', 'master', 'the name the sentinels know the master by, as sentinels is set');
  // As Sentinel itself has it for the names in its configuration.
  if (master !== null && !/^[\w.-]+$/.test(master))
    reader.wrong('REDIS', 'master', 'a name of letters, digits, ".", "-" and "_"');
  return { endpoints, master: master ?? '', password };
}

function readOpenStack(reader: SettingsReader, process: ProcessName): OpenStackSettings | null {
  const cloud = reader.text('OPENSTACK', 'cloud');
  if (cloud !== null && !isCloudName(cloud)) reader.wrong('OPENSTACK', 'cloud', cloudNameRule);
  const networks = reader.names('OPENSTACK', 'provider_net', 'names of networks between commas');
  const settings: OpenStackSettings = {
    cloud: cloud ?? '',
    externalNetworks: networks.length > 0 ? networks : ['ext-net'],
    method: reader.choice('OPENSTACK', 'evacuate', ['api', 'database']),
    concurrency: reader.whole('OPENSTACK', 'concurrency', 8, { min: 1, max: 64 }),
  };
  if (process === 'sonny') return null;
  if (cloud === null) reader.missing('OPENSTACK', 'cloud', 'the name of a cloud in clouds.yaml');
  return settings;
}

// A cloud's name becomes part of Redis keys, where braces mark the hash slot, and of lists between commas.
const isCloudName = (name: string): boolean => !/[{},\p{Cc}]/u.test(name);
const cloudNameRule = 'a name of clouds.yaml, without braces, commas and line breaks';

/** What stands in [MYSQL] is judged even where nothing uses it. */
function checkMysql(reader: SettingsReader): null {
  reader.host('MYSQL', 'host');
  reader.port('MYSQL', 'port', 3306);
  return null;
}

function readMysql(reader: SettingsReader, file: string, home: string): MysqlSettings {
  const need = (key: string, what: string): string => {
    const text = reader.text('MYSQL', key);
    if (text === null) reader.missing('MYSQL', key, `${what}, as [OPENSTACK] evacuate is database`);
    return text ?? '';
  };
  const host = need('host', "the name or address of Nova's database server");
  reader.host('MYSQL', 'host');
  return {
    host,
    port: reader.port('MYSQL', 'port', 3306),
    user: need('user', 'the user to log in as'),
    password: need('pass', 'the password to log in with'),
    database: reader.text('MYSQL', 'database') ?? 'nova',
    ca: readCaPath(reader, file, home),
  };
}

/** A path as config.ini has it: relative to that file's folder, "~" is the home directory. */
const besideConfig = (file: string, home: string, text: string): string =>
  resolve(dirname(file), text.replace(/^~(?=\/|$)/, home));

function readCaPath(reader: SettingsReader, file: string, home: string): string | null {
  const text = reader.text('MYSQL', 'ca');
  if (text === null) return null;
  const path = besideConfig(file, home, text);
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    reader.wrong('MYSQL', 'ca', `a file with the CA's certificate (${path}: ${fileProblem(error)})`);
  }
  return path;
}

function readScan(reader: SettingsReader): ScanSettings {
  return {
    hypervisorPorts: reader.ports('SCAN', 'hypervisor_ports', [22, 111, 16509]),
    instancePorts: reader.ports('SCAN', 'instance_ports', [22]),
    // A scan job has less than a minute, whatever the network swallows.
    timeoutMs: reader.seconds('SCAN', 'timeout', 3, { min: 0.1, max: 20 }),
    refusedMeans: reader.choice('SCAN', 'refused', ['alive', 'silent']),
    controls: reader.endpoints('SCAN', 'controls'),
    quorum: reader.whole('SCAN', 'quorum', 1, { min: 1, max: mostEyes }),
    name: readEyeName(reader),
  };
}

function readFencing(reader: SettingsReader, file: string, home: string): FencingSettings {
  const mode = reader.choice('FENCING', 'mode', ['none', 'required']);
  const hosts = reader.text('FENCING', 'hosts');
  if (mode === 'required' && hosts === null)
    reader.missing('FENCING', 'hosts', 'the file with the fence levels (fencing.yaml), as mode is required');
  return {
    mode,
    file: hosts === null ? null : besideConfig(file, home, hosts),
    timeoutMs: reader.seconds('FENCING', 'timeout', 60, { min: 1, max: 300 }),
  };
}

/** More must never agree: a scan asks every eye there is, and waits for them. */
const mostEyes = 15;

/** Part of a queue's name in Redis. */
const isEyeName = (name: string): boolean => /^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$/i.test(name);

function readEyeName(reader: SettingsReader): string {
  const name = reader.text('SCAN', 'name');
  if (name === null) return eyeNameOf(hostname());
  if (!isEyeName(name))
    reader.wrong(
      'SCAN',
      'name',
      'up to 64 letters, digits, dots, dashes and underscores that begin and end with a letter or digit',
    );
  return name;
}

/** The machine's name, without what a name of an eye may not have. */
function eyeNameOf(machine: string): string {
  const name = machine.replaceAll(/[^a-z0-9._-]/gi, '-').slice(0, 64);
  return isEyeName(name) ? name : 'ns4';
}

function readSlack(reader: SettingsReader, process: ProcessName): SlackSettings {
  const text = (key: string): string | null => reader.text('SLACK', key);
  const [token, appToken, channel, apiUrl] = [
    text('token'),
    text('app_token'),
    text('channel'),
    text('api_url'),
  ];
  if (token?.startsWith('xapp-'))
    reader.wrong('SLACK', 'token', "a bot's token (xoxb-…); this is an app's (xapp-…): app_token", 'xapp-…');
  else if (token !== null && !token.startsWith('xoxb-'))
    reader.warn('SLACK', 'token', "does not begin with xoxb-, as a bot's token does; Slack may refuse it");
  if (appToken !== null && !appToken.startsWith('xapp-'))
    reader.wrong('SLACK', 'app_token', "an app's token (xapp-…)");
  if (appToken !== null && token === null)
    reader.missing('SLACK', 'token', "the bot's token (xoxb-…), as app_token is set");
  if (token !== null && channel === null)
    reader.missing('SLACK', 'channel', 'the channel to post to, as token is set');
  if (apiUrl !== null && !/^https?:$/.test(URL.canParse(apiUrl) ? new URL(apiUrl).protocol : ''))
    reader.wrong('SLACK', 'api_url', "the URL of Slack's API, such as https://slack.com/api/");
  return { token, appToken, channel, clouds: readClouds(reader, process), apiUrl };
}

function readClouds(reader: SettingsReader, process: ProcessName): readonly string[] {
  const own = reader.text('OPENSTACK', 'cloud');
  const clouds = reader.names('SLACK', 'clouds', 'names of clouds between commas');
  if (!clouds.every(isCloudName)) reader.wrong('SLACK', 'clouds', cloudNameRule);
  if (reader.text('SLACK', 'clouds') === null) {
    if (own === null && process === 'sonny')
      reader.missing('SLACK', 'clouds', 'the clouds to report on (or [OPENSTACK] cloud, for one)');
    return own === null ? [] : [own];
  }
  if (own !== null && clouds.length > 0 && !clouds.includes(own))
    reader.warn('SLACK', 'clouds', `[OPENSTACK] cloud ("${own}") is not among them, nobody will hear of it`);
  return clouds;
}

function freezeDeeply<T>(value: T): T {
  if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) freezeDeeply(part);
  return Object.freeze(value);
}
