import { describe, expect, it } from 'vitest';
import { type Catalogue, endpointOf, identityRoot } from '../../../../src/ns4/openstack/catalogue.ts';
import { loginBody, readGrant } from '../../../../src/ns4/openstack/login.ts';
import { computeRange, negotiate, placementRange } from '../../../../src/ns4/openstack/microversion.ts';
import { movedAllocations } from '../../../../src/ns4/openstack/placement.ts';

describe('endpointOf', () => {
  const at = (region: string, kind: string, url: string) => ({ interface: kind, region_id: region, url });
  const catalogue: Catalogue = [
    {
      type: 'compute',
      endpoints: [
        at('A', 'public', 'https://a/compute/v2.1/'),
        at('A', 'internal', 'http://10.0.0.1:8774/v2.1'),
        at('B', 'public', 'https://b/compute/v2.1'),
      ],
    },
    { type: 'network', endpoints: [at('A', 'public', 'https://a:9696')] },
    {
      type: 'identity',
      endpoints: [at('A', 'public', 'https://a/identity'), at('A', 'admin', 'https://a:35357/v2.0')],
    },
  ];
  it.each([
    ['compute', 'A', 'public', 'https://a/compute/v2.1'],
    ['compute', 'B', 'public', 'https://b/compute/v2.1'],
    ['compute', 'A', 'internal', 'http://10.0.0.1:8774/v2.1'],
    ['compute', null, 'internal', 'http://10.0.0.1:8774/v2.1'],
    ['network', null, 'public', 'https://a:9696/v2.0'],
    ['identity', 'A', 'public', 'https://a/identity/v3'],
    ['identity', 'A', 'admin', 'https://a:35357/v3'],
  ] as const)('%s in %s, %s', (service, region, kind, url) => {
    expect(endpointOf(catalogue, service, { region, interface: kind })).toBe(url);
  });

  it.each([
    ['placement', 'A', 'public', 'has no placement service'],
    ['network', 'A', 'internal', 'has no internal endpoint of network'],
    ['compute', 'C', 'public', 'has compute in A, B, but not in region C'],
    ['compute', null, 'public', 'several regions (A, B)'],
  ] as const)('no %s in %s, %s', (service, region, kind, message) => {
    expect(() => endpointOf(catalogue, service, { region, interface: kind })).toThrow(message);
  });

  it('takes an old name and an old interface', () => {
    const old: Catalogue = [{ type: 'computev21', endpoints: [at('A', 'publicURL', 'http://x/v2.1/abc')] }];
    expect(endpointOf(old, 'compute', { region: null, interface: 'public' })).toBe('http://x/v2.1/abc');
  });

  it('is what clouds.yaml says of one service, before what it says of all', () => {
    const one = { override: null, interface: null, region: null };
    const choice = (change: Partial<typeof one> | object) => ({
      region: 'A',
      interface: 'public',
      services: { compute: { ...one, ...change } },
    });
    expect(endpointOf(catalogue, 'compute', choice({ region: 'B' }))).toBe('https://b/compute/v2.1');
    expect(endpointOf(catalogue, 'network', choice({ region: 'B' }))).toBe('https://a:9696/v2.0');
    expect(endpointOf(catalogue, 'compute', choice({ override: 'https://n/v2.1/' }))).toBe('https://n/v2.1');
    const admin = {
      region: 'A',
      interface: 'public',
      services: { identity: { ...one, interface: 'admin' } },
    } as const;
    expect(endpointOf(catalogue, 'identity', admin)).toBe('https://a:35357/v3');
  });

  it.each(['http://k:5000', 'http://k:5000/', 'http://k:5000/v3', 'http://k:5000/v3/'])(
    'identityRoot %s',
    (url) => {
      expect(identityRoot(url)).toBe('http://k:5000/v3');
    },
  );
});

