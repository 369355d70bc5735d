// Name servers that take every question and answer none, in a network namespace of their own.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];

/** Opens their sockets, runs the command given after it, and never reads from them. */
const runner = `
const { createSocket } = require('node:dgram');
const { spawnSync } = require('node:child_process');
const [program, ...args] = process.argv.slice(1);
let left = ${addresses.length};
for (const address of ${JSON.stringify(addresses)})
  createSocket('udp4').bind(53, address, () => {
    left -= 1;
    if (left === 0) process.exit(spawnSync(program, args, { stdio: 'inherit' }).status ?? 1);
  });`;

/** `wrapper` runs a command there; `why`: what is missing on this machine, else null. `dir` takes a file. */
export function silentNameServers(dir: string): { readonly wrapper: string[]; readonly why: string | null } {
  const file = join(dir, 'resolv.conf');
  writeFileSync(file, addresses.map((address) => `nameserver ${address}\n`).join(''));
  const script = `ip link set lo up\nmount --bind ${file} /etc/resolv.conf\nexec "$@"`;
  const own = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const wrapper = ['unshare', '--net', '--mount', ...own, 'sh', '-ec', script, 'sh'];
  wrapper.push(process.execPath, '-e', runner);
  const [program = '', ...args] = wrapper;
  const probe = spawnSync(program, [...args, 'true'], { encoding: 'utf8' });
  return { wrapper, why: probe.status === 0 ? null : (probe.error?.message ?? probe.stderr.trim()) };
}
