// Does clouds.yaml lead into the cloud? A login that Keystone refuses, or a region its catalogue does not know, is a
// mistake of configuration (exit code 2); a cloud that is away is not: ns4 starts and waits for it.

import { errorText, UsageError } from '../../shared/ground/errors.ts';
import type { Log } from '../../shared/ground/log.ts';
import type { CloudCredentials } from '../credentials/cloud-credentials.ts';
import type { CloudClient, CloudDescription } from '../openstack/client.ts';
import { CloudConfigurationError } from '../openstack/configuration-error.ts';
import { catalogueRemarks } from './cloud-connections.ts';

/** Logs in and describes the cloud; UsageError in one line when clouds.yaml is what is wrong. */
export async function describeCloud(
  cloud: CloudClient,
  credentials: CloudCredentials,
  signal: AbortSignal,
): Promise<CloudDescription> {
  try {
    return await cloud.describe(signal);
  } catch (error) {
    if (!(error instanceof CloudConfigurationError)) throw error;
    const { file, cloud: name, authUrl, login } = credentials;
    const refused = error.status === 401;
    const key = refused ? 'auth' : 'region_name, interface';
    const found = refused
      ? login.method === 'password'
        ? 'a user, password and project'
        : 'an application credential'
      : `${credentials.region ?? 'no region'}, ${credentials.interface}`;
    const expected = refused ? 'those of a user it knows' : 'a region and interface of its catalogue';
    throw new UsageError([
      `${file}: cloud "${name}": ${key}: found ${found} that Keystone at ${authUrl} refuses (${error.message}), expected ${expected}`,
    ]);
  }
}

/** Before ns4 goes to work: throws UsageError when clouds.yaml is wrong, and only tells when the cloud is away. */
export async function proveLogin(
  cloud: CloudClient,
  credentials: CloudCredentials,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  try {
    const found = await describeCloud(cloud, credentials, signal);
    log.info({ nova: found.computeMicroversion }, `logged in to ${found.cloud} as ${found.user}`);
    for (const remark of catalogueRemarks(credentials, found)) log.warn(remark);
  } catch (error) {
    if (error instanceof UsageError || signal.aborted) throw error;
    log.warn({ error: errorText(error) }, `${credentials.cloud} is away; ns4 starts all the same`);
  }
}
