// The settings of [REDIS], with the files that they name: certificates, and the key that signs.
import { readSecretly } from './guarded-file.ts';
import { readKeyFile } from './key-file.ts';
import { sections } from './known-keys.ts';
import type { RedisSettings, RedisTls } from './settings.ts';
import type { SettingsReader } from './settings-reader.ts';

type Keys = ReturnType<typeof readKeys>;
const readKeys = (reader: SettingsReader) => reader.read(sections.redis);

/** `signs`: may this process have the key? sonny may not, and does not look for it. */
export function readRedis(
  reader: SettingsReader,
  signs: boolean,
  besideConfig: (text: string) => string,
): RedisSettings {
  const keys = readKeys(reader);
  const { port, password, username, db } = keys;
  const { sentinels, master, sentinelUsername, sentinelPassword, host } = keys;
  const server = {
    ...{ port, password, username, db },
    tls: readTls(reader, keys, besideConfig),
    signing: signs ? readSigning(reader, keys, besideConfig) : null,
  };
  if (sentinels === null) return { ...server, host: host ?? '', sentinels };
  for (const name of ['host', 'port'])
    if (reader.text('REDIS', name) !== null)
      reader.warn('REDIS', name, 'ignored, as the sentinels say where the master is');
  const login = { username: sentinelUsername, password: sentinelPassword };
  return { ...server, host: '', sentinels: { endpoints: sentinels, master: master ?? '', ...login } };
}

function readTls(
  reader: SettingsReader,
  { tls, ca, cert, key, serverName }: Keys,
  besideConfig: (text: string) => string,
): RedisTls | null {
  if (!tls) {
    // One that is meant and not spoken is worse than none.
    for (const [name, value] of Object.entries({ ca, cert, key, server_name: serverName }))
      if (value !== null) reader.wrong('REDIS', name, 'tls = true beside it');
    return null;
  }
  const pem = (name: string, path: string | null, what: string): string | null => {
    if (path === null) return null;
    const file = besideConfig(path);
    const found = readSecretly(file, (text) => name === 'key' || text.includes('PRIVATE KEY'), { pem: true });
    if ('text' in found && found.text.includes(`-----BEGIN `)) return found.text;
    const problem = 'text' in found ? 'holds no PEM' : found.problem;
    reader.wrong('REDIS', name, `a file with ${what} (${file}: ${problem})`);
    return null;
  };
  const shown = { cert: pem('cert', cert, 'a certificate'), key: pem('key', key, 'a private key') };
  return {
    ca: pem('ca', ca, "the CA's certificate"),
    client: shown.cert === null || shown.key === null ? null : { cert: shown.cert, key: shown.key },
    serverName,
  };
}

function readSigning(
  reader: SettingsReader,
  { keyFile, unsigned }: Keys,
  besideConfig: (text: string) => string,
): RedisSettings['signing'] {
  if (keyFile === null) return null;
  const path = besideConfig(keyFile);
  const found = readKeyFile(path);
  if ('keys' in found) return { keys: found.keys, unsigned };
  reader.wrong('REDIS', 'key_file', `a file that "ns4 --make-key FILE" made (${path}: ${found.problem})`);
  return null;
}
