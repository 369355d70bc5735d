// Configurations that are right: the original's own, the example that is shipped, every key once, and what each
// process makes of them; then the warnings. Wrong ones are in wrong-configurations.test.ts.
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ProcessName } from '../../../../src/shared/config/keys/key.ts';
import { knownKeys } from '../../../../src/shared/config/known-keys.ts';
import { loadSettings } from '../../../../src/shared/config/load.ts';
import { Secrets } from '../../../../src/shared/masks/secrets.ts';
import { testKey } from '../../../support/trust.ts';

let cwd: string;
let home: string;
beforeEach(() => {
  const root = mkdtempSync(join(tmpdir(), 'sonny-config-'));
  [cwd, home] = [join(root, 'cwd'), join(root, 'home')];
  mkdirSync(cwd);
  mkdirSync(home);
});
afterEach(() => rmSync(join(cwd, '..'), { recursive: true }));

const write = (text: string, name = 'config.ini', mode = 0o600): void => {
  writeFileSync(join(cwd, name), text);
  chmodSync(join(cwd, name), mode);
};
const load = (process: ProcessName = 'monitor', file?: string): ReturnType<typeof loadSettings> =>
  loadSettings({ process, file, cwd, home });
const minimal = '[REDIS]\nhost = redis1\n[OPENSTACK]\ncloud = prod\n';
const processes = ['ns4', 'monitor', 'sonny'] as const;

describe("the original's config.ini, unchanged", () => {
  const fixture = join(import.meta.dirname, 'fixtures/original-config.ini');

  test.each(processes)('%s takes it, without a warning', (process) => {
    copyFileSync(fixture, join(cwd, 'config.ini'));
    chmodSync(join(cwd, 'config.ini'), 0o600);
    const { settings, warnings } = load(process);
    expect(warnings).toEqual([]);
    expect(settings).toEqual({
      file: join(cwd, 'config.ini'),
      monitor: {
        monitorPeriodMs: 60_000,
        heartbeatPeriodMs: 40_000,
        suspiciousBackoff: 5,
        deadBackoff: 1,
        cooldownMs: 86_400_000,
        silenceAlarmMs: 300_000,
      },
      redis: {
        host: '127.0.0.1',
        port: 6379,
        username: null,
        password: null,
        tls: null,
        db: null,
        sentinels: null,
        signing: null,
      },
      openstack:
        process === 'sonny'
          ? null
          : { cloud: 'cloud1', externalNetworks: ['ext-net', 'ext-net2'], method: 'api', concurrency: 8 },
      mysql: null,
      scan: {
        hypervisorPorts: [22, 111, 16509],
        instancePorts: [22],
        timeoutMs: 3000,
        refusedMeans: 'alive',
        controls: [],
        quorum: 1,
        // The machine's own.
        name: expect.stringMatching(/^[a-z0-9][a-z0-9._-]*$/i),
        fences: true,
      },
      ceph: null,
      fencing: { mode: 'none', file: null, timeoutMs: 60_000 },
      recovery: { disabledHosts: 'leave', localDisks: 'leave', answerTimeoutMs: 120_000 },
      alarm: { deadManUrl: null },
      slack: {
        token: 'xoxb-0000-original',
        appToken: null,
        channel: 'sonny',
        clouds: ['cloud1', 'cloud2'],
        ask: [],
        direct: false,
        apiUrl: null,
      },
    });
  });

  test('an older one, with keys nobody reads any more, only warns of them', () => {
    write(`[DEFAULT]\nworkers = 3\nloglevel = INFO\n${minimal}[SLACK]\ntoken = None\nclouds = prod\n`);
    const keys = knownKeys.DEFAULT?.join(', ');
    expect(load().warnings).toEqual([
      `${cwd}/config.ini:2: [DEFAULT] workers: unknown key, ignored; the keys of [DEFAULT] are ${keys}`,
      `${cwd}/config.ini:3: [DEFAULT] loglevel: unknown key, ignored; the keys of [DEFAULT] are ${keys}`,
    ]);
  });
});

