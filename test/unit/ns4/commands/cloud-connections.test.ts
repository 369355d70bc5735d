// Where the catalogue leads the token.
import { expect, test } from 'vitest';
import { catalogueRemarks } from '../../../../src/ns4/commands/cloud-connections.ts';
import type { CloudCredentials } from '../../../../src/ns4/credentials/cloud-credentials.ts';
import type { CloudDescription } from '../../../../src/ns4/openstack/client.ts';

const at = 'https://keystone.example.org:5000/v3';
const own = 'https://keystone.example.org:8774/v2.1';
const remarks = (compute: string, change: Partial<CloudCredentials> = {}) =>
  catalogueRemarks(
    { authUrl: at, tls: { ca: null, verify: true }, ...change } as CloudCredentials,
    { endpoints: { compute, network: own, placement: null, identity: at } } as CloudDescription,
  );

test.each([
  ['where the login is', own, []],
  ['without TLS', 'http://keystone.example.org:8774', [/Nova at http:.*as plain text/]],
  ['elsewhere', 'https://nova.example.net', [/Nova at https:\/\/nova.example.net, another host/]],
])('an endpoint %s', (_, url, expected) => {
  const found = remarks(url);
  expect(found).toHaveLength(expected.length);
  for (const [i, pattern] of expected.entries()) expect(found[i]).toMatch(pattern);
});

test('an endpoint that clouds.yaml itself names is meant so', () => {
  const services = { compute: { override: 'https://nova.example.net', interface: null, region: null } };
  expect(remarks('https://nova.example.net', { services })).toEqual([]);
});
