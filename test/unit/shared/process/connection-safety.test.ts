// What is said of each connection, and what is warned of.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ProcessName } from '../../../../src/shared/config/keys/key.ts';
import { loadSettings } from '../../../../src/shared/config/load.ts';
import {
  connectionsOf,
  connectionTo,
  insistOnCertificates,
  safetyText,
  safetyWarning,
} from '../../../../src/shared/process/connection-safety.ts';

describe('a connection', () => {
  it.each([
    ['https://keystone.example.org:5000/v3', true, 'TLS verified', null],
    ['https://keystone.example.org:5000/v3', false, 'TLS unverified', /without a check of the certificate/],
    ['http://keystone.example.org:5000/v3', true, 'plain', /is plain/],
    ['http://127.0.0.1:5000', true, 'plain, on this machine', null],
    ['http://localhost:5000', true, 'plain, on this machine', null],
    ['http://[::1]:5000', true, 'plain, on this machine', null],
    ['https://127.0.0.1:5000', false, 'TLS unverified, on this machine', null],
    ['http://127.0.0.1.example.org', true, 'plain', /is plain/],
  ])('%s, verified: %s', (url, verify, text, warning) => {
    const connection = connectionTo('Keystone', url, verify);
    expect(safetyText(connection)).toBe(`Keystone at ${new URL(url).origin}: ${text}`);
    if (warning === null) expect(safetyWarning(connection)).toBeNull();
    else expect(safetyWarning(connection)).toMatch(warning);
  });

  it('to the dead man is one of the monitor, told without the path that makes it a secret', () => {
    const dir = mkdtempSync(join(tmpdir(), 'sonny-connections-'));
    const text =
      '[REDIS]\nhost = 127.0.0.1\n[OPENSTACK]\ncloud = prod\n[ALARM]\ndead_man_url = http://watch.example.org/ping/s3cret\n';
    try {
      writeFileSync(join(dir, 'config.ini'), text, { mode: 0o600 });
      const told = (process: ProcessName) => {
        const { settings } = loadSettings({ process, file: undefined, cwd: dir, home: dir });
        return connectionsOf(process, settings).flatMap((connection) => safetyWarning(connection) ?? []);
      };
      expect(told('monitor')).toEqual([
        expect.stringMatching(/^dead man at http:\/\/watch.example.org is plain/),
      ]);
      expect(told('sonny')).toEqual([]);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('is checked whatever the environment says', () => {
    const env: NodeJS.ProcessEnv = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };
    expect(insistOnCertificates(env)).toContain('is not obeyed');
    expect(env).toEqual({});
    expect(insistOnCertificates(env)).toBeNull();
  });
});
