// ns4's own client of the lab's Ceph, as the lab's users.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ceph } from '../../src/ns4/ceph/ceph.ts';
import type { CephAccess } from '../../src/ns4/ceph/protocol.ts';
import { systemClock } from '../../src/shared/ground/clock.ts';
import { createLog } from '../../src/shared/ground/log.ts';
import { maskOf } from '../../src/shared/masks/secrets.ts';
import { pathWithLabClient } from './ceph-lab.ts';

/** Its helper runs by the client of the lab's own release where SONNY_CEPH_CLIENT is "lab". */
export function cephClient(access: CephAccess): Ceph {
  const path = pathWithLabClient(mkdtempSync(join(tmpdir(), 'sonny-lab-client-')));
  if (path !== undefined) process.env.PATH = path;
  const log = createLog({ name: 'test', verbosity: 0, destination: process.stderr });
  return new Ceph(access, { log, clock: systemClock, mask: maskOf([]) });
}
