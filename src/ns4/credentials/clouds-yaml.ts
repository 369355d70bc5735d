// Makes the credentials of one cloud from its part of clouds.yaml and secure.yaml, by the rules of openstacksdk. All
// mistakes are reported at once; a secret is never part of a message.
import { resolve } from 'node:path';
import { z } from 'zod';
import { readGuarded } from '../../shared/config/guarded-file.ts';
import { quote } from '../../shared/config/keys/quote.ts';
import { parseTruth } from '../../shared/config/keys/truth.ts';
import { expected, expectedNot } from '../../shared/config/yaml-issues.ts';
import { withoutEnd } from '../../shared/ground/trimmed.ts';
import type { CloudCredentials, DomainReference, ScopedReference } from './cloud-credentials.ts';
import { CloudKeys, text } from './cloud-keys.ts';
import { type CloudLookup, readCloud } from './clouds-file.ts';
import { interfaceName, readServices } from './service-keys.ts';

type Login = CloudCredentials['login'];

const keystone = "Keystone's URL, such as https://keystone.example.org:5000/v3";

const truth = text
  .refine((value) => parseTruth(value) !== null, expectedNot('true or false'))
  .transform((value) => parseTruth(value) === true);
const regionName = z.string().min(1);
const region = z.union(
  [
    regionName.transform((name) => ({ name, values: undefined })),
    z.object({ name: regionName, values: z.record(z.string(), z.unknown()).optional() }),
  ],
  expected('a list of names'),
);
const regionList = z.preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(region));

/** Keystone's endpoint, ending in /v3 whichever way the file has it. */
const keystoneUrl = text.transform((value, context) => {
  const url = URL.canParse(value) ? new URL(value) : null;
  const path = withoutEnd(url?.pathname ?? '', '/');
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '')
    context.addIssue(`found ${quote(value)}, expected ${keystone}`);
  else if (url.username !== '' || url.password !== '')
    context.addIssue(`found a value not shown here, expected ${keystone}, without a user`);
  else if (/\/v2(\.\d{1,9})?$/.test(path))
    context.addIssue(`found ${quote(value)}, expected version 3 of Keystone's API: ${keystone}`);
  else return `${url.origin}${path.endsWith('/v3') ? path : `${path}/v3`}`;
  return z.NEVER;
});

/** The text of a PEM file; `what` it is expected to be, how it begins, and whether it is a secret. */
const pemFile = (
  { cwd, home, secrets }: CloudLookup,
  what: string,
  begin: RegExp,
  secret: 'refuse' | 'none' = 'none',
) =>
  text.transform((value, context) => {
    const path = resolve(cwd, value.replace(/^~(?=\/|$)/, home));
    const read = readGuarded(path, { secret, pem: true });
    const found = `found ${quote(value)}, expected ${what}`;
    if ('text' in read && read.text.includes('PRIVATE KEY')) secrets?.learn([read.text]);
    if ('problem' in read) context.addIssue(`${found} (${path}: ${read.problem})`);
    // A key or an empty file here would make every request fail much later, and less clearly.
    else if (!begin.test(read.text)) context.addIssue(`${found} in PEM (${path} holds none)`);
    else return read.text;
    return z.NEVER;
  });

const certificate = /-----BEGIN (TRUSTED )?CERTIFICATE-----/;
const certificates = (lookup: CloudLookup) => pemFile(lookup, 'a file of CA certificates', certificate);

/**
 * The credentials of the cloud of that name. Throws UsageError with every mistake there is, each one line with file,
 * cloud, key, what was found and what was expected.
 */
export function loadCloud(request: CloudLookup & { readonly cloud: string }): CloudCredentials {
  const part = readCloud(request.cloud, request);
  const keys = new CloudKeys(part);
  const region = readRegion(keys);
  const authUrl = readAuthUrl(keys);
  const login = readLogin(keys);
  const { cloud, file } = part;
  const readable = {
    cloud,
    file,
    region,
    interface: keys.read(['interface', 'endpoint_type'], interfaceName)?.made ?? 'public',
    services: readServices(keys),
    tls: readTls(keys, request),
  };
  keys.throwMistakes();
  // What is not there was said.
  if (authUrl === null || login === null) throw new Error(`${file}: no login was read`);
  return { ...readable, authUrl, login };
}

function readAuthUrl(keys: CloudKeys): string | null {
  const url = keys.read(['auth_url'], keystoneUrl);
  if (url !== null || keys.complained('auth_url')) return url?.made ?? null;
  const profile = keys.read(['profile', 'cloud'], text);
  return profile === null
    ? keys.missing('auth.auth_url', keystone)
    : keys.wrong(profile, `auth_url below auth, as vendor profiles are not supported: ${keystone}`);
}

