// Makes the credentials of one cloud from its part of clouds.yaml and secure.yaml, by the rules of openstacksdk. All
// mistakes are reported at once; a secret is never part of a message.
import { resolve } from 'node:path';
import { readText } from '../../shared/config/read-text.ts';
import { UsageError } from '../../shared/ground/errors.ts';
import type {
  ApplicationCredentialLogin,
  CloudCredentials,
  DomainReference,
  PasswordLogin,
  ScopedReference,
} from './cloud-credentials.ts';
import { CloudKeys } from './cloud-keys.ts';
import { type CloudLookup, readCloudNode } from './clouds-file.ts';

/**
 * The credentials of the cloud of that name. Throws UsageError with every mistake there is, each one line with file,
 * cloud, key, what was found and what was expected.
 */
export function loadCloud(request: CloudLookup & { readonly cloud: string }): CloudCredentials {
  const { cloud } = request;
  const { file, node } = readCloudNode(cloud, request);
  const keys = new CloudKeys(cloud, file, node);
  const region = readRegion(keys);
  const authUrl = readAuthUrl(keys);
  const login = readLogin(keys);
  const readable = {
    cloud,
    file,
    region,
    interface: readInterface(keys),
    tls: { ca: readCa(keys, request), verify: readVerify(keys) },
  };
  if (keys.mistakes.length > 0 || authUrl === null || login === null) throw new UsageError(keys.mistakes);
  return { ...readable, authUrl, login };
}

function readAuthUrl(keys: CloudKeys): string | null {
  const expected = "Keystone's URL, such as https://keystone.example.org:5000/v3";
  const found = keys.find('auth_url');
  if (found === null) {
    const profile = keys.find('profile') ?? keys.find('cloud');
    return profile === null
      ? keys.missing('auth.auth_url', expected)
      : keys.wrong(profile, `auth_url below auth, as vendor profiles are not supported: ${expected}`);
  }
  const url = URL.canParse(found.text) ? new URL(found.text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '')
    return keys.wrong(found, expected);
  if (url.username !== '' || url.password !== '')
    return keys.wrongSecret(found, `${expected}, without a user`);
  const path = url.pathname.replace(/\/+$/, '');
  if (/\/v2(\.\d+)?$/.test(path)) return keys.wrong(found, `version 3 of Keystone's API: ${expected}`);
  return `${url.origin}${path.endsWith('/v3') ? path : `${path}/v3`}`;
}

function readLogin(keys: CloudKeys): PasswordLogin | ApplicationCredentialLogin | null {
  const type = keys.find('auth_type') ?? keys.find('auth_plugin');
  if (type?.text === 'v3applicationcredential') return readApplicationCredential(keys);
  if (type !== null && type.text !== 'password' && type.text !== 'v3password')
    return keys.wrong(type, 'password, v3password or v3applicationcredential');
  const credential = keys.find('application_credential_id') ?? keys.find('application_credential_name');
  if (credential !== null && keys.find('password') === null)
    return keys.missing('auth_type', `v3applicationcredential, as ${credential.label} is set`);
  const user = readUser(keys);
  const password = keys.secret('password', "the user's password, here or in secure.yaml");
  const project = readScoped(keys, 'project', ['project_id', 'tenant_id'], ['project_name', 'tenant_name']);
  return user && password && project ? { method: 'password', user, password, project } : null;
}

function readApplicationCredential(keys: CloudKeys): ApplicationCredentialLogin | null {
  const id = keys.find('application_credential_id');
  const name = keys.find('application_credential_name');
  const secret = keys.secret(
    'application_credential_secret',
    "the credential's secret, here or in secure.yaml",
  );
  if (id !== null)
    return secret === null ? null : { method: 'application-credential', credential: { id: id.text }, secret };
  if (name === null)
    return keys.missing(
      'auth.application_credential_id',
      'the id of the credential, or application_credential_name with its user',
    );
  const user = readUser(keys);
  return user && secret
    ? { method: 'application-credential', credential: { name: name.text, user }, secret }
    : null;
}

const readUser = (keys: CloudKeys): ScopedReference | null =>
  readScoped(keys, 'user', ['user_id'], ['username', 'user_name']);

function readScoped(
  keys: CloudKeys,
  what: 'user' | 'project',
  ids: readonly string[],
  names: readonly string[],
): ScopedReference | null {
  const id = keys.findFirst(ids);
  if (id !== null) return { id: id.text };
  const name = keys.findFirst(names);
  if (name === null)
    return keys.missing(
      `auth.${names[0]}`,
      `the ${what}'s name with ${what}_domain_name (or ${what}_domain_id), or ${ids[0]}`,
    );
  const domain = readDomain(keys, what);
  return domain === null
    ? keys.missing(`auth.${what}_domain_name`, `the domain of ${what} "${name.text}", or ${what}_domain_id`)
    : { name: name.text, domain };
}

function readDomain(keys: CloudKeys, what: 'user' | 'project'): DomainReference | null {
  // A domain given once, without saying whose, stands for both.
  for (const prefix of [`${what}_`, '', 'default_']) {
    const id = keys.find(`${prefix}domain_id`);
    if (id !== null) return { id: id.text };
    const name = keys.find(`${prefix}domain_name`);
    if (name !== null) return { name: name.text };
  }
  return null;
}

function readRegion(keys: CloudKeys): string | null {
  const regions = keys.regions();
  const names = regions.map((region) => region.name);
  const wanted = keys.find('region_name');
  if (wanted !== null && (wanted.text.includes(',') || (names.length > 0 && !names.includes(wanted.text))))
    return keys.wrong(wanted, names.length > 0 ? `one of ${names.join(', ')}` : 'the name of one region');
  // Other clients take the first of several; which of them is to be watched must be said here.
  if (wanted === null && names.length > 1)
    return keys.missing('region_name', `one of the regions: ${names.join(', ')}`);
  const region = wanted === null ? regions[0] : regions.find(({ name }) => name === wanted.text);
  if (region?.values) keys.apply(region.values);
  return wanted?.text ?? region?.name ?? null;
}

function readInterface(keys: CloudKeys): CloudCredentials['interface'] {
  const found = keys.findFirst(['interface', 'endpoint_type']);
  const name = found?.text.replace(/URL$/, '') ?? 'public';
  if (name === 'public' || name === 'internal' || name === 'admin') return name;
  if (found !== null) keys.wrong(found, 'public, internal or admin');
  return 'public';
}

function readVerify(keys: CloudKeys): boolean {
  const verify = keys.boolean('verify');
  const insecure = keys.boolean('insecure');
  if (verify?.value === true && insecure?.value === true)
    keys.wrong(insecure.found, 'false, as verify is true: they contradict each other');
  return verify?.value !== false && insecure?.value !== true;
}

function readCa(keys: CloudKeys, { cwd, home }: CloudLookup): string | null {
  const found = keys.find('cacert');
  if (found === null) return null;
  const path = resolve(cwd, found.text.replace(/^~(?=\/|$)/, home));
  const read = readText(path);
  if ('problem' in read) return keys.wrong(found, `a file of CA certificates (${path}: ${read.problem})`);
  // A key or an empty file here would make every request fail much later, and less clearly.
  return /-----BEGIN (TRUSTED )?CERTIFICATE-----/.test(read.text)
    ? read.text
    : keys.wrong(found, `a file of CA certificates in PEM (${path} holds none)`);
}
