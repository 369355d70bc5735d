// The tool that raises and breaks a real Ceph on loopback, as far as tests use it.
import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { CephAccess } from '../../src/ns4/ceph/protocol.ts';

const run = promisify(execFile);

/** Its path; undefined: there is none, and what needs it is skipped. */
export const cephLab = process.env.SONNY_CEPH_LAB;

/** Runs one of its verbs to the end; resolves with what it printed, rejects with that when it failed. */
export async function lab(...args: readonly string[]): Promise<string> {
  if (cephLab === undefined) throw new Error('SONNY_CEPH_LAB is not set');
  return (await run(cephLab, args, { cwd: '/' })).stdout;
}

const envSchema = z.object({
  conf: z.string(),
  pools: z.array(z.string()),
  users: z.record(z.string(), z.object({ keyring: z.string() })),
});

/** How to reach it as one of its users. */
export async function labAccess(user = 'client.sonny'): Promise<CephAccess> {
  const { conf, users } = envSchema.parse(JSON.parse(await lab('env')));
  return { conf, user, keyring: users[user]?.keyring ?? null, pools: ['vms', 'volumes'] };
}

/** A user with these caps, which is made or changed: how to reach the lab as him. `dir`: for his keyring. */
export async function labUser(user: string, mon: string, osd: string, dir: string): Promise<CephAccess> {
  const keyring = join(dir, `${user}.keyring`);
  await lab('ceph', 'auth', 'get-or-create', user);
  await lab('ceph', 'auth', 'caps', user, 'mon', mon, 'osd', osd);
  writeFileSync(keyring, await lab('ceph', 'auth', 'get', user), { mode: 0o600 });
  return { ...(await labAccess()), user, keyring };
}

/** The writers of these names are ended, thawed before if need be; what is cut is mended, what hangs goes on. */
export async function labAtPeace(names: readonly string[], addresses: readonly string[]): Promise<void> {
  for (const daemon of [...['0', '1', '2'].map((osd) => ['osd', osd]), ['mon', 'a']])
    await lab(daemon[0] as string, 'thaw', daemon[1] as string);
  for (const name of names) await lab('guest', 'kill', name).catch(() => undefined);
  for (const address of addresses) await lab('mend', address);
}

/** Where the lab's Ceph is: what a program needs of the environment to reach it by way of the lab. */
const labEnv = ['CEPH_STATE', 'CEPH_NET', 'CLOUD_ROOTS'].flatMap((name) => {
  const value = process.env[name];
  return value === undefined ? [] : [`${name}=${value}`];
});

/**
 * A PATH with a python3 that runs ns4's helper by the lab, and so by the client of the lab's own release: that of this
 * machine may be too old for it. Undefined unless SONNY_CEPH_CLIENT is "lab". `dir`: below /tmp, of whoever asks.
 */
export function pathWithLabClient(dir: string): string | undefined {
  if (process.env.SONNY_CEPH_CLIENT !== 'lab') return undefined;
  cpSync(resolve('src/ns4/ceph/helper'), join(dir, 'helper'), { recursive: true });
  const helper = `/usr/bin/python3 -I -B ${join(dir, 'helper', 'main.py')}`;
  const script = `#!/bin/sh
case "$*" in *ceph/helper/main.py) exec /usr/bin/env ${labEnv.join(' ')} ${cephLab} on 127.0.61.40 ${helper};; esac
exec /usr/bin/python3 "$@"
`;
  mkdirSync(join(dir, 'bin'));
  writeFileSync(join(dir, 'bin', 'python3'), script, { mode: 0o755 });
  return `${join(dir, 'bin')}:${process.env.PATH ?? ''}`;
}

const opensMany = `
import rados, rbd, sys
conf, keyring, count = sys.argv[1:]
cluster = rados.Rados(conffile=conf, name='client.nova', conf={'keyring': keyring})
cluster.connect()
io = cluster.open_ioctx('vms')
images = []
for number in range(int(count)):
    name = 'many-%d_disk' % number
    try: rbd.RBD().create(io, name, 1 << 22, old_format=False, features=61)
    except rbd.ImageExists: pass
    images.append(rbd.Image(io, name))
    images[-1].write(b'x', 0)
print('open', flush=True)
sys.stdin.read()
`;

const opensOne = `
import rados, rbd, sys
conf, keyring, name = sys.argv[1:]
cluster = rados.Rados(conffile=conf, name='client.nova', conf={'keyring': keyring})
cluster.connect()
image = rbd.Image(cluster.open_ioctx('vms'), name)
print('open', flush=True)
sys.stdin.read()
`;

/** One process at an address that has images open, until it is told to close them. */
interface Opener {
  close(): Promise<void>;
  /** With -9. */
  kill(): void;
}

async function opener(address: string, program: string, argument: string): Promise<Opener> {
  const { conf } = await labAccess();
  const { keyring } = await labAccess('client.nova');
  const args = ['on', address, '/usr/bin/python3', '-c', program, conf ?? '', keyring ?? '', argument];
  const child = spawn(cephLab ?? '', args, { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/' });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('error', reject);
    child.once('close', () => reject(new Error('the images could not be opened')));
  });
  return {
    close: () => {
      child.stdin.end();
      return ended;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

/** Opens one image of pool vms for writing, and neither locks it nor writes. */
export const openImage = (address: string, name: string): Promise<Opener> => opener(address, opensOne, name);

/** Opens (and locks) so many images, which it makes. */
export async function openMany(address: string, count: number): Promise<Opener & { images: string[] }> {
  const open = await opener(address, opensMany, String(count));
  return { ...open, images: Array.from({ length: count }, (_, number) => `vms/many-${number}_disk`) };
}
