// Logins as clouds.yaml may have them, by openstacksdk's rules: where the files are, how they lie over each other, and
// every way to name a user, a project and a domain. Wrong ones are in wrong-configurations.test.ts.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CloudCredentials } from '../../../../src/ns4/credentials/cloud-credentials.ts';
import { loadCloud } from '../../../../src/ns4/credentials/clouds-yaml.ts';

let cwd: string;
let home: string;
beforeEach(() => {
  const root = mkdtempSync(join(tmpdir(), 'sonny-clouds-'));
  [cwd, home] = [join(root, 'cwd'), join(root, 'home')];
  mkdirSync(cwd);
  mkdirSync(home);
});
afterEach(() => rmSync(join(cwd, '..'), { recursive: true }));

const write = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o600 });
};
const load = (env: Record<string, string> = {}): CloudCredentials =>
  loadCloud({ cloud: 'prod', env, cwd, home });

/** A clouds.yaml whose cloud has these lines in auth and those beside it. */
const prod = (auth: readonly string[], beside: readonly string[] = []): string =>
  [
    'clouds:',
    '  prod:',
    ...beside.map((line) => `    ${line}`),
    '    auth:',
    ...auth.map((line) => `      ${line}`),
    '',
  ].join('\n');
const ids = ['auth_url: http://k:5000', 'user_id: u', 'password: p', 'project_id: q'];

describe('the login', () => {
  const credential = ['auth_url: http://k', 'application_credential_secret: s'];
  const applicationCredential = ['auth_type: v3applicationcredential'];
  test.each<[string, string[], string[], unknown]>([
    ['by ids', ids, [], { method: 'password', user: { id: 'u' }, password: 'p', project: { id: 'q' } }],
    [
      'by names',
      [
        'auth_url: http://k',
        'username: n',
        'user_domain_name: D',
        'password: p',
        'project_name: m',
        'project_domain_id: default',
      ],
      ['auth_type: v3password'],
      {
        method: 'password',
        user: { name: 'n', domain: { name: 'D' } },
        password: 'p',
        project: { name: 'm', domain: { id: 'default' } },
      },
    ],
    [
      'one domain for both, keys with dashes, the old name of a project',
      ['auth-url: http://k', 'username: n', 'domain-name: D', 'password: p', 'tenant-name: m'],
      ['auth-type: password'],
      {
        method: 'password',
        user: { name: 'n', domain: { name: 'D' } },
        password: 'p',
        project: { name: 'm', domain: { name: 'D' } },
      },
    ],
    [
      'a default domain, and keys beside auth, which win',
      ['auth_url: http://k', 'username: other', 'default_domain_id: default', 'password: p'],
      ['username: n', 'project_name: m'],
      {
        method: 'password',
        user: { name: 'n', domain: { id: 'default' } },
        password: 'p',
        project: { name: 'm', domain: { id: 'default' } },
      },
    ],
    [
      'texts that look like numbers and booleans',
      ['auth_url: http://k', 'user_id: 0123', 'password: 1_000', 'project_id: yes'],
      [],
      { method: 'password', user: { id: '0123' }, password: '1_000', project: { id: 'yes' } },
    ],
    [
      'an unset key is no key',
      [
        'auth_url: http://k',
        'user_id:',
        'username: n',
        'user_domain_id: ~',
        'user_domain_name: D',
        'password: p',
        'project_id: q',
      ],
      [],
      {
        method: 'password',
        user: { name: 'n', domain: { name: 'D' } },
        password: 'p',
        project: { id: 'q' },
      },
    ],
    [
      'an application credential by id; its project counts, not the one given',
      [...credential, 'application_credential_id: c', 'project_name: m'],
      applicationCredential,
      { method: 'application-credential', credential: { id: 'c' }, secret: 's' },
    ],
    [
      'an application credential by name and user',
      [...credential, 'application_credential_name: c', 'username: n', 'user_domain_name: D'],
      applicationCredential,
      {
        method: 'application-credential',
        credential: { name: 'c', user: { name: 'n', domain: { name: 'D' } } },
        secret: 's',
      },
    ],
    [
      'an application credential by name and user id',
      [...credential, 'application_credential_name: c', 'user_id: u'],
      applicationCredential,
      { method: 'application-credential', credential: { name: 'c', user: { id: 'u' } }, secret: 's' },
    ],
  ])('%s', (_name, auth, beside, expected) => {
    write(join(cwd, 'clouds.yaml'), prod(auth, beside));
    expect(load().login).toEqual(expected);
  });
});

