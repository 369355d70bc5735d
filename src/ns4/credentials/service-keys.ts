// What clouds.yaml says of one service alone: another endpoint, interface or region than those of the cloud. Keys and
// meaning are those of openstacksdk: `compute_endpoint_override`, `compute_interface`, `compute_region_name`.
import { z } from 'zod';
import { quote } from '../../shared/config/keys/quote.ts';
import { expectedNot } from '../../shared/config/yaml-issues.ts';
import type { CloudCredentials, InterfaceName, ServiceChoice, ServiceName } from './cloud-credentials.ts';
import { type CloudKeys, text } from './cloud-keys.ts';

const names: readonly ServiceName[] = ['compute', 'network', 'placement', 'identity'];

/** One of the three interfaces, also as Keystone's version 2 wrote them. */
export const interfaceName: z.ZodType<InterfaceName> = text
  .transform((name) => name.replace(/URL$/, ''))
  .pipe(z.enum(['public', 'internal', 'admin'], expectedNot('public, internal or admin')));

const endpoint = text.transform((value, context) => {
  const url = URL.canParse(value) ? new URL(value) : null;
  const hidden = url !== null && (url.username !== '' || url.password !== '');
  if (url !== null && /^https?:$/.test(url.protocol) && !hidden && url.search === '' && url.hash === '')
    return value;
  context.addIssue(
    `found ${hidden ? 'a value not shown here' : quote(value)}, expected the URL of the service, without a user`,
  );
  return z.NEVER;
});

/** What is set for single services; services without any such key are left out. */
export function readServices(keys: CloudKeys): NonNullable<CloudCredentials['services']> {
  const found: Partial<Record<ServiceName, ServiceChoice>> = {};
  for (const service of names) {
    const override = keys.read([`${service}_endpoint_override`], endpoint)?.made ?? null;
    const own = keys.read([`${service}_interface`, `${service}_endpoint_type`], interfaceName)?.made ?? null;
    const region = keys.read([`${service}_region_name`], text)?.made ?? null;
    if (override !== null || own !== null || region !== null)
      found[service] = { override, interface: own, region };
  }
  return found;
}