describe('config.example.ini', () => {
  const example = join(import.meta.dirname, '../../../../config.example.ini');

  test.each(processes)('loads for %s without a warning, whoever may read it', (process) => {
    copyFileSync(example, join(cwd, 'config.ini'));
    chmodSync(join(cwd, 'config.ini'), 0o644);
    expect(load(process).warnings).toEqual([]);
  });

  test('what it shows is what counts without it', () => {
    copyFileSync(example, join(cwd, 'config.ini'));
    const shown = load().settings;
    write('[REDIS]\nhost = 127.0.0.1\n[OPENSTACK]\ncloud = cloud1\n[SLACK]\nchannel = sonny\n');
    expect(shown).toEqual(load().settings);
  });

  test('names every key, but the second name of pass', () => {
    const text = readFileSync(example, 'utf8');
    for (const [section, keys] of Object.entries(knownKeys)) {
      const part = text.split(`\n[${section}]\n`)[1]?.split('\n[')[0] ?? '';
      for (const key of keys)
        expect(part, `[${section}] ${key}`).toMatch(
          key === 'password' ? /"password"/ : new RegExp(`^(# )?${key} = `, 'm'),
        );
    }
  });
});

test('every key once', () => {
  writeFileSync(join(cwd, 'ca.pem'), '-----BEGIN ca');
  writeFileSync(join(cwd, 'client.pem'), '-----BEGIN cert');
  writeFileSync(join(cwd, 'client.key'), '-----BEGIN key', { mode: 0o600 });
  writeFileSync(join(cwd, 'sonny.key'), `${testKey}\n`, { mode: 0o600 });
  write(`[DEFAULT]
monitor_period = 0.5
heartbeat_period = 1_0
suspicious_backoff = 0
dead_backoff = 0
cooldown_period = 0
silence_alarm = 0
[REDIS]
host: ::1
port: 6380
password = a;b#c%%d
username = sonny
tls = Yes
ca = ca.pem
cert = client.pem
key = client.key
server_name = redis.example.org
key_file = sonny.key
unsigned = accept
db = 0
[OPENSTACK]
cloud = my cloud
provider_net = ext-net , public
evacuate = Database
concurrency = 64
[MYSQL]
host = db.example.org
port = 3307
user = nova
pass = "quoted"
database = nova_cell1
ca = ca.pem
[SCAN]
hypervisor_ports = 22
instance_ports = 22,3389
timeout = 0.25
refused = silent
controls = 10.0.0.1:443, [2001:db8::1]:22, gw.example.org:80
quorum = 2
name = ctl-1.example.org
fences = No
[CEPH]
conf = ceph/ceph.conf
user = client.sonny
keyring = /etc/ceph/k
pools = vms , volumes, vms-ssd
[FENCING]
mode = Required
hosts = bmc/fencing.yaml
timeout = 7.5
[RECOVERY]
answer_timeout = 45
local_disks = recover
[SLACK]
token = xoxb-1
app_token = xapp-1
channel = #ops
ask = C0123456789, G0123456789
direct = yes
clouds = my cloud,other
api_url = http://127.0.0.1:8080/api/
[ALARM]
dead_man_url = https://watch.example.org/ping/1
`);
  const { settings, warnings } = load('ns4');
  expect(warnings).toEqual([]);
  expect(settings).toEqual({
    file: join(cwd, 'config.ini'),
    monitor: {
      monitorPeriodMs: 500,
      heartbeatPeriodMs: 10_000,
      suspiciousBackoff: 0,
      deadBackoff: 0,
      cooldownMs: 0,
      silenceAlarmMs: 0,
    },
    redis: {
      host: '::1',
      port: 6380,
      username: 'sonny',
      password: 'a;b#c%d',
      tls: {
        ca: '-----BEGIN ca',
        client: { cert: '-----BEGIN cert', key: '-----BEGIN key' },
        serverName: 'redis.example.org',
      },
      db: 0,
      sentinels: null,
      signing: { keys: [testKey], unsigned: 'accept' },
    },
    openstack: {
      cloud: 'my cloud',
      externalNetworks: ['ext-net', 'public'],
      method: 'database',
      concurrency: 64,
    },
    mysql: {
      host: 'db.example.org',
      port: 3307,
      user: 'nova',
      password: '"quoted"',
      database: 'nova_cell1',
      ca: join(cwd, 'ca.pem'),
    },
    scan: {
      hypervisorPorts: [22],
      instancePorts: [22, 3389],
      timeoutMs: 250,
      refusedMeans: 'silent',
      controls: [
        { address: '10.0.0.1', port: 443 },
        { address: '2001:db8::1', port: 22 },
        { address: 'gw.example.org', port: 80 },
      ],
      quorum: 2,
      name: 'ctl-1.example.org',
      fences: false,
    },
    ceph: {
      conf: join(cwd, 'ceph/ceph.conf'),
      user: 'sonny',
      keyring: '/etc/ceph/k',
      pools: ['vms', 'volumes', 'vms-ssd'],
    },
    fencing: { mode: 'required', file: join(cwd, 'bmc/fencing.yaml'), timeoutMs: 7_500 },
    recovery: { disabledHosts: 'leave', localDisks: 'recover', answerTimeoutMs: 45_000 },
    alarm: { deadManUrl: 'https://watch.example.org/ping/1' },
    slack: {
      token: 'xoxb-1',
      appToken: 'xapp-1',
      channel: '#ops',
      ask: ['C0123456789', 'G0123456789'],
      direct: true,
      clouds: ['my cloud', 'other'],
      apiUrl: 'http://127.0.0.1:8080/api/',
    },
  });
});