function readLogin(keys: CloudKeys): Login | null {
  const type = keys.read(['auth_type', 'auth_plugin'], text);
  if (type?.made === 'v3applicationcredential') return readApplicationCredential(keys);
  if (type !== null && type.made !== 'password' && type.made !== 'v3password')
    return keys.wrong(type, 'password, v3password or v3applicationcredential');
  const credential = keys.read(['application_credential_id', 'application_credential_name'], text);
  const password = keys.text('password');
  if (credential !== null && password === null)
    return keys.missing('auth_type', `v3applicationcredential, as ${credential.label} is set`);
  const user = readUser(keys);
  if (password === null) keys.missing('auth.password', "the user's password, here or in secure.yaml");
  const project = readScoped(keys, 'project', ['project_id', 'tenant_id'], ['project_name', 'tenant_name']);
  return user && password && project ? { method: 'password', user, password, project } : null;
}

function readApplicationCredential(keys: CloudKeys): Login | null {
  const id = keys.text('application_credential_id');
  const name = keys.text('application_credential_name');
  const secret =
    keys.text('application_credential_secret') ??
    keys.missing('auth.application_credential_secret', "the credential's secret, here or in secure.yaml");
  const method = 'application-credential';
  if (id !== null) return secret === null ? null : { method, credential: { id }, secret };
  if (name === null)
    return keys.missing(
      'auth.application_credential_id',
      'the id of the credential, or application_credential_name with its user',
    );
  const user = readUser(keys);
  return user && secret ? { method, credential: { name, user }, secret } : null;
}

const readUser = (keys: CloudKeys): ScopedReference | null =>
  readScoped(keys, 'user', ['user_id'], ['username', 'user_name']);

function readScoped(
  keys: CloudKeys,
  what: 'user' | 'project',
  ids: readonly string[],
  names: readonly string[],
): ScopedReference | null {
  const id = keys.text(...ids);
  if (id !== null) return { id };
  const name = keys.text(...names);
  if (name === null)
    return keys.missing(
      `auth.${names[0]}`,
      `the ${what}'s name with ${what}_domain_name (or ${what}_domain_id), or ${ids[0]}`,
    );
  const domain = readDomain(keys, what);
  return domain === null
    ? keys.missing(`auth.${what}_domain_name`, `the domain of ${what} "${name}", or ${what}_domain_id`)
    : { name, domain };
}

function readDomain(keys: CloudKeys, what: 'user' | 'project'): DomainReference | null {
  // A domain given once, without saying whose, stands for both.
  for (const prefix of [`${what}_`, '', 'default_']) {
    const id = keys.text(`${prefix}domain_id`);
    if (id !== null) return { id };
    const name = keys.text(`${prefix}domain_name`);
    if (name !== null) return { name };
  }
  return null;
}

function readRegion(keys: CloudKeys): string | null {
  const list = keys.read(['regions'], regionList);
  const names = list?.made.map(({ name }) => name) ?? [];
  const wanted = keys.read(['region_name'], text);
  if (wanted !== null && (wanted.made.includes(',') || (names.length > 0 && !names.includes(wanted.made))))
    return keys.wrong(wanted, names.length > 0 ? `one of ${names.join(', ')}` : 'the name of one region');
  // Other clients take the first of several; which of them is to be watched must be said here.
  if (wanted === null && names.length > 1)
    return keys.missing('region_name', `one of the regions: ${names.join(', ')}`);
  const index = wanted === null ? 0 : names.indexOf(wanted.made);
  const values = list?.made[index]?.values;
  if (list && values !== undefined) keys.apply(values, [...list.path, index, 'values']);
  return wanted?.made ?? names[index] ?? null;
}

/** As requests has it, `verify` may also be the file of CA certificates; `cacert` counts before it. */
function readTls(keys: CloudKeys, lookup: CloudLookup): CloudCredentials['tls'] {
  const verify = readVerify(keys, lookup);
  const ca =
    keys.read(['cacert'], certificates(lookup))?.made ?? (typeof verify === 'string' ? verify : null);
  const cert = keys.read(['cert'], pemFile(lookup, 'a file with our certificate', certificate));
  const keyFile = pemFile(
    lookup,
    'a file with the key of our certificate',
    /-----BEGIN (?:RSA |EC |DSA |ENCRYPTED )?PRIVATE KEY-----/,
    'refuse',
  );
  const key = keys.read(['key'], keyFile);
  if (key !== null && cert === null) keys.missing('cert', 'the certificate that key belongs to');
  // Without a file of its own the key is expected beside the certificate.
  const own = cert === null ? {} : { client: { cert: cert.made, key: key?.made ?? cert.made } };
  return { ca, verify: verify !== false, ...own };
}

/** Whether certificates are checked; a text: against these. */
function readVerify(keys: CloudKeys, lookup: CloudLookup): boolean | string {
  const found = keys.read(['verify'], z.unknown())?.value;
  const isPath = typeof found === 'string' && found.includes('/');
  const verify = isPath
    ? keys.read(['verify'], certificates(lookup))?.made
    : keys.read(['verify'], truth)?.made;
  const insecure = keys.read(['insecure'], truth);
  if (insecure?.made === true && verify !== undefined && verify !== false)
    keys.wrong(insecure, 'false, as verify is true: they contradict each other');
  return insecure?.made === true ? false : (verify ?? true);
}