describe('the URL of Keystone', () => {
  test.each([
    ['http://k:5000', 'http://k:5000/v3'],
    ['http://k:5000/', 'http://k:5000/v3'],
    ['https://k:5000/v3', 'https://k:5000/v3'],
    ['https://k:5000/v3/', 'https://k:5000/v3'],
    ['https://k/identity', 'https://k/identity/v3'],
    ['https://k/identity/v3//', 'https://k/identity/v3'],
    ['https://[2001:db8::1]:5000', 'https://[2001:db8::1]:5000/v3'],
  ])('%s', (given, expected) => {
    write(join(cwd, 'clouds.yaml'), prod([`auth_url: "${given}"`, ...ids.slice(1)]));
    expect(load().authUrl).toBe(expected);
  });
});

describe('region, interface and TLS', () => {
  const ca = '-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n';
  const key = '-----BEGIN EC PRIVATE KEY-----\nabc\n-----END EC PRIVATE KEY-----\n';
  test.each<[string, string[], Partial<CloudCredentials>]>([
    ['nothing', [], { region: null, interface: 'public', tls: { ca: null, verify: true } }],
    ['a region', ['region_name: R'], { region: 'R' }],
    ['a list of one region', ['regions: [R]'], { region: 'R' }],
    ['one of several regions', ['region_name: S', 'regions: [R, S]'], { region: 'S' }],
    [
      "a region's own values",
      ['region_name: S', 'interface: public', 'regions: [R, {name: S, values: {interface: admin}}]'],
      { region: 'S', interface: 'admin' },
    ],
    ['an interface', ['interface: internal'], { interface: 'internal' }],
    ['an interface, the old way', ['endpoint_type: adminURL'], { interface: 'admin' }],
    ['no verification', ['verify: false'], { tls: { ca: null, verify: false } }],
    ['no verification, the YAML 1.1 way', ['verify: no'], { tls: { ca: null, verify: false } }],
    ['no verification, the other way', ['insecure: True'], { tls: { ca: null, verify: false } }],
    ['a CA in the home directory', ['cacert: ~/ca.pem'], { tls: { ca, verify: true } }],
    ['a CA relative to the working directory', ['cacert: ../home/ca.pem'], { tls: { ca, verify: true } }],
    ['a CA in place of the truth', ['verify: ~/ca.pem'], { tls: { ca, verify: true } }],
    [
      'a certificate of our own',
      ['cert: ~/ca.pem', 'key: ~/key.pem'],
      { tls: { ca: null, verify: true, client: { cert: ca, key } } },
    ],
    [
      'what holds for one service alone',
      [
        'compute_endpoint_override: https://nova.example.org/v2.1',
        'network-interface: internal',
        'placement_region_name: P',
      ],
      {
        services: {
          compute: { override: 'https://nova.example.org/v2.1', interface: null, region: null },
          network: { override: null, interface: 'internal', region: null },
          placement: { override: null, interface: null, region: 'P' },
        },
      },
    ],
  ])('%s', (_name, beside, expected) => {
    write(join(home, 'ca.pem'), ca);
    write(join(home, 'key.pem'), key);
    write(join(cwd, 'clouds.yaml'), prod(ids, beside));
    expect(load()).toMatchObject(expected);
  });
});

