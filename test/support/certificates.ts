// Throw-away certificates for TLS tests, made with the openssl program as Node cannot sign any.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Paths of PEM files. */
export interface Certificates {
  readonly ca: string;
  /** A CA that signed nothing here. */
  readonly otherCa: string;
  readonly server: { readonly cert: string; readonly key: string };
}

/** Makes a CA, a certificate of it for the names given as OpenSSL writes them ("DNS:localhost"), and a foreign CA. */
export function makeCertificates(dir: string, names: string): Certificates {
  mkdirSync(dir, { recursive: true });
  const files = {
    ca: join(dir, 'ca.pem'),
    otherCa: join(dir, 'other-ca.pem'),
    server: { cert: join(dir, 'server.pem'), key: join(dir, 'server.key') },
  };
  certificate(files.ca, join(dir, 'ca.key'));
  certificate(files.otherCa, join(dir, 'other-ca.key'));
  remakeServerCertificate(dir, names);
  return files;
}

/** Writes the server's files anew, for other names, by the same CA. */
export function remakeServerCertificate(dir: string, names: string): void {
  certificate(join(dir, 'server.pem'), join(dir, 'server.key'), [
    '-CA',
    join(dir, 'ca.pem'),
    '-CAkey',
    join(dir, 'ca.key'),
    '-addext',
    `subjectAltName=${names}`,
    '-addext',
    'basicConstraints=critical,CA:FALSE',
  ]);
}

function certificate(path: string, key: string, more: readonly string[] = []): void {
  const subject = `/CN=${basename(path, '.pem')}`;
  const kind = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'.split(' ');
  const args = [...kind, '-subj', subject, '-keyout', key, '-out', path, ...more];
  const result = spawnSync('openssl', args, { encoding: 'utf8' });
  if (result.error) throw new Error(`openssl (Debian package openssl): ${result.error.message}`);
  if (result.status !== 0) throw new Error(`openssl: ${result.stderr}`);
}
