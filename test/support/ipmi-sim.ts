// A BMC that speaks IPMI over LAN: Debian's ipmi_sim (package openipmi) on a port of its own, with the power of a
// pretend machine behind it.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DeviceLevel } from '../../src/ns4/fencing/plan.ts';
import { freePort } from './redis.ts';

export const bmcPassword = 'a-bmc-secret';

export class IpmiSim {
  readonly port: number;
  readonly #dir: string;
  #child: ChildProcess | null = null;

  private constructor(dir: string, port: number) {
    this.#dir = dir;
    this.port = port;
  }

  /** Its files are made in `dir`, which is its own. The machine is on. */
  static async start(dir: string): Promise<IpmiSim> {
    mkdirSync(join(dir, 'state'), { recursive: true });
    const sim = new IpmiSim(dir, await freePort());
    writeFileSync(join(dir, 'lan.conf'), lan(sim.port, join(dir, 'chassis')));
    writeFileSync(join(dir, 'sim.emu'), emulation);
    writeFileSync(join(dir, 'chassis'), chassis(dir), { mode: 0o755 });
    sim.power('on');
    await sim.start();
    return sim;
  }

  /** The BMC has power (again). */
  async start(): Promise<void> {
    const files = ['-c', 'lan.conf', '-f', 'sim.emu', '-s', 'state'];
    // setpriv: it must not outlive a test run that was killed.
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', 'ipmi_sim', ...files, '-n'], {
      cwd: this.#dir,
      stdio: 'ignore',
    });
    this.#child = child;
    let failed: Error | null = null;
    child.once('error', (error) => {
      failed = error;
    });
    for (let attempt = 0; attempt < 200; attempt += 1) {
      if (failed !== null || child.exitCode !== null)
        throw new Error(`ipmi_sim (Debian package openipmi) ended with ${child.exitCode}: ${failed}`);
      // UDP, so nobody can connect to see; the kernel tells who listens.
      const listening = readFileSync('/proc/net/udp', 'utf8');
      if (listening.includes(`:${this.port.toString(16).toUpperCase().padStart(4, '0')} `)) return;
      await delay(25);
    }
    throw new Error('ipmi_sim does not listen');
  }

  /** The BMC loses its power: nobody answers any more. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  power(state: 'on' | 'off'): void {
    writeFileSync(join(this.#dir, 'power'), state === 'on' ? '1\n' : '0\n');
  }

  get isOn(): boolean {
    return readFileSync(join(this.#dir, 'power'), 'utf8').trim() === '1';
  }

  /** When the machine was powered off, each time. */
  get offsAtMs(): number[] {
    const log = join(this.#dir, 'log');
    if (!existsSync(log)) return [];
    return [...readFileSync(log, 'utf8').matchAll(/^(\d+) set power 0$/gm)].map((m) => Number(m[1]));
  }

  /** What fencing.yaml needs for it. */
  get options(): Record<string, string> {
    return {
      ip: '127.0.0.1',
      ipport: String(this.port),
      username: 'admin',
      password: bmcPassword,
      lanplus: '1',
      // The simulator knows no newer one.
      cipher: '3',
      power_wait: '0',
    };
  }

  level(change: Record<string, string> = {}): DeviceLevel {
    const program = '/usr/sbin/fence_ipmilan';
    const options = { ...this.options, ...change };
    return { number: 1, devices: [{ agent: 'fence_ipmilan', program, options }] };
  }
}

const lan = (port: number, chassisProgram: string) => `name "bmc"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 ${port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
  chassis_control "${chassisProgram}"
  user 1 true "" "test" user 10 none md2 md5 straight
  user 2 true "admin" "${bmcPassword}" admin 10 none md2 md5 straight
`;

const emulation = `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
mc_enable 0x20
`;

const chassis = (dir: string) => `#!/bin/sh
echo "$(date +%s%3N) $*" >> ${dir}/log
case "$1 $2" in
  'get power') echo "power:$(cat ${dir}/power)" ;;
  'set power') echo "$3" > ${dir}/power ;;
  *) exit 1 ;;
esac
`;