test('every secret becomes known to the masker, whether or not anything uses it, and a short one is remarked', () => {
  write(`[REDIS]
sentinels = s:1
master = m
pass = one!
password = one!
sentinel_password = two
my_old_token = %(pass)s/zero
[OPENSTACK]
cloud = prod
[MYSQL]
pass = three
[SLACK]
token = xoxb-4
app_token = xapp-5
channel = c
api_url = https://me:in-a-url@proxy.example.org/api/
`);
  for (const process of processes) {
    const secrets = new Secrets();
    const { warnings } = loadSettings({ process, cwd, home, secrets });
    const said = 'one! two one!/zero three xoxb-4 xapp-5 in-a-url prod m s proxy.example.org';
    expect(secrets.mask(said)).toBe('**** two **** **** **** **** **** prod m s proxy.example.org');
    expect(warnings).toContain(
      `${cwd}/config.ini:6: [REDIS] sentinel_password: a secret of fewer than 4 letters is not masked in logs, events and messages`,
    );
  }
});

test('the settings cannot be changed', () => {
  write(minimal);
  const { settings } = load();
  expect(Object.isFrozen(settings.scan.hypervisorPorts)).toBe(true);
  expect(() => Object.assign(settings.monitor, { deadBackoff: 99 })).toThrow(TypeError);
});

describe('which file', () => {
  test('-c before ./config.ini before ~/.config.ini', () => {
    writeFileSync(join(home, '.config.ini'), minimal);
    expect(load().settings.file).toBe(join(home, '.config.ini'));
    write(minimal);
    expect(load().settings.file).toBe(join(cwd, 'config.ini'));
    write(minimal, 'other.ini');
    expect(load('monitor', 'other.ini').settings.file).toBe(join(cwd, 'other.ini'));
  });
});

