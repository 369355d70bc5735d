// Fencing by hand: which levels are tried, when it asks first, whose word is taken.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { confirmFenced } from '../../../../src/ns4/commands/confirm.ts';
import { doubtIn } from '../../../../src/ns4/commands/devices-in-doubt.ts';
import { tryLevels } from '../../../../src/ns4/commands/try-out.ts';
import { UnreadableBystandersError } from '../../../../src/ns4/fencing/bystanders.ts';
import { OperationalError, UsageError } from '../../../../src/shared/ground/errors.ts';
import type { Picture } from '../../../../src/shared/picture/picture.ts';
import { agent, hypervisor, nowMs, picture, server, spare } from '../../../support/inventories.ts';
import { PretendDevice } from '../../../support/pretend-device.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sonny-by-hand-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let devices = 0;
const device = () => new PretendDevice(join(dir, `device-${++devices}`));
const clock = { nowMs: () => nowMs, steadyMs: () => nowMs, sleep: async () => {} };
const heartbeatPeriodMs = 40_000;

class NotAsked extends Error {}

const noCeph = {
  status: async () => ({ well: false, text: '' }),
  off: async () => ({ well: false, text: '' }),
  on: async () => ({ well: false, text: '' }),
  runsSince: async (): Promise<string | null> => null,
};

describe('the levels of a host', () => {
  const alive = () => picture({ hypervisors: [hypervisor('hv01')], servers: [server('vm1', 'hv01')] });

  /** Two devices; asking answers no unless told otherwise. `fell`: who did when a device of it was told `off`. */
  function bench(
    known: () => Picture | Error | null = alive,
    answer: 'yes' | 'no' = 'no',
    fell: string[] | Error = [],
  ) {
    const [bmc, pdu] = [device(), device()];
    const printed: string[] = [];
    const asked: string[] = [];
    const sawOff: string[] = [];
    const levels = [bmc.level(1), pdu.level(2)];
    const plan = { file: 'fencing.yaml', hosts: new Map([['hv01', levels]]), others: null, secrets: [] };
    const parts = {
      ...{
        plan,
        ceph: { ...noCeph, sawOff: async (_: string, by: string) => void sawOff.push(by) },
        clock,
        heartbeatPeriodMs,
        timeoutMs: 2_000,
        signal: new AbortController().signal,
      },
      inventory: {
        read: async () => {
          const found = known();
          if (found instanceof Error) throw found;
          return found;
        },
      },
      recoveries: { isRecovering: async () => false, hold: async () => null },
      doubt: () =>
        doubtIn('hv01', {
          clock,
          bystanders: {
            of: async () => {
              if (fell instanceof Error) throw fell;
              if (fell.length === 0) return null;
              return { incident: 'i', atMs: 1, heard: [], isLooked: true, fell: { atMs: 1, hosts: fell } };
            },
          },
        }),
      ask: async (what: string) => {
        asked.push(what);
        if (answer === 'no') throw new NotAsked();
      },
      print: (line: string) => printed.push(line),
    };
    const run = (action: 'status' | 'off' | 'on', level?: number) =>
      tryLevels({ host: 'hv01', action, level }, parts);
    return { bmc, pdu, printed, asked, sawOff, parts, run };
  }

  test('status: of every level; one that fails is a failure', async () => {
    const b = bench();
    b.pdu.power('off');
    expect(await b.run('status')).toBe(true);
    expect(b.printed).toEqual([
      'ok      hv01, level 1, fence_pretend1: on',
      'ok      hv01, level 2, fence_pretend2: off',
    ]);
    b.pdu.behave('away');
    expect(await b.run('status')).toBe(false);
    expect(b.printed.at(-1)).toBe('FAILED  hv01, level 2, fence_pretend2: exit code 1: connection timed out');
    expect(b.asked).toEqual([]);
  });

  test('off: until one proves it, after having been asked', async () => {
    const b = bench(alive, 'yes');
    b.bmc.behave('refuses');
    expect(await b.run('off')).toBe(true);
    expect(b.asked).toEqual(['hv01 may be alive: this powers it off, and whatever runs on it']);
    expect(b.printed.map((line) => line.slice(0, 22))).toEqual([
      'FAILED  hv01, level 1,',
      'ok      hv01, level 2,',
    ]);
    b.pdu.behave('refuses');
    expect(await b.run('off')).toBe(false);
  });

  test('one level alone', async () => {
    const b = bench(alive, 'yes');
    expect(await b.run('off', 2)).toBe(true);
    expect([b.bmc.offs, b.pdu.offs]).toEqual([0, 1]);
    expect(await b.run('on', 2)).toBe(true);
    expect([b.bmc.told.length, b.pdu.isOn]).toEqual([0, true]);
    await expect(b.run('status', 3)).rejects.toThrow(UsageError);
  });

  test('what shows it off counts when its entries are lifted', async () => {
    const b = bench(alive, 'yes');
    b.pdu.power('off');
    await b.run('status');
    await b.run('off');
    expect(b.sawOff).toEqual(['level 2, fence_pretend2', 'level 1, fence_pretend1']);
  });

  const why = 'hv02 fell silent when hv01 was told "off"';
  const trust = 'ns4 --trust-devices hv01';

  test.each(['off', 'on'] as const)(
    'devices in doubt are not told "%s", and nobody is asked',
    async (action) => {
      for (const fell of [['hv02'], new UnreadableBystandersError('x')]) {
        const b = bench(alive, 'yes', fell);
        expect(await b.run(action)).toBe(false);
        expect([b.bmc.told, b.pdu.told, b.asked, b.sawOff]).toEqual([[], [], [], []]);
        expect(b.printed).toHaveLength(2);
        for (const line of b.printed)
          expect(line).toMatch(/FAILED .* fell silent when hv01 .*--trust-devices hv01/);
      }
    },
  );

  test('devices in doubt are asked, and not believed', async () => {
    const b = bench(alive, 'no', ['hv02']);
    b.bmc.power('off');
    expect(await b.run('status', 1)).toBe(false);
    expect(b.printed[0]).toContain(`off; not believed: ${why}`);
    expect(b.printed[0]).toContain(trust);
    expect(b.sawOff).toEqual([]);
  });

  test('nobody can tell whether they are in doubt: they are told after a typed name only', async () => {
    const b = bench(alive, 'no', new Error('Redis is away'));
    await expect(b.run('on')).rejects.toThrow(NotAsked);
    expect(b.asked).toEqual(['whether its devices are in doubt could not be read: Redis is away']);
    expect(b.bmc.told).toEqual([]);
    const given = bench(alive, 'yes', new Error('Redis is away'));
    expect(await given.run('on')).toBe(true);
    expect(given.bmc.isOn).toBe(true);
  });

  test('a host without levels', async () => {
    const { parts } = bench();
    await expect(tryLevels({ host: 'hv09', action: 'status' }, parts)).rejects.toThrow(UsageError);
  });

  const down = { state: 'down' } as const;
  const old = [agent('hv01', 120_000)];
  test.each<[string, () => Picture | Error | null, boolean]>([
    ['it lives', alive, true],
    ['its service is down, but it beats', () => picture({ hypervisors: [hypervisor('hv01', down)] }), true],
    ['down and silent', () => picture({ hypervisors: [hypervisor('hv01', down)], agents: old }), false],
    [
      'silent, but its service is up',
      () => picture({ hypervisors: [hypervisor('hv01')], agents: old }),
      true,
    ],
    ['an empty spare', () => picture({ hypervisors: [spare('hv01')] }), false],
    [
      'disabled, with instances',
      () => picture({ hypervisors: [spare('hv01')], servers: [server('vm1', 'hv01')] }),
      true,
    ],
    ['unknown to Nova', () => picture({ hypervisors: [hypervisor('hv02')] }), true],
    ['no inventory', () => null, true],
    ['no Redis', () => new Error('Redis is away'), true],
  ])('off asks first unless it is surely no living host: %s', async (_, known, asks) => {
    const b = bench(known);
    const end = await b.run('off').catch((error: unknown) => error);
    expect(b.asked).toHaveLength(asks ? 1 : 0);
    expect(b.bmc.offs).toBe(asks ? 0 : 1);
    if (asks) expect(end).toBeInstanceOf(NotAsked);
  });
});

