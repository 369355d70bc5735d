// The clouds.yaml that leads an OpenStack client to a simulator.
import { stringify } from 'yaml';
import { applicationCredential } from './openstack-http/keystone.ts';
import type { Settings } from './openstack-http/options.ts';

/** How the client is to log in; both reach the same rights. */
export type LoginKind = 'password' | 'application-credential';

/** The file's text. */
export function cloudsYaml(settings: Settings, authUrl: string, login: LoginKind): string {
  const access =
    login === 'password'
      ? {
          auth: {
            auth_url: authUrl,
            username: settings.username,
            password: settings.password,
            project_name: settings.projects[0],
            user_domain_name: 'Default',
            project_domain_name: 'Default',
          },
        }
      : {
          auth_type: 'v3applicationcredential',
          auth: {
            auth_url: authUrl,
            application_credential_id: applicationCredential.id,
            application_credential_secret: applicationCredential.secret,
          },
        };
  const cloud = { ...access, region_name: 'RegionOne', identity_api_version: 3 };
  return stringify({ clouds: { [settings.cloud]: cloud } });
}