describe('what a value means', () => {
  test.each<[string, string, (settings: ReturnType<typeof load>['settings']) => unknown, unknown]>([
    ['defect 16: either name of the Redis password', 'pass = long', (s) => s.redis.password, 'long'],
    ['both names with one value', 'pass = long\npassword = long', (s) => s.redis.password, 'long'],
    ['None beside the one that counts', 'pass = None\npassword = long', (s) => s.redis.password, 'long'],
    ['only None in this spelling is nothing', 'pass = none', (s) => s.redis.password, 'none'],
    ['inherited from DEFAULT', '[DEFAULT]\nport = 7000', (s) => s.redis.port, 7000],
    ['interpolated', 'dir = long\npass = %(dir)s%%', (s) => s.redis.password, 'long%'],
    ['clouds fall back to the cloud', '[SLACK]\nclouds = None', (s) => s.slack.clouds, ['prod']],
    ['an empty value takes the default', 'port =', (s) => s.redis.port, 6379],
  ])('%s', (_name, lines, pick, expected) => {
    write(`[OPENSTACK]\ncloud = prod\n[REDIS]\nhost = h\n${lines}\n`);
    expect(load().warnings).toEqual([]);
    expect(pick(load().settings)).toEqual(expected);
  });

  test.each(processes)('%s finds Redis through sentinels', (process) => {
    write(
      '[OPENSTACK]\ncloud = prod\n[REDIS]\nmaster = sonny.1\npass = long\nsentinel_username = u\nsentinel_password = other\n' +
        'sentinels = 10.0.0.1:26379, [2001:db8::1]:26380,\n  s3.example.org:1\n',
    );
    const { settings, warnings } = load(process);
    expect(warnings).toEqual([]);
    expect(settings.redis).toEqual({
      host: '',
      port: 6379,
      username: null,
      password: 'long',
      tls: null,
      db: null,
      signing: null,
      sentinels: {
        endpoints: [
          { address: '10.0.0.1', port: 26379 },
          { address: '2001:db8::1', port: 26380 },
          { address: 's3.example.org', port: 1 },
        ],
        master: 'sonny.1',
        username: 'u',
        password: 'other',
      },
    });
  });

  test('the key that signs is a secret of ns4 and monitor; sonny does not look for it', () => {
    writeFileSync(join(cwd, 'sonny.key'), `${testKey}\n`, { mode: 0o600 });
    write(`[OPENSTACK]\ncloud = prod\n[REDIS]\nhost = redis1\nkey_file = sonny.key\n`);
    for (const process of ['ns4', 'monitor'] as const) {
      const secrets = new Secrets();
      const { settings } = loadSettings({ process, cwd, home, secrets });
      expect(settings.redis.signing).toEqual({ keys: [testKey], unsigned: 'refuse' });
      expect(secrets.mask(`said ${testKey}`)).toBe('said ****');
    }
    chmodSync(join(cwd, 'sonny.key'), 0o644);
    expect(load('sonny').settings.redis.signing).toBeNull();
    expect(() => load('ns4')).toThrow('found mode 0644, others than its owner may read');
  });

  test('sonny takes the only cloud there is from [OPENSTACK], and needs none there', () => {
    write(minimal);
    expect(load('sonny').settings).toMatchObject({ openstack: null, slack: { clouds: ['prod'] } });
    write('[REDIS]\nhost = h\n[SLACK]\nclouds = a, b\n');
    expect(load('sonny').settings.slack.clouds).toEqual(['a', 'b']);
  });

  test('proof is demanded: fencing.yaml is named, or another vantage point fences', () => {
    write(`${minimal}[FENCING]\nmode = required\n`);
    expect(() => load('ns4')).toThrow(/\[FENCING\] hosts: missing/);
    write(`${minimal}[FENCING]\nmode = required\n[SCAN]\nfences = no\n`);
    expect(load('ns4').settings).toMatchObject({
      ...{ scan: { fences: false }, fencing: { mode: 'required', file: null } },
    });
  });

  test('the database is no business of sonny', () => {
    write(`${minimal}evacuate = database\n`);
    expect(load('sonny').settings.mysql).toBeNull();
  });
});

