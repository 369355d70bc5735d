// Where the services are: Keystone's catalogue, and which of its endpoints is ours. Pure.
import { z } from 'zod';
import { withoutEnd } from '../../shared/ground/trimmed.ts';
import { sensible } from '../cloud/outside.ts';
import type { ServiceChoice, ServiceName } from '../credentials/cloud-credentials.ts';
import { CloudConfigurationError } from './configuration-error.ts';

/** Entries and endpoints that make no sense are left out: one that is needed is missed by its name then. */
export const catalogueSchema = sensible(
  z.object({
    type: z.string().max(255),
    endpoints: sensible(
      z.object({
        interface: z.string().max(255),
        url: z.string().max(2_000),
        region: z.string().max(255).nullish(),
        region_id: z.string().max(255).nullish(),
      }),
    ),
  }),
);
export type Catalogue = z.infer<typeof catalogueSchema>;

/** Names people know the services by, for messages. */
export const serviceTitles: Readonly<Record<ServiceName, string>> = {
  compute: 'Nova',
  network: 'Neutron',
  placement: 'Placement',
  identity: 'Keystone',
};

/** Types a service may be listed under, best first: the official one, and those of clouds that grew old. */
const typesOf: Readonly<Record<ServiceName, readonly string[]>> = {
  compute: ['compute', 'computev21', 'nova'],
  network: ['network', 'neutron'],
  placement: ['placement'],
  identity: ['identity', 'identityv3', 'keystone'],
};

interface EndpointChoice {
  readonly region: string | null;
  readonly interface: string;
  /** Services of which something else holds. */
  readonly services?: Readonly<Partial<Record<ServiceName, ServiceChoice>>>;
}

/**
 * The base URL of a service, without a slash at its end and with the API version that its paths stand below.
 * @throws CloudError (not-done) when the catalogue has none, or has it in several regions and none was chosen: Nova of
 * one region and Neutron of another would make a picture of a cloud that does not exist.
 */
export function endpointOf(catalogue: Catalogue, service: ServiceName, whole: EndpointChoice): string {
  const own = whole.services?.[service];
  if (own?.override) return versioned(service, own.override);
  const choice = { region: own?.region ?? whole.region, interface: own?.interface ?? whole.interface };
  const listed = typesOf[service]
    .map((type) => catalogue.filter((entry) => entry.type === type).flatMap((entry) => entry.endpoints))
    .find((endpoints) => endpoints.length > 0);
  if (!listed) throw missing(`has no ${service} service (${serviceTitles[service]})`);
  const onInterface = listed.filter((e) => e.interface.replace(/URL$/, '') === choice.interface);
  if (onInterface.length === 0) throw missing(`has no ${choice.interface} endpoint of ${service}`);
  const regionOf = (e: (typeof listed)[number]): string => e.region_id ?? e.region ?? '';
  const regions = [...new Set(onInterface.map(regionOf))].sort();
  const ours =
    choice.region === null ? onInterface : onInterface.filter((e) => regionOf(e) === choice.region);
  if (ours.length === 0) {
    throw missing(`has ${service} in ${regions.join(', ')}, but not in region ${choice.region}`);
  }
  if (choice.region === null && regions.length > 1) {
    throw missing(
      `has ${service} in several regions (${regions.join(', ')}): set region_name in clouds.yaml`,
    );
  }
  return versioned(service, ours[0]?.url ?? '');
}

/** Keystone's v3 root for an auth_url written with or without its version. */
export function identityRoot(authUrl: string): string {
  return versioned('identity', authUrl);
}

function versioned(service: ServiceName, url: string): string {
  const bare = withoutEnd(url, '/');
  if (!URL.canParse(bare)) throw missing(`has an unusable address for ${service}`);
  if (service === 'identity') return `${bare.replace(/\/v(2\.0|3)$/, '')}/v3`;
  if (service === 'network') return /\/v2\.0$/.test(bare) ? bare : `${bare}/v2.0`;
  return bare;
}

function missing(what: string): CloudConfigurationError {
  return new CloudConfigurationError(`the catalogue ${what}`, null);
}