describe('login', () => {
  it('asks with a password for a project, with an application credential for none', () => {
    const user = { name: 'u', domain: { id: 'd' } };
    expect(loginBody({ method: 'password', user, password: 'p', project: { id: 'x' } })).toEqual({
      auth: {
        identity: { methods: ['password'], password: { user: { ...user, password: 'p' } } },
        scope: { project: { id: 'x' } },
      },
    });
    expect(
      loginBody({ method: 'application-credential', credential: { name: 'c', user }, secret: 's' }),
    ).toEqual({
      auth: {
        identity: {
          methods: ['application_credential'],
          application_credential: { name: 'c', user, secret: 's' },
        },
      },
    });
  });

  const token = (issued: string, expires: string) => ({
    status: 201,
    headers: { 'x-subject-token': 't' },
    text: JSON.stringify({
      token: { issued_at: issued, expires_at: expires, user: { name: 'u' }, catalog: [] },
    }),
  });

  it("renews before the end of a token's life, whatever the cloud's clock says", () => {
    const hour = readGrant(token('2020-01-01T00:00:00.000000Z', '2020-01-01T01:00:00.000000Z'), 1_000_000);
    expect(hour.renewAtMs).toBe(1_000_000 + 3_480_000);
    const short = readGrant(token('2020-01-01T00:00:00.000000Z', '2020-01-01T00:00:10.000000Z'), 1_000_000);
    expect(short.renewAtMs).toBe(1_000_000 + 9_000);
  });

  it.each<[string, unknown]>([
    ['without a type', { type: null, endpoints: [{ interface: 'public', url: 'http://x' }] }],
    ['without an address', { type: 'volumev3', endpoints: [{ interface: 'public', url: null }] }],
    ['without endpoints', { type: 'dns' }],
    ['whose endpoints are null', { type: 'dns', endpoints: null }],
    ['that is none', null],
  ])('takes a catalogue with an entry %s, which is none of ours', (_, odd) => {
    const own = {
      type: 'compute',
      endpoints: [{ interface: 'public', region_id: null, url: 'http://nova/v2.1' }],
    };
    const { text, ...answer } = token('2020-01-01T00:00:00Z', '2020-01-01T01:00:00Z');
    const grant = { token: { ...JSON.parse(text).token, catalog: [odd, own] } };
    const { catalogue } = readGrant({ ...answer, text: JSON.stringify(grant) }, 0);
    expect(endpointOf(catalogue, 'compute', { region: null, interface: 'public' })).toBe('http://nova/v2.1');
  });

  it('of our own service without a usable endpoint names that service', () => {
    const { text, ...answer } = token('2020-01-01T00:00:00Z', '2020-01-01T01:00:00Z');
    const catalog = [{ type: 'compute', endpoints: [{ interface: 'public', url: null }] }];
    const grant = { token: { ...JSON.parse(text).token, catalog } };
    const { catalogue } = readGrant({ ...answer, text: JSON.stringify(grant) }, 0);
    expect(() => endpointOf(catalogue, 'compute', { region: null, interface: 'public' })).toThrow(
      'no compute service',
    );
  });

  it('refuses a login without a token, and one that makes no sense', () => {
    expect(() => readGrant({ ...token('x', 'y'), headers: {} }, 0)).toThrow('without a token');
    expect(() => readGrant(token('2020-01-01T00:00:00Z', 'never'), 0)).toThrow(/token\.expires_at/);
  });
});

describe('negotiate', () => {
  it.each([
    ['2.1', '2.93', '2.87'],
    ['2.1', '2.87', '2.87'],
    ['2.1', '2.60', '2.60'],
    ['2.1', '2.53', '2.53'],
    ['2.60', '2.100', '2.87'],
  ])('%s to %s: %s', (min, max, best) => {
    expect(negotiate({ min, max }, computeRange, 'Nova')).toBe(best);
  });
  it.each([
    ['2.1', '2.52'],
    ['2.1', '2.9'],
    ['2.88', '2.95'],
  ])('%s to %s is not for us', (min, max) => {
    expect(() => negotiate({ min, max }, computeRange, 'Nova')).toThrow(
      `Nova speaks microversions ${min} to ${max}; Sonny needs 2.53 to 2.87`,
    );
  });
  it('takes 1.28 of Placement', () => {
    expect(negotiate({ min: '1.0', max: '1.39' }, placementRange, 'Placement')).toBe('1.28');
    expect(() => negotiate({ min: '1.0', max: '1.17' }, placementRange, 'Placement')).toThrow('needs 1.28');
  });
});

describe('movedAllocations', () => {
  const cpu = { resources: { VCPU: 1 } };
  const disk = { resources: { DISK_GB: 9 } };
  it.each([
    ['moves', { a: cpu, shared: disk }, { b: cpu, shared: disk }],
    [
      'keeps the target as it is',
      { a: cpu, b: { resources: { VCPU: 2 } } },
      { b: { resources: { VCPU: 2 } } },
    ],
    ['has nothing to do', { b: cpu }, null],
  ])('%s', (_, allocations, expected) => {
    expect(movedAllocations({ allocations }, 'a', 'b')).toEqual(expected);
  });
});