describe('warnings', () => {
  test.each<[string, string, string[]]>([
    [
      'a misspelt key',
      '[REDIS]\nhots = hunter2\n',
      [':6: [REDIS] hots: unknown key, ignored; did you mean host?'],
    ],
    [
      'a misspelt secret, without its value',
      '[REDIS]\npasword = hunter2\n',
      [':6: [REDIS] pasword: unknown key, ignored; did you mean password?'],
    ],
    [
      'a key of another section',
      '[REDIS]\ncooldown_period = 5\n',
      [':6: [REDIS] cooldown_period: unknown key here, ignored; it belongs in [DEFAULT]'],
    ],
    [
      'a key like no other',
      '[SCAN]\nnmap_path = /usr/bin\n',
      [
        ':6: [SCAN] nmap_path: unknown key, ignored; the keys of [SCAN] are hypervisor_ports, instance_ports, timeout, refused, controls, quorum, name, fences',
      ],
    ],
    [
      'a misspelt section',
      '[SLAKC]\ntoken = hunter2\n',
      [':5: [SLAKC]: unknown section, ignored; did you mean [SLACK]?'],
    ],
    [
      'a section in lower case',
      '[slack]\ntoken = hunter2\n',
      [':5: [slack]: unknown section, ignored; did you mean [SLACK]?'],
    ],
    [
      'a section like no other',
      '[PAGING]\nagent = ipmi\n',
      [
        ':5: [PAGING]: unknown section, ignored; the sections are [DEFAULT], [REDIS], [OPENSTACK], [MYSQL], [SCAN], [CEPH], [FENCING], [RECOVERY], [SLACK], [ALARM]',
      ],
    ],
    [
      'one Redis and sentinels: the sentinels count',
      '[REDIS]\nport = 7000\nsentinels = s1:1\nmaster = m\n',
      [
        ':5: [REDIS] host: ignored, as the sentinels say where the master is',
        ':6: [REDIS] port: ignored, as the sentinels say where the master is',
      ],
    ],
    [
      'a token of an unknown kind',
      '[SLACK]\ntoken = hunter2\nchannel = c\n',
      [":6: [SLACK] token: does not begin with xoxb-, as a bot's token does; Slack may refuse it"],
    ],
    [
      'a cloud that nobody reports on',
      '[SLACK]\nclouds = test\n',
      [':6: [SLACK] clouds: [OPENSTACK] cloud ("prod") is not among them, nobody will hear of it'],
    ],
    [
      'a cloud twice',
      '[SLACK]\nclouds = prod, a, prod\n',
      [':6: [SLACK] clouds: found "prod" twice, it counts once'],
    ],
    ['none for a key others refer to', '[SLACK]\nbase = ops\nchannel = %(base)s-alerts\n', []],
    ['none for comments', '[SLACK]\n; token = hunter2\n# nonsense\n', []],
  ])('%s', (_name, lines, expected) => {
    // [REDIS] comes last where a case continues it.
    const openstack = '[OPENSTACK]\ncloud = prod\n';
    const redis = '[REDIS]\nhost = h\n';
    const text = lines.startsWith('[REDIS]\n')
      ? `#\n${openstack}${redis}${lines.replace('[REDIS]\n', '')}`
      : `${redis}${openstack}${lines}`;
    write(text);
    const { warnings } = load();
    expect(warnings).toEqual(expected.map((line) => `${cwd}/config.ini${line}`));
    expect(warnings.join()).not.toContain('hunter2');
  });

  test.each([
    [0o600, 'pass = long', false],
    [0o640, 'pass = long', true],
    [0o644, 'pass = long', true],
    [0o644, 'pass = None', false],
    [0o644, 'pass =', false],
    [0o604, '[SLACK]\ntoken = xoxb-1\nchannel = c', true],
    [0o644, '[MYSQL]\npass = long', true],
  ])('mode %o with %j: %s', (mode, lines, warned) => {
    write(`[OPENSTACK]\ncloud = prod\n[REDIS]\nhost = h\n${lines}\n`, 'config.ini', mode);
    const said = `${cwd}/config.ini: found mode 0${mode.toString(8)}, others than its owner may read its passwords; expected 0600`;
    expect(load().warnings).toEqual(warned ? [said] : []);
  });
});