test('a CA bundle whose remarks are in Latin-1: its certificates count', () => {
  const certificate = '-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n';
  writeFileSync(
    join(home, 'ca.pem'),
    Buffer.from(`# Zertifizierungsstelle M\u00fcnchen\n${certificate}`, 'latin1'),
  );
  write(join(cwd, 'clouds.yaml'), prod(ids, ['cacert: ~/ca.pem']));
  expect(load().tls.ca).toContain(certificate);
});

describe('which file', () => {
  test('the environment before the working directory before the home directory, .yaml before .yml', () => {
    const places = [
      join(home, '.config/openstack/clouds.yml'),
      join(home, '.config/openstack/clouds.yaml'),
      join(home, 'xdg/openstack/clouds.json'),
      join(cwd, 'clouds.yml'),
      join(cwd, 'clouds.yaml'),
    ];
    const xdg = { XDG_CONFIG_HOME: join(home, 'xdg') };
    for (const place of places) {
      write(place, prod(ids));
      expect(load(xdg).file).toBe(place);
    }
    write(join(cwd, 'conf/mine.yaml'), prod(ids));
    expect(load({ OS_CLIENT_CONFIG_FILE: 'conf/mine.yaml' }).file).toBe(join(cwd, 'conf/mine.yaml'));
  });

  test('JSON is YAML', () => {
    const auth = { auth_url: 'http://k', user_id: 'u', password: 'p', project_id: 'q' };
    write(join(cwd, 'clouds.json'), JSON.stringify({ clouds: { prod: { auth } } }));
    expect(load().login).toMatchObject({ user: { id: 'u' } });
  });

  test('secure.yaml lies over clouds.yaml, wherever it is found', () => {
    write(
      join(cwd, 'clouds.yaml'),
      prod(['auth_url: http://k', 'user_id: u', 'password: old', 'project_id: q']),
    );
    write(join(home, '.config/openstack/secure.yaml'), 'clouds:\n  prod:\n    auth:\n      password: new\n');
    expect(load().login).toMatchObject({ user: { id: 'u' }, password: 'new' });
    write(join(home, 's.yaml'), 'clouds:\n  prod:\n    auth:\n      password: newer\n');
    expect(load({ OS_CLIENT_SECURE_FILE: join(home, 's.yaml') }).login).toMatchObject({ password: 'newer' });
  });

  test('other clouds may be as wrong as they like', () => {
    write(join(cwd, 'clouds.yaml'), `${prod(ids)}  test: {auth: nonsense}\n`);
    expect(load().login).toMatchObject({ method: 'password' });
  });
});

describe('anchors, aliases and merge keys', () => {
  test('are followed; the keys of a map win over merged ones, and the first merged map over the next', () => {
    write(
      join(cwd, 'clouds.yaml'),
      `base: &base {interface: internal, region_name: A, verify: false}
more: &more {interface: admin, cacert: ~, region_name: B}
clouds:
  test: &test
    auth: &auth {auth_url: http://k, user_id: u, password: p, project_id: q}
  prod:
    <<: [*base, *more]
    auth:
      <<: *auth
      project_id: r
    region_name: C
`,
    );
    expect(load()).toMatchObject({
      interface: 'internal',
      region: 'C',
      login: { user: { id: 'u' }, project: { id: 'r' } },
      tls: { verify: false },
    });
  });

  test('that run in a circle or explode do no harm', () => {
    write(join(cwd, 'clouds.yaml'), 'clouds: &c\n  prod: *c\n');
    expect(() => load()).toThrow(`${cwd}/clouds.yaml:2: an alias ("*…") that contains itself`);
    const levels = Array.from({ length: 30 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`)}]`);
    write(join(cwd, 'clouds.yaml'), `l0: &l0 [x]\n${levels.join('\n')}\n${prod(ids)}`);
    expect(load().login).toMatchObject({ user: { id: 'u' } });
  });
});