describe('an agent that cuts off from Ceph', () => {
  /** A BMC, and the agent; asking answers yes unless told otherwise. */
  function bench({
    answer = () => {},
    isRecovering = async () => false,
    hold = async () => free(),
    runsSince = null,
  }: {
    answer?: (() => void) | undefined;
    isRecovering?: () => Promise<boolean>;
    hold?: () => Promise<ReturnType<typeof free> | null>;
    runsSince?: string | null;
  } = {}) {
    const [bmc, cuts] = [device(), device()];
    const planned = cuts.level(2);
    const named = planned.devices.map((one) => ({ ...one, agent: '/usr/local/sbin/fence_ceph_blocklist' }));
    const levels = [bmc.level(1), { ...planned, devices: named }];
    const printed: string[] = [];
    const asked: string[] = [];
    const sawOff: string[] = [];
    const run = (action: 'status' | 'off' | 'on', level?: number) =>
      tryLevels(
        { host: 'hv01', action, level },
        {
          plan: { file: 'fencing.yaml', hosts: new Map([['hv01', levels]]), others: null, secrets: [] },
          ceph: {
            ...noCeph,
            runsSince: async () => runsSince,
            sawOff: async (_: string, by: string) => void sawOff.push(by),
          },
          ...{ clock: patient, heartbeatPeriodMs, timeoutMs: 2_000, signal: new AbortController().signal },
          recoveries: { isRecovering, hold },
          doubt: async () => ({ kind: 'none' }),
          inventory: { read: async () => null },
          ask: async (what) => {
            asked.push(what);
            answer();
          },
          print: (line) => printed.push(line),
        },
      );
    return { bmc, cuts, run, printed, asked, sawOff };
  }
  let steadyMs = 0;
  const patient = { ...clock, steadyMs: () => steadyMs, sleep: () => new Promise<void>(() => {}) };
  const released: string[] = [];
  const free = () => ({
    lost: new AbortController().signal,
    release: async () => void released.push('released'),
  });

  test('a plain on tells the BMC alone, and says how its entries are lifted', async () => {
    const { bmc, cuts, run, printed, asked } = bench();
    for (const one of [bmc, cuts]) one.power('off');
    expect(await run('on')).toBe(true);
    expect([bmc.isOn, cuts.told, asked]).toEqual([true, [], []]);
    expect(printed[1]).toBe(
      'ok      hv01, level 2, /usr/local/sbin/fence_ceph_blocklist: its entries stay; after its reboot: ns4 --fence hv01 --action on --level 2',
    );
  });

  test('its level alone: told while the BMC says off', async () => {
    const { bmc, cuts, run, asked } = bench();
    for (const one of [bmc, cuts]) one.power('off');
    released.length = 0;
    expect(await run('on', 2)).toBe(true);
    expect([cuts.isOn, asked, released]).toEqual([true, [], ['released']]);
  });

  test('its level alone, and nobody can tell of a reboot: after a typed name', async () => {
    const b = bench();
    b.cuts.power('off');
    expect(await b.run('on', 2)).toBe(true);
    expect(b.asked[0]).toMatch(/not known when it was cut off\. hv01 was booted since.*ssh hv01 virsh list/);
    expect(b.cuts.isOn).toBe(true);
    const refused = bench({
      answer: () => {
        throw new NotAsked();
      },
    });
    await expect(refused.run('on', 2)).rejects.toThrow(NotAsked);
    expect(refused.cuts.told).toEqual([]);
  });

  test.each<[string, Parameters<typeof bench>[0], RegExp]>([
    [
      'a recovery is under way',
      { isRecovering: async () => true },
      /its recovery, or one onto it, is under way/,
    ],
    ['a recovery begins while the prompt is open', { hold: async () => null }, /is under way/],
    [
      'Redis is away',
      {
        isRecovering: async () => {
          throw new Error('Redis is away');
        },
      },
      /could not be read: Redis is away/,
    ],
    ['it runs since before', { runsSince: 'it was not booted since' }, /not booted since\. Reboot it/],
    [
      'the prompt was open for long',
      {
        answer: () => {
          steadyMs += 60_001;
        },
      },
      /typed after more than 60 s/,
    ],
  ])('its level alone, not told: %s', async (_, how, text) => {
    const { cuts, run, printed } = bench(how);
    cuts.power('off');
    expect(await run('on', 2)).toBe(false);
    expect(printed[0]).toMatch(text);
    expect(printed[0]).toContain('not lifted: ');
    expect(cuts.told).toEqual([]);
  });

  test('that it says off is no sign that the host lost its power', async () => {
    const { cuts, run, asked, sawOff } = bench();
    cuts.power('off');
    expect(await run('status', 2)).toBe(true);
    cuts.power('on');
    expect(await run('off', 2)).toBe(true);
    expect(sawOff).toEqual([]);
    expect(asked).toEqual(['hv01 may be alive: this cuts it off from Ceph, and whatever runs on it']);
  });
});

