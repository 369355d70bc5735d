// How safe the connections to OpenStack are, and where its catalogue leads the token. Pure.
import { type Connection, connectionTo } from '../../shared/process/connection-safety.ts';
import type { CloudCredentials } from '../credentials/cloud-credentials.ts';
import type { CloudDescription } from '../openstack/client.ts';

/** The connection of the login, which clouds.yaml alone describes. */
export const loginConnection = ({ authUrl, tls }: CloudCredentials): Connection =>
  connectionTo('Keystone', authUrl, tls.verify);

/** All connections to a cloud that was reached. */
export function cloudConnections(credentials: CloudCredentials, found: CloudDescription): Connection[] {
  const { compute, network, placement, identity } = found.endpoints;
  const services = {
    Nova: compute,
    Neutron: network,
    Placement: placement,
    'Keystone (catalogue)': identity,
  };
  return [
    loginConnection(credentials),
    ...Object.entries(services).flatMap(([what, url]) =>
      url === null ? [] : connectionTo(what, url, credentials.tls.verify),
    ),
  ];
}

/**
 * What is odd about where the catalogue leads: each service gets the token, so one on another host, or without the TLS
 * of the login, is remarked. Endpoints that clouds.yaml itself names are meant so.
 */
export function catalogueRemarks(credentials: CloudCredentials, found: CloudDescription): string[] {
  const login = new URL(credentials.authUrl);
  const names = {
    compute: 'Nova',
    network: 'Neutron',
    placement: 'Placement',
    identity: 'Keystone',
  } as const;
  return (Object.keys(names) as (keyof typeof names)[]).flatMap((service) => {
    const url = found.endpoints[service];
    if (url === null || credentials.services?.[service]?.override) return [];
    const { protocol, hostname, origin } = new URL(url);
    const what = `the catalogue has ${names[service]} at ${origin}`;
    if (protocol === 'http:' && login.protocol === 'https:')
      return [`${what}, without the TLS of the login: the token goes there as plain text`];
    return hostname === login.hostname
      ? []
      : [`${what}, another host than Keystone's (${login.hostname}), which gets the token`];
  });
}
