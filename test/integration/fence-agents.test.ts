// Debian's real fence agents against devices that speak the real protocols: IPMI over LAN, Redfish, and a dummy that
// fails slowly. What they show of their secrets while they run.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runAgent } from '../../src/ns4/fencing/agent.ts';
import { listen, powerOff } from '../../src/ns4/fencing/level.ts';
import type { Device, DeviceLevel } from '../../src/ns4/fencing/plan.ts';
import { systemClock } from '../../src/shared/ground/clock.ts';
import { CrashKernel, crashMessage } from '../support/crash-kernel.ts';
import { bmcPassword, IpmiSim } from '../support/ipmi-sim.ts';
import { RedfishServer, redfishPassword } from '../support/redfish-server.ts';

let dir: string;
let bmc: IpmiSim;
let redfish: RedfishServer;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sonny-fence-'));
  [bmc, redfish] = await Promise.all([
    IpmiSim.start(join(dir, 'ipmi')),
    RedfishServer.start(join(dir, 'redfish')),
  ]);
});
afterAll(async () => {
  await Promise.all([bmc?.stop(), redfish?.stop()]);
  rmSync(dir, { recursive: true, force: true });
});

const signal = new AbortController().signal;
const off = (level: DeviceLevel, timeoutMs = 10_000) =>
  powerOff({ level, timeoutMs, signal, clock: systemClock });
const deviceOf = ({ devices: [device] }: DeviceLevel): Device => {
  if (device === undefined) throw new Error('a level without devices');
  return device;
};
const status = (level: DeviceLevel, timeoutMs = 10_000) =>
  runAgent({ device: deviceOf(level), action: 'status', timeoutMs, signal });

describe('fence_ipmilan', () => {
  test('on, off and seen off, off once more, on again', async () => {
    const level = bmc.level();
    expect(await status(level)).toMatchObject({ kind: 'ended', code: 0, said: 'Status: ON' });
    expect(await off(level)).toMatchObject({
      off: true,
      output: 'off: Success: Powered OFF; status: Status: OFF',
    });
    expect(bmc.isOn).toBe(false);
    expect(await off(level)).toMatchObject({ off: true, output: expect.stringMatching(/Already OFF/) });
    expect(
      await runAgent({ device: deviceOf(level), action: 'on', timeoutMs: 10_000, signal }),
    ).toMatchObject({ code: 0 });
    expect(bmc.isOn).toBe(true);
  });

  test('a wrong password', async () => {
    const level = bmc.level({ password: 'not-the-bmc-secret' });
    const result = await off(level);
    expect(result).toMatchObject({ off: false, failure: { failure: 'off-failed' } });
    expect(JSON.stringify(result)).not.toContain('not-the-bmc-secret');
    expect(bmc.isOn).toBe(true);
  });

  test('a BMC without power: ended at our limit, long before its own', async () => {
    await bmc.stop();
    try {
      const startedAtMs = Date.now();
      expect(await off(bmc.level(), 1_000)).toMatchObject({ off: false, failure: { failure: 'timed-out' } });
      expect(Date.now() - startedAtMs).toBeLessThan(4_500);
    } finally {
      await bmc.start();
    }
  });

  test('the agent carries no secret in its arguments or environment while it runs', async () => {
    const seen: string[] = [];
    const look = () => {
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
        try {
          const arguments_ = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
          if (!arguments_.includes('fence_ipmilan')) continue;
          seen.push(arguments_, readFileSync(`/proc/${pid}/environ`, 'utf8'));
        } catch {
          // It ended meanwhile.
        }
    };
    const running = status(bmc.level());
    const watch = setInterval(look, 2);
    await running;
    clearInterval(watch);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.join('\n')).not.toContain(bmcPassword);
  });
});

describe('fence_redfish', () => {
  test('off over HTTPS, and seen off', async () => {
    expect(await status(redfish.level())).toMatchObject({ kind: 'ended', code: 0 });
    redfish.asked.length = 0;
    expect(await off(redfish.level())).toMatchObject({ off: true });
    expect(redfish.isOn).toBe(false);
    expect(redfish.asked).toContain('POST ForceOff');
    expect(redfish.asked.at(-1)).toBe('GET');
  });

  test('a wrong password, and a certificate that nobody trusts: no proof, and no secret told', async () => {
    redfish.isOn = true;
    for (const change of [{ password: 'not-the-redfish-secret' }, { ssl_insecure: null }]) {
      const result = await off(redfish.level(1, change));
      expect(result).toMatchObject({ off: false, failure: { failure: 'off-failed' } });
      expect(JSON.stringify(result)).not.toContain(redfishPassword);
      expect(JSON.stringify(result)).not.toContain('not-the-redfish-secret');
    }
    expect(redfish.isOn).toBe(true);
  });
});

describe('fence_kdump', () => {
  test.each([
    [
      'a crash kernel reports',
      crashMessage(),
      { off: true, output: expect.stringMatching(/valid message from/) },
    ],
    ['of another version', crashMessage(2), { off: false, failure: { failure: 'no-message' } }],
    ['other bytes come', Buffer.alloc(8), { off: false, failure: { failure: 'no-message' } }],
    ['nothing comes', null, { off: false, failure: { failure: 'no-message' } }],
  ])('%s', async (_, message, expected) => {
    const kernel = await CrashKernel.at(dir, '/usr/sbin/fence_kdump');
    try {
      if (message !== null) kernel.report(message);
      expect(
        await listen({ level: kernel.level(), timeoutMs: 5_000, signal, clock: systemClock }),
      ).toMatchObject(expected);
    } finally {
      kernel.close();
    }
  });

  test('its own time limit is longer than ours', async () => {
    const kernel = await CrashKernel.at(dir, '/usr/sbin/fence_kdump');
    kernel.close();
    const call = { level: kernel.level(60), timeoutMs: 300, signal, clock: systemClock };
    expect(await listen(call)).toMatchObject({ failure: { detail: expect.stringMatching(/^within 0.3 s/) } });
  });
});

describe('fence_dummy', () => {
  const dummy = (options: Record<string, string>): DeviceLevel => ({
    number: 1,
    devices: [
      {
        ...{ agent: 'fence_dummy', program: '/usr/sbin/fence_dummy' },
        options: { plug: 'hv01', status_file: join(dir, 'dummy'), ...options },
      },
    ],
  });

  test('a device that is off', async () => {
    expect(await off(dummy({}))).toMatchObject({ off: true });
  });

  test('an off that would fail after 20 s: ended at our limit, nothing of it left', async () => {
    const startedAtMs = Date.now();
    expect(await off(dummy({ type: 'fail' }), 1_000)).toMatchObject({
      off: false,
      failure: { failure: 'timed-out' },
    });
    expect(Date.now() - startedAtMs).toBeLessThan(4_500);
    await delay(100);
    const left = readdirSync('/proc').filter((pid) => {
      try {
        return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('fence_dummy');
      } catch {
        return false;
      }
    });
    expect(left).toEqual([]);
  });
});