describe("an operator's confirmation", () => {
  function confirm(host: string, known: Picture | null, answer: 'yes' | 'no' = 'yes') {
    const done: unknown[] = [];
    const parts = {
      ...{ clock, heartbeatPeriodMs },
      confirmations: { record: async (...what: unknown[]) => void done.push('recorded', ...what) },
      inventory: { read: async () => known },
      ask: async () => {
        done.push('asked');
        if (answer === 'no') throw new NotAsked();
      },
      announce: async (said: unknown) => void done.push('said', said),
    };
    return { done, end: confirmFenced(host, 'alice', parts) };
  }
  const silent = picture({
    hypervisors: [hypervisor('hv01'), hypervisor('hv02')],
    agents: [agent('hv01', 40_001)],
  });

  test('asked, recorded, said', async () => {
    const { done, end } = confirm('hv01', silent);
    await end;
    expect(done).toEqual([
      'asked',
      'recorded',
      'hv01',
      { who: 'alice', atMs: nowMs },
      'said',
      { host: 'hv01', by: 'alice', atMs: nowMs },
    ]);
  });

  test.each([
    ['its name was not typed', 'hv01', silent, 'no', NotAsked, ['asked']],
    ['it sent a heartbeat a moment ago', 'hv02', silent, 'yes', OperationalError, []],
    ['no such hypervisor', 'hv09', silent, 'yes', OperationalError, []],
    ['no inventory', 'hv01', null, 'yes', OperationalError, []],
  ] as const)('not recorded: %s', async (_, host, known, answer, error, expected) => {
    const { done, end } = confirm(host, known, answer);
    await expect(end).rejects.toThrow(error);
    expect(done).toEqual(expected);
  });
});
