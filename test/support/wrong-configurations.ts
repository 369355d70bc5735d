// Wrong configurations and exactly what is said about each: a table for the loaders' unit test and for a test that
// starts the real processes on the same files. Paths, texts and expectations may contain $CWD and $HOME.
import { chmodSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface WrongConfiguration {
  readonly name: string;
  readonly process: 'ns4' | 'monitor' | 'sonny';
  /** Relative to the working directory, or below $HOME. */
  readonly files: Readonly<Record<string, string | { readonly content: string; readonly mode: number }>>;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Every line that is said, and no other. */
  readonly expect: readonly string[];
  /** Root may read everything: such a case needs a process without its rights. */
  readonly unprivileged?: true;
  /** Says something else on a machine that has files in this directory. */
  readonly withoutDirectory?: string;
}

/** A case on disk: where to start the process, and with what. HOME is part of the environment. */
export interface LaidOutConfiguration {
  readonly cwd: string;
  readonly home: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly expect: readonly string[];
}

/** Writes a case's files below an existing empty directory. */
export function layOut(wrong: WrongConfiguration, root: string): LaidOutConfiguration {
  // The process sees its working directory without symbolic links, and names it in what it says.
  const [cwd, home] = [join(realpathSync(root), 'cwd'), join(realpathSync(root), 'home')];
  for (const directory of [cwd, home]) mkdirSync(directory);
  const fill = (text: string): string => text.replaceAll('$CWD', cwd).replaceAll('$HOME', home);
  for (const [name, file] of Object.entries(wrong.files)) {
    const path = name.startsWith('$') ? fill(name) : join(cwd, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, fill(typeof file === 'string' ? file : file.content));
    chmodSync(path, typeof file === 'string' ? 0o600 : file.mode);
  }
  const env = Object.entries({ HOME: '$HOME', ...wrong.env }).map(([name, value]) => [name, fill(value)]);
  return {
    cwd,
    home,
    args: wrong.args.map(fill),
    env: Object.fromEntries(env),
    expect: wrong.expect.map(fill),
  };
}

/** The text that stands for a secret in every case: no message may contain it. */
export const secretText = 'hunter2';

type Parts = Partial<WrongConfiguration> & Pick<WrongConfiguration, 'name' | 'expect'>;

const wrong = (parts: Parts): WrongConfiguration => ({
  process: 'monitor',
  files: {},
  args: [],
  env: {},
  ...parts,
});

/** A case of one ./config.ini; its expectations begin behind that file's path. */
const ini = (
  name: string,
  content: string,
  expect: readonly string[],
  parts: Partial<WrongConfiguration> = {},
): WrongConfiguration =>
  wrong({
    name,
    files: { 'config.ini': content },
    expect: expect.map((line) => `$CWD/config.ini${line}`),
    ...parts,
  });

const good = '[REDIS]\nhost = 10.0.0.1\n[OPENSTACK]\ncloud = prod\n';

/** A case of one ./clouds.yaml below a good config.ini; its expectations begin behind that file's path. */
const yaml = (
  name: string,
  content: string,
  expect: readonly string[],
  parts: Partial<WrongConfiguration> = {},
): WrongConfiguration =>
  wrong({
    name,
    process: 'ns4',
    files: { 'config.ini': good, 'clouds.yaml': content, ...parts.files },
    expect: expect.map((line) => (line.startsWith('$') ? line : `$CWD/clouds.yaml${line}`)),
    env: parts.env ?? {},
  });

const login = `clouds:
  prod:
    auth:
      auth_url: https://keystone.example.org:5000/v3
      username: admin
      password: hunter2
      project_name: admin
      user_domain_name: Default
      project_domain_name: Default
`;

const files: readonly WrongConfiguration[] = [
  wrong({
    name: 'no configuration at all',
    expect: [
      'no configuration: found neither $CWD/config.ini nor $HOME/.config.ini, expected one of them or -c FILE',
    ],
  }),
  wrong({
    name: '-c names nothing',
    files: { 'config.ini': good },
    args: ['-c', 'conf/other.ini'],
    expect: ['$CWD/conf/other.ini: no such file, expected the one that -c names'],
  }),
  wrong({
    name: '-c names a directory',
    args: ['-c', '$HOME'],
    expect: ['$HOME: is a directory, expected a file'],
  }),
  wrong({
    name: 'config.ini may not be read, and the one in the home directory is not used instead',
    files: { 'config.ini': { content: good, mode: 0 }, '$HOME/.config.ini': good },
    expect: ['$CWD/config.ini: permission denied, expected a file this user may read'],
    unprivileged: true,
  }),
  wrong({
    name: 'the configuration in the home directory is wrong',
    files: { '$HOME/.config.ini': '[REDIS]\nhost = 10.0.0.1\n' },
    expect: ['$HOME/.config.ini: [OPENSTACK] cloud: missing, expected the name of a cloud in clouds.yaml'],
  }),
];

const syntax: readonly WrongConfiguration[] = [
  ini('an empty file', '', [
    ': [REDIS] host: missing, expected the name or address of the Redis server',
    ': [OPENSTACK] cloud: missing, expected the name of a cloud in clouds.yaml',
  ]),
  ini('a key before the first section', `host = 10.0.0.1\n${good}`, [
    ':1: expected a section, such as [REDIS], before anything else',
  ]),
  ini('a byte order mark', `\ufeff${good}`, [
    ':1: the file begins with a byte order mark, expected UTF-8 without one',
  ]),
  ini('no delimiter, with a mistake behind it', '[REDIS]\nhost 10.0.0.1\npass hunter2\nport = x\n', [
    ':2: expected "key = value" or "key: value"',
    ':3: expected "key = value" or "key: value"',
    ':4: [REDIS] port: found "x", expected a port from 1 to 65535',
  ]),
  ini('a section and a key twice', `${good}[REDIS]\nhost = 10.0.0.2\n`, [
    ':5: section [REDIS] stands here again (first in line 1), expected it once',
    ':6: [REDIS] host is set here again (first in line 2), expected it once',
  ]),
  ini('a section that is not closed', `${good}[SLACK\n`, [':5: expected "]" behind the name of the section']),
  ini(
    'a lone percent sign in a password',
    `${good}evacuate = database\n[MYSQL]\nhost = 127.0.0.1\nuser = nova\npass = hunter2%\n`,
    [':9: [MYSQL] pass: found a "%" by itself, expected "%%" for a percent sign'],
  ),
  ini('a reference to nothing', `[REDIS]\nhost = %(redis)s\n[OPENSTACK]\ncloud = prod\n`, [
    ':2: [REDIS] host: found a reference to %(redis)s, a key that is not set, expected "%%" for a percent sign',
  ]),
  ini('an indented key', '[REDIS]\nhost = 10.0.0.1\n  port = 6380\n[OPENSTACK]\ncloud = prod\n', [
    ':2: [REDIS] host: found "10.0.0.1\\nport = 6380" (an indented line continues the value above it), expected a host name or an address, without a port',
  ]),
];

const values: readonly WrongConfiguration[] = [
  ini('Redis and the cloud missing, written as None', '[REDIS]\nhost = None\n[OPENSTACK]\ncloud =\n', [
    ': [REDIS] host: missing, expected the name or address of the Redis server',
    ': [OPENSTACK] cloud: missing, expected the name of a cloud in clouds.yaml',
  ]),
  ini(
    'periods that are no periods',
    `[DEFAULT]
monitor_period = 0
heartbeat_period = soon
suspicious_backoff = 2.5
dead_backoff = -1
cooldown_period = -86400
${good}`,
    [
      ':2: [DEFAULT] monitor_period: found "0", expected a number of seconds from 0.1 to 86400',
      ':3: [DEFAULT] heartbeat_period: found "soon", expected a number of seconds from 0.1 to 86400',
      ':4: [DEFAULT] suspicious_backoff: found "2.5", expected a whole number from 0 to 1000000',
      ':5: [DEFAULT] dead_backoff: found "-1", expected a whole number from 0 to 1000000',
      ':6: [DEFAULT] cooldown_period: found "-86400", expected a number of seconds from 0 to 315360000',
    ],
  ),
  ini('a comment behind a value', `[DEFAULT]\nmonitor_period = 60 ; a minute\n${good}`, [
    ':2: [DEFAULT] monitor_period: found "60 ; a minute", expected a number of seconds from 0.1 to 86400',
  ]),
  ini(
    'Redis all wrong',
    '[REDIS]\nhost = redis://:hunter2@10.0.0.1\nport = 65536\ntls = constructor\ndb = first\n[OPENSTACK]\ncloud = prod\n',
    [
      ':2: [REDIS] host: found "redis://***@10.0.0.1", expected a host name or an address, without a port',
      ':3: [REDIS] port: found "65536", expected a port from 1 to 65535',
      ':4: [REDIS] tls: found "constructor", expected true or false',
      ':5: [REDIS] db: found "first", expected a whole number from 0 to 9999',
    ],
  ),
  ini(
    'two different Redis passwords',
    '[REDIS]\nhost = 10.0.0.1\npass = hunter2\npassword = hunter22\n[OPENSTACK]\ncloud = prod\n',
    [':4: [REDIS] password: found a value not shown here, expected the same as pass, or only one of the two'],
  ),
  ini(
    'a Redis user without a password',
    '[REDIS]\nhost = 10.0.0.1\nusername = sonny\n[OPENSTACK]\ncloud = prod\n',
    [': [REDIS] pass: missing, expected the password of the user that username names'],
  ),
  ini('a Redis host with its port', '[REDIS]\nhost = 10.0.0.1:6379\n[OPENSTACK]\ncloud = prod\n', [
    ':2: [REDIS] host: found "10.0.0.1:6379", expected a host name or an address, without a port',
  ]),
  ini('sentinels without the name of the master', '[REDIS]\nsentinels = s1:1\n[OPENSTACK]\ncloud = prod\n', [
    ': [REDIS] master: missing, expected the name the sentinels know the master by, as sentinels is set',
  ]),
  ini('the name of the master without sentinels', `[REDIS]\nmaster = m\n[OPENSTACK]\ncloud = prod\n`, [
    ': [REDIS] sentinels: missing, expected host:port of each sentinel between commas, as master is set',
  ]),
  ini("the sentinels' password alone", `[REDIS]\nsentinel_password = hunter2\n[OPENSTACK]\ncloud = prod\n`, [
    ': [REDIS] sentinels: missing, expected host:port of each sentinel between commas, as sentinel_password is set',
  ]),
  ini(
    'sentinels all wrong, and a host that would be ignored',
    '[REDIS]\nhost = 10.0.0.1:6379\nsentinels = s1, s2:65536, ::1:26379, [::1]:26379\nmaster = my master\n[OPENSTACK]\ncloud = prod\n',
    [
      ':2: [REDIS] host: found "10.0.0.1:6379", expected a host name or an address, without a port',
      ':3: [REDIS] sentinels: found "s1", "s2:65536", "::1:26379", expected address:port between commas, an IPv6 address in brackets: [2001:db8::1]:22',
      ':4: [REDIS] master: found "my master", expected a name of letters, digits, ".", "-" and "_"',
    ],
  ),
  ini('a sentinel twice', '[REDIS]\nsentinels = s1:1, s2:2,s1:1\nmaster = m\n[OPENSTACK]\ncloud = prod\n', [
    ':2: [REDIS] sentinels: found "s1:1, s2:2,s1:1", expected each once, but s1 port 1 is there twice',
  ]),
  ini('TLS half set up', good.replace('[OPENSTACK]', 'ca = ca.pem\ncert = c.pem\n[OPENSTACK]'), [
    ':3: [REDIS] ca: found "ca.pem", expected tls = true beside it',
    ':4: [REDIS] cert: found "c.pem", expected tls = true beside it',
    ': [REDIS] key: missing, expected a file with the private key of the certificate, as cert is set',
  ]),
  ini(
    'files of Redis that are none',
    good.replace('[OPENSTACK]', 'tls = true\nca = ca.pem\nkey_file = sonny.key\n[OPENSTACK]'),
    [
      `:4: [REDIS] ca: found "ca.pem", expected a file with the CA's certificate ($CWD/ca.pem: no such file)`,
      ':5: [REDIS] key_file: found "sonny.key", expected a file that "ns4 --make-key FILE" made ($CWD/sonny.key: no such file)',
    ],
  ),
  ini(
    "the sentinels' user without a password",
    good.replace('host = 10.0.0.1', 'sentinels = s1:1\nmaster = m\nsentinel_username = u'),
    [': [REDIS] sentinel_password: missing, expected the password of the user that sentinel_username names'],
  ),
  ini('no sentinel between the commas', '[REDIS]\nsentinels = , ,\nmaster = m\n[OPENSTACK]\ncloud = prod\n', [
    ':2: [REDIS] sentinels: found ", ,", expected host:port of each sentinel between commas',
  ]),
  ini(
    'OpenStack all wrong',
    '[REDIS]\nhost = 10.0.0.1\n[OPENSTACK]\ncloud = {prod}\nprovider_net = ,\nevacuate = nova\nconcurrency = 65\n',
    [
      ':4: [OPENSTACK] cloud: found "{prod}", expected a name of clouds.yaml, without braces, commas and line breaks',
      ':5: [OPENSTACK] provider_net: found ",", expected names of networks between commas',
      ':6: [OPENSTACK] evacuate: found "nova", expected api or database',
      ':7: [OPENSTACK] concurrency: found "65", expected a whole number from 1 to 64',
    ],
  ),
  ini('the database method without a database', `${good}evacuate = database\n`, [
    ": [MYSQL] host: missing, expected the name or address of Nova's database server, as [OPENSTACK] evacuate is database",
    ': [MYSQL] user: missing, expected the user to log in as, as [OPENSTACK] evacuate is database',
    ': [MYSQL] pass: missing, expected the password to log in with, as [OPENSTACK] evacuate is database',
  ]),
  ini(
    'the database on another machine, without TLS',
    `${good}evacuate = database\n[MYSQL]\nhost = db\nuser = nova\npass = hunter2\n`,
    [
      ': [MYSQL] ca: missing, expected the certificate of the CA that signed that of db, which is not this machine; or "tls = off" for a plain connection that others can read and change',
    ],
    { process: 'ns4' },
  ),
  ini(
    'the database with TLS and without',
    `${good}evacuate = database\n[MYSQL]\nhost = db\nuser = nova\npass = hunter2\nca = config.ini\ntls = off\n`,
    [':11: [MYSQL] tls: found "off", expected true, or no ca: the connection is TLS with one'],
    { process: 'ns4' },
  ),
  ini(
    'the database with a wrong port and no CA file',
    `${good}evacuate = database\n[MYSQL]\nhost = db\nport = 0\nuser = nova\npass = hunter2\nca = ca.pem\n`,
    [
      ':8: [MYSQL] port: found "0", expected a port from 1 to 65535',
      `:11: [MYSQL] ca: found "ca.pem", expected a file with the CA's certificate ($CWD/ca.pem: no such file)`,
    ],
    { process: 'ns4' },
  ),
  ini(
    'the scan all wrong',
    `${good}[SCAN]\nhypervisor_ports = 22, ssh\ninstance_ports = 22, 80, 22\ntimeout = 0\nrefused = dead\nquorum = 0\nname = rack 7: left\n`,
    [
      ':6: [SCAN] hypervisor_ports: found "22, ssh", expected ports from 1 to 65535 between commas',
      ':7: [SCAN] instance_ports: found "22, 80, 22", expected each port once, but 22 is there twice',
      ':8: [SCAN] timeout: found "0", expected a number of seconds from 0.1 to 20',
      ':9: [SCAN] refused: found "dead", expected alive or silent',
      ':10: [SCAN] quorum: found "0", expected a whole number from 1 to 15',
      ':11: [SCAN] name: found "rack 7: left", expected up to 64 letters, digits, dots, dashes and underscores that begin and end with a letter or digit',
    ],
  ),
  ini(
    'controls that are no address:port',
    `${good}[SCAN]\ncontrols = 10.0.0.1, 10.0.0.300:22, ::1:22, [::1]:22, a:b\n`,
    [
      ':6: [SCAN] controls: found "10.0.0.1", "10.0.0.300:22", "::1:22", "a:b", expected address:port between commas, an IPv6 address in brackets: [2001:db8::1]:22',
    ],
  ),
  ini('a control twice', `${good}[SCAN]\ncontrols = [::1]:22, gw:80, [::1]:22\n`, [
    ':6: [SCAN] controls: found "[::1]:22, gw:80, [::1]:22", expected each once, but ::1 port 22 is there twice',
  ]),
];

const slack: readonly WrongConfiguration[] = [
  ini(
    "an app's token for a bot's, and the other way round",
    `${good}[SLACK]\ntoken = xapp-hunter2\napp_token = xoxb-hunter2\nchannel = sonny\n`,
    [
      ":6: [SLACK] token: found xapp-…, expected a bot's token (xoxb-…); this is an app's (xapp-…): app_token",
      ":7: [SLACK] app_token: found a value not shown here, expected an app's token (xapp-…)",
    ],
  ),
  ini("an app's token without a bot's", `${good}[SLACK]\napp_token = xapp-hunter2\n`, [
    ": [SLACK] token: missing, expected the bot's token (xoxb-…), as app_token is set",
  ]),
  ini('a token without a channel', `${good}[SLACK]\ntoken = xoxb-hunter2\nchannel = None\n`, [
    ': [SLACK] channel: missing, expected the channel to post to, as token is set',
  ]),
  ini("an address of Slack's API that is none", `${good}[SLACK]\napi_url = slack.com\n`, [
    `:6: [SLACK] api_url: found "slack.com", expected the URL of Slack's API, such as https://slack.com/api/`,
  ]),
  ini(
    'no clouds to report on',
    '[REDIS]\nhost = 10.0.0.1\n',
    [': [SLACK] clouds: missing, expected the clouds to report on (or [OPENSTACK] cloud, for one)'],
    { process: 'sonny' },
  ),
  ini(
    'clouds without a name',
    '[REDIS]\nhost = 10.0.0.1\n[SLACK]\nclouds = ,,\n',
    [':4: [SLACK] clouds: found ",,", expected names of clouds between commas'],
    { process: 'sonny' },
  ),
  ini(
    'everything at once',
    '[REDIS]\nport = 0\n[SLACK]\ntoken = xoxb-hunter2\nclouds = {a}\n[SCAN]\ntimeout = 1h\n',
    [
      ':2: [REDIS] port: found "0", expected a port from 1 to 65535',
      ':7: [SCAN] timeout: found "1h", expected a number of seconds from 0.1 to 20',
      ':5: [SLACK] clouds: found "{a}", expected a name of clouds.yaml, without braces, commas and line breaks',
      ': [REDIS] host: missing, expected the name or address of the Redis server',
      ': [SLACK] channel: missing, expected the channel to post to, as token is set',
    ],
    { process: 'sonny' },
  ),
];

const prod = ': cloud "prod": ';
const clouds: readonly WrongConfiguration[] = [
  wrong({
    name: 'no clouds.yaml',
    process: 'ns4',
    files: { 'config.ini': good },
    expect: [
      'cloud "prod": no clouds.yaml (or .yml, .json) in $CWD, $HOME/.config/openstack, /etc/openstack, expected one there or OS_CLIENT_CONFIG_FILE naming it',
    ],
    withoutDirectory: '/etc/openstack',
  }),
  yaml(
    'the environment names a clouds.yaml that is not there',
    login,
    [
      "$CWD/elsewhere.yaml: no such file, expected the one that the environment's OS_CLIENT_CONFIG_FILE names",
    ],
    { env: { OS_CLIENT_CONFIG_FILE: 'elsewhere.yaml' } },
  ),
  yaml('the environment names a directory', login, ['$HOME: is a directory, expected a file'], {
    env: { OS_CLIENT_SECURE_FILE: '$HOME' },
  }),
  wrong({
    name: 'clouds.yaml may not be read',
    process: 'ns4',
    files: { 'config.ini': { content: good, mode: 0o644 }, 'clouds.yaml': { content: login, mode: 0 } },
    expect: ['$CWD/clouds.yaml: permission denied, expected a file this user may read'],
    unprivileged: true,
  }),
  yaml('a tab in clouds.yaml', 'clouds:\n\tprod:\n', [':2: a tab indents the line, expected spaces']),
  yaml('an open quote in clouds.yaml', `${login}    cacert: "hunter2\n`, [
    ':11: a colon, a closing quote or a bracket is missing',
  ]),
  yaml('a password with a colon in clouds.yaml', 'clouds:\n  prod:\n    password: a: hunter2\n', [
    ':3: a second colon, or wrong indentation; a text with ": " in it needs quotes',
  ]),
  yaml('a key twice in clouds.yaml', 'clouds:\n  prod: {}\n  test: {}\n  prod: {}\n', [
    ':4: a key stands here for the second time, expected it once',
  ]),
  yaml(
    'clouds.yaml and secure.yaml are both broken',
    'clouds:\n\tprod:\n',
    [':2: a tab indents the line, expected spaces', '$CWD/secure.yaml:1: an alias ("*…") without its anchor'],
    { files: { 'secure.yaml': 'clouds: *nowhere\n' } },
  ),
  yaml('an empty clouds.yaml', '# nothing yet\n', [
    ': found no clouds, expected "clouds:" and below it a mapping with their names',
  ]),
  yaml('a clouds.yaml without clouds', 'cloud:\n  prod: {}\n', [
    ': found no clouds, expected "clouds:" and below it a mapping with their names',
  ]),
  yaml('a cloud that is not there', 'clouds:\n  test: {}\n  production: {}\n', [
    `${prod}not there, expected one of test, production`,
  ]),
  yaml('a cloud with nothing in it', 'clouds:\n  prod:\n', [
    ':2: cloud "prod": found no keys, expected auth and more below it',
  ]),
  yaml('a cloud without a login', 'clouds:\n  prod:\n    region_name: RegionOne\n', [
    `${prod}auth.auth_url: missing, expected Keystone's URL, such as https://keystone.example.org:5000/v3`,
    `${prod}auth.username: missing, expected the user's name with user_domain_name (or user_domain_id), or user_id`,
    `${prod}auth.password: missing, expected the user's password, here or in secure.yaml`,
    `${prod}auth.project_name: missing, expected the project's name with project_domain_name (or project_domain_id), or project_id`,
  ]),
  yaml(
    'names without their domains',
    'clouds:\n  prod:\n    auth:\n      auth_url: keystone.example.org\n      username: admin\n      password: hunter2\n      project_name: ops\n',
    [
      `:4: cloud "prod": auth.auth_url: found "keystone.example.org", expected Keystone's URL, such as https://keystone.example.org:5000/v3`,
      `${prod}auth.user_domain_name: missing, expected the domain of user "admin", or user_domain_id`,
      `${prod}auth.project_domain_name: missing, expected the domain of project "ops", or project_domain_id`,
    ],
  ),
  yaml(
    'values of the wrong kind',
    'clouds:\n  prod:\n    auth: hunter2\n    auth_url: [hunter2]\n    user_id: u1\n    password: [hunter2]\n    project_id: p1\n',
    [
      ':3: cloud "prod": auth: found a text, expected a mapping with auth_url and the login',
      ':4: cloud "prod": auth_url: found a list, expected one text',
      ':6: cloud "prod": password: found a list, expected one text',
    ],
  ),
  yaml("a URL of Keystone's version 2", login.replace(':5000/v3', ':5000/v2.0'), [
    `:4: cloud "prod": auth.auth_url: found "https://keystone.example.org:5000/v2.0", expected version 3 of Keystone's API: Keystone's URL, such as https://keystone.example.org:5000/v3`,
  ]),
  yaml('a URL with a password', login.replace('//', '//admin:hunter2@'), [
    `:4: cloud "prod": auth.auth_url: found a value not shown here, expected Keystone's URL, such as https://keystone.example.org:5000/v3, without a user`,
  ]),
  yaml(
    'a vendor profile',
    login.replace(/ {6}auth_url.*\n/, '').replace('auth:', 'profile: acme\n    auth:'),
    [
      `:3: cloud "prod": profile: found "acme", expected auth_url below auth, as vendor profiles are not supported: Keystone's URL, such as https://keystone.example.org:5000/v3`,
    ],
  ),
  yaml('another way to log in', `${login}    auth_type: v3oidcpassword\n`, [
    ':10: cloud "prod": auth_type: found "v3oidcpassword", expected password, v3password or v3applicationcredential',
  ]),
  yaml(
    'an application credential that is not said to be one',
    'clouds:\n  prod:\n    auth:\n      auth_url: https://k:5000\n      application_credential_id: abc\n      application_credential_secret: hunter2\n',
    [`${prod}auth_type: missing, expected v3applicationcredential, as auth.application_credential_id is set`],
  ),
  yaml(
    'an application credential without id and secret',
    'clouds:\n  prod:\n    auth_type: v3applicationcredential\n    auth:\n      auth_url: https://k:5000\n',
    [
      `${prod}auth.application_credential_secret: missing, expected the credential's secret, here or in secure.yaml`,
      `${prod}auth.application_credential_id: missing, expected the id of the credential, or application_credential_name with its user`,
    ],
  ),
  yaml(
    'an application credential by name without its user',
    'clouds:\n  prod:\n    auth_type: v3applicationcredential\n    auth:\n      auth_url: https://k:5000\n      application_credential_name: sonny\n      application_credential_secret: hunter2\n',
    [
      `${prod}auth.username: missing, expected the user's name with user_domain_name (or user_domain_id), or user_id`,
    ],
  ),
  yaml(
    'wrong interface, region, verify and CA',
    `${login}    interface: external\n    region_name: A,B\n    verify: perhaps\n    cacert: ~/ca.pem\n`,
    [
      ':10: cloud "prod": interface: found "external", expected public, internal or admin',
      ':11: cloud "prod": region_name: found "A,B", expected the name of one region',
      ':12: cloud "prod": verify: found "perhaps", expected true or false',
      ':13: cloud "prod": cacert: found "~/ca.pem", expected a file of CA certificates ($HOME/ca.pem: no such file)',
    ],
  ),
  yaml('several regions', `${login}    regions: [A, B]\n    insecure: true\n    verify: true\n`, [
    ':11: cloud "prod": insecure: found "true", expected false, as verify is true: they contradict each other',
    `${prod}region_name: missing, expected one of the regions: A, B`,
  ]),
  yaml(
    'a key where the CA should be, named by secure.yaml',
    login,
    [
      '$CWD/secure.yaml:3: cloud "prod": cacert: found "key.pem", expected a file of CA certificates in PEM ($CWD/key.pem holds none)',
    ],
    {
      files: {
        'secure.yaml': 'clouds:\n  prod:\n    cacert: key.pem\n',
        'key.pem': '-----BEGIN PRIVATE KEY-----\n',
      },
    },
  ),
];

const fenced = `${good}[FENCING]\nmode = required\nhosts = fencing.yaml\n`;

/** A case of one ./fencing.yaml, on good other files; its expectations begin behind that file's path. */
const fence = (
  name: string,
  content: string | null,
  expect: readonly string[],
  mode = 0o600,
): WrongConfiguration =>
  wrong({
    name: `fencing: ${name}`,
    process: 'ns4',
    files: {
      'config.ini': fenced,
      'clouds.yaml': login,
      ...(content === null ? {} : { 'fencing.yaml': { content, mode } }),
    },
    expect: expect.map((line) => (line.startsWith('$') ? line : `$CWD/fencing.yaml${line}`)),
  });

const oneLevel =
  'hosts:\n  hv01:\n    levels:\n      - agent: /bin/true\n        options: {password: hunter2}\n';

const fencing: readonly WrongConfiguration[] = [
  ini('fencing all wrong', `${good}[FENCING]\nmode = perhaps\ntimeout = 0\n`, [
    ':6: [FENCING] mode: found "perhaps", expected none or required',
    ':7: [FENCING] timeout: found "0", expected a number of seconds from 1 to 300',
  ]),
  ini('fencing required, and no file', `${good}[FENCING]\nmode = required\n`, [
    ': [FENCING] hosts: missing, expected the file with the fence levels (fencing.yaml), as mode is required',
  ]),
  fence('no such file', null, [': no such file, expected the one that [FENCING] hosts names']),
  fence('an empty file', '# nothing\n', [': found no keys, expected "hosts:" and below it the hypervisors']),
  fence('no YAML', 'hosts:\n\tpassword: hunter2\n', [':2: a tab indents the line, expected spaces']),
  fence(
    'everybody may read it',
    oneLevel,
    [': found mode 0644, others than its owner may read its passwords; expected 0600'],
    0o644,
  ),
  fence(
    'the group may write it',
    'hosts: {hv01: {levels: [{agent: /bin/true}]}}\n',
    [': found mode 0660, others than its owner may write it; expected 0600'],
    0o660,
  ),
  fence(
    'mistakes of every kind at once',
    `defaults:
  options:
    fence_nobody: {password: hunter2}
    /bin/true: {action: reboot}
  level: []
hosts:
  hv01:
  hv02: {levels: []}
  hv03:
    levels:
      - fence_ipmilan
      - agent: fence_of_another_world
      - agent: /bin/true
        options: {ip: [10.0.0.1], "a b": x, password: "hun\\nter2"}
        timeout: 5
      - options: {ip: 10.0.0.1}
    options:
      fence_redfish: {password: hunter2}
  hv04: hunter2
`,
    [
      ':3: defaults.options.fence_nobody: no level runs this agent, expected one of fence_of_another_world, /bin/true',
      ':4: defaults.options./bin/true.action: is not to be set: Sonny does that',
      ':5: defaults.level: unknown key, expected options or levels',
      ':7: hosts.hv01: has no levels, expected "levels" here or below "defaults"',
      ':8: hosts.hv02.levels: found 0 of them, expected a list of 1 to 8 levels ("- agent: …")',
      ':11: hosts.hv03.levels[0]: found a text, expected keys below it',
      ':12: hosts.hv03.levels[1].agent: found "fence_of_another_world", expected a program on the PATH or in /usr/sbin (package fence-agents?), or an absolute path',
      ':14: hosts.hv03.levels[2].options.ip: found a list, expected one text',
      ':14: hosts.hv03.levels[2].options."a b": found this key, expected a name of letters, digits, "_" and "-"',
      ':14: hosts.hv03.levels[2].options.password: found a line break or control character, which agents cannot be told',
      ':15: hosts.hv03.levels[2].timeout: unknown key, expected agent or options or devices',
      ':16: hosts.hv03.levels[3].agent: missing, expected the name of a fence agent or a path, or "devices" instead',
      ':18: hosts.hv03.options.fence_redfish: no level runs this agent, expected one of fence_of_another_world, /bin/true',
      ':19: hosts.hv04: found a text, expected keys below it',
      ':19: hosts.hv04: has no levels, expected "levels" here or below "defaults"',
    ],
  ),
  fence(
    'levels of several devices',
    `hosts:
  hv01:
    levels:
      - agent: /bin/true
        devices: [{agent: /bin/true}]
      - devices: []
      - devices: {agent: /bin/true}
      - devices:
          - {agent: /bin/true, option: {ip: 10.0.0.1}}
          - options: {ip: 10.0.0.1}
`,
    [
      ':5: hosts.hv01.levels[0].devices: found beside agent or options, expected each device with its own below "devices"',
      ':6: hosts.hv01.levels[1].devices: found 0 of them, expected a list of 1 to 8 devices ("- agent: …")',
      ':7: hosts.hv01.levels[2].devices: found a mapping, expected a list of 1 to 8 devices ("- agent: …")',
      ':9: hosts.hv01.levels[3].devices[0].option: unknown key, expected agent or options',
      ':10: hosts.hv01.levels[3].devices[1].agent: missing, expected the name of a fence agent or a path',
    ],
  ),
  fence(
    'what an agent would strip or split, and what makes it say off of nothing',
    `hosts:
  "hv01\\nplug=hv02":
    levels: [{agent: /bin/true}]
  hv02:
    levels:
      - agent: /bin/true
        options:
          ip: " 10.0.0.1"
          plug: '"7"'
          password: "hunter2 "
          note: "a\\u2028"
          user: "a\\nplug=8"
          missing_as_off: 0
          missing-as-off: 1
          --missing-as-off: 1
          ACTION: "on"
`,
    [
      ':2: hosts."hv01\\nplug=hv02": found this key, expected a name without line breaks, control characters and blanks around it',
      ':8: hosts.hv02.levels[0].options.ip: found blanks at its begin or end, which agents strip',
      ':9: hosts.hv02.levels[0].options.plug: found double quotes around it, which agents strip; expected it without',
      ':10: hosts.hv02.levels[0].options.password: found blanks at its begin or end, which agents strip',
      ':11: hosts.hv02.levels[0].options.note: found blanks at its begin or end, which agents strip',
      ':12: hosts.hv02.levels[0].options.user: found a line break or control character, which agents cannot be told',
      ...[
        '13: hosts.hv02.levels[0].options.missing_as_off',
        '14: hosts.hv02.levels[0].options.missing-as-off',
      ].map(
        (at) =>
          `:${at}: is not to be set, whatever its value: a plug that is not there would count as off, and prove a running host off`,
      ),
      ':15: hosts.hv02.levels[0].options.--missing-as-off: is not to be set, whatever its value: a plug that is not there would count as off, and prove a running host off',
      ':16: hosts.hv02.levels[0].options.ACTION: is not to be set: Sonny does that',
    ],
  ),
  fence(
    'one device for two hosts, and one feed for two',
    `defaults:
  options: {/bin/true: {username: sonny}}
  levels: [{agent: /bin/true, options: {ip: bmc.example.org}}]
hosts:
  hv01:
  hv02: {options: {/bin/true: {password: hunter2}}}
  hv03:
    levels:
      - devices:
          - {agent: /bin/true, options: {plug: 7}}
          - {agent: /bin/true, options: {plug: 7}}
      - {agent: /bin/true, options: {plug: 8}}
      - {agent: /bin/true, options: {plug: 8}}
  hv04:
    levels:
      - {agent: /bin/true, options: {username: sonny, plug: 8}}
  "*":
`,
    [
      ':6: hosts.hv02: found /bin/true with the same options as in line 5, which is a device of "hv01"; expected one of its own',
      ':11: hosts.hv03.levels[0].devices[1]: found /bin/true with the same options as in line 10, which is a device of this level; expected one of its own',
      ':16: hosts.hv04.levels[0]: found /bin/true with the same options as in line 12, which is a device of "hv03"; expected one of its own',
      ':17: hosts.*: /bin/true has the same options for every host, expected "{host}" in one that tells them apart',
    ],
  ),
];

/** All of them. Those of the process ns4 without a mistake in config.ini show only when its further files are read. */
export const wrongConfigurations: readonly WrongConfiguration[] = [
  ...files,
  ...syntax,
  ...values,
  ...slack,
  ...clouds,
  ...fencing,
];
