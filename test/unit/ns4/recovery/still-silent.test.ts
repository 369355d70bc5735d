// While instances are moved: who is asked for signs of life, and how old an answer may be, whatever happens to the time
// of day.
import { describe, expect, test } from 'vitest';
import { CloudError, type ComputeService } from '../../../../src/ns4/cloud/cloud.ts';
import type { PowerSeen } from '../../../../src/ns4/fencing/proof.ts';
import { AgentsOfTheDead } from '../../../../src/ns4/recovery/agents-of-the-dead.ts';
import type { Answering } from '../../../../src/ns4/recovery/movers/mover.ts';
import { DoubtError, SignOfLifeError, StillSilent } from '../../../../src/ns4/recovery/still-silent.ts';
import type { ScanFinding, ScanResult } from '../../../../src/shared/documents/jobs/scan.ts';
import type { Refusal } from '../../../../src/shared/documents/refusals/refusals.ts';
import { nowMs } from '../../../support/inventories.ts';

interface Sight {
  finding?: ScanFinding['state'];
  /** Instances that answer, of vm1 and vm2. */
  answering?: string[];
  blind?: boolean;
  heartbeatAtMs?: number;
  service?: Partial<ComputeService>;
  /** Nova does not answer. */
  isNovaAway?: boolean;
  power?: PowerSeen['says'] | null;
  offSinceMs?: number | null;
  /** It is too long ago that something was heard late. */
  isBacklogOver?: boolean;
  /** Why the proof counts no more without the device. */
  outdated?: Refusal | null;
}

function watch(sight: Sight = { finding: 'answers' }) {
  const time = { passedMs: 0, setByMs: 0 };
  const asked = { scans: 0, guests: [] as string[], saidOff: 0, heardLate: 0 };
  const leftAlone: Answering[] = [];
  const guests = ['id-vm1', 'id-vm2'].map((name) => ({
    name,
    endpoints: [{ address: '192.0.2.1', port: 22 }],
  }));
  const silence = new StillSilent({
    order: {
      ...{ dead: 'hv01', judgedAtMs: nowMs },
      get offSinceMs() {
        return sight.offSinceMs ?? null;
      },
    },
    agents: new AgentsOfTheDead('hv01', []),
    cloud: {
      listAgents: async () =>
        sight.heartbeatAtMs === undefined
          ? []
          : [{ id: 'a', host: 'hv01', binary: 'agent', heartbeatAtMs: sight.heartbeatAtMs, alive: true }],
      listComputeServices: async () => {
        if (sight.isNovaAway) throw new CloudError('unknown', 'nova: no answer', null);
        return [
          {
            ...{
              id: 's',
              host: 'hv01',
              zone: 'nova',
              state: 'down',
              status: 'enabled',
              disabledReason: null,
            },
            ...{ forcedDown: false, reportedAtMs: nowMs - 60_000 },
            ...sight.service,
          },
        ];
      },
      clockSkewMs: () => 0,
    },
    heartbeatPeriodMs: 40_000,
    signal: new AbortController().signal,
    clock: {
      nowMs: () => nowMs + time.passedMs + time.setByMs,
      steadyMs: () => time.passedMs,
      sleep: async () => {},
    },
    confirmedAtMs: 0,
    scan: async (targets): Promise<ScanResult> => {
      asked.scans += 1;
      asked.guests = targets.map(({ name }) => name);
      const guest = (name: string): ScanFinding =>
        sight.answering?.includes(name)
          ? { state: 'answers', detail: '192.0.2.1:22 open' }
          : { state: 'silent', detail: '1 port silent' };
      return {
        ...{ ok: true, outcome: sight.blind === true ? 'blind' : 'seen', controls: {}, tookMs: 1 },
        targets: {
          hv01: { state: sight.finding ?? 'silent', detail: '22' },
          ...Object.fromEntries(targets.map(({ name }) => [name, guest(name)])),
        },
      };
    },
    guests: () => guests,
    nameOf: (id) => id.replace('id-', ''),
    device: () =>
      sight.power === undefined || sight.power === null
        ? null
        : {
            onText: () => 'fence_ipmilan, level 1, which proved it off, says that it is on',
            look: async () => ({ says: sight.power ?? 'unknown', said: '' }),
            saidOff: () => {
              asked.saidOff += 1;
            },
            mayBeLate: () => sight.isBacklogOver !== true,
            heardLate: async () => {
              asked.heardLate += 1;
            },
          },
    outdatedProof: () => sight.outdated ?? null,
    leaveAlone: async (answering) => {
      leftAlone.push(...answering);
    },
  });
  /** Asked now, and waited for. */
  const confirm = async () => {
    time.passedMs += 21_000;
    await silence.confirm();
    silence.checkProof();
  };
  return { time, silence, asked, leftAlone, confirm, sight };
}

test('a recent answer is good enough; an older one is asked for again beside the work; an old one is waited for', async () => {
  const { time, silence, asked } = watch();
  time.passedMs = 4_000;
  await silence.confirm();
  expect(asked.scans).toBe(0);
  time.passedMs = 15_000;
  await silence.confirm();
  expect(asked.scans).toBe(1);
  await new Promise((resolve) => setImmediate(resolve));
  await expect(silence.confirm()).rejects.toThrow(SignOfLifeError);
});

test.each([-120_000, 120_000])(
  'the time of day is set by %i ms: an old answer is old all the same',
  async (byMs) => {
    const { time, silence, asked } = watch();
    time.passedMs = 4_000;
    time.setByMs = byMs;
    await silence.confirm();
    expect(asked.scans).toBe(0);
    time.passedMs = 21_000;
    await expect(silence.confirm()).rejects.toThrow(SignOfLifeError);
  },
);

const off = nowMs - 30_000;
const tooOld: Refusal = { name: 'fence-failed', host: 'hv01', levels: [] };

describe('who is asked with each confirmation', () => {
  test.each<[string, Sight, string | null]>([
    ['nobody answers', {}, null],
    ['the host itself', { finding: 'answers' }, '22'],
    ['a heartbeat since the verdict', { heartbeatAtMs: nowMs + 5_000 }, 'heartbeat of agent'],
    ['nova-compute reported since', { service: { reportedAtMs: nowMs + 5_000 } }, 'nova-compute reported'],
    [
      'nova-compute is forced down: our own change moved its time',
      { service: { forcedDown: true, reportedAtMs: nowMs + 5_000 } },
      null,
    ],
    ['one instance', { answering: ['id-vm1'] }, 'its instance "vm1" answers (192.0.2.1:22 open)'],
    ['two instances', { answering: ['id-vm1', 'id-vm2'] }, 'its instances "vm1", "vm2" answer'],
    [
      'an instance, to a scanner that hears no control',
      { answering: ['id-vm1'], blind: true },
      '"vm1" answers',
    ],
    ['the device says off', { power: 'off', offSinceMs: off }, null],
    ['the device does not say', { power: 'unknown', offSinceMs: off }, null],
    ['the device says on', { power: 'on', offSinceMs: off }, 'fence_ipmilan, level 1, which proved it off'],
    [
      'the device says on, and instances answer',
      { power: 'on', offSinceMs: off, answering: ['id-vm1'] },
      'its instance "vm1" answers (192.0.2.1:22 open): THE PROOF IS WRONG',
    ],
  ])('%s', async (_, sight, evidence) => {
    const { confirm, leftAlone } = watch(sight);
    if (evidence === null) await confirm();
    else {
      const error = await confirm().then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(SignOfLifeError);
      expect((error as SignOfLifeError).refusal).toMatchObject({ name: 'came-back', host: 'hv01' });
      expect(String(error)).toContain(evidence);
    }
    expect(leftAlone).toEqual([]);
  });

  test.each(['off', 'unknown', null] as const)(
    'after a proof (device: %s) whoever answers is left alone, and the others go on',
    async (power) => {
      const { confirm, leftAlone } = watch({ power, offSinceMs: off, answering: ['id-vm2'] });
      await confirm();
      expect(leftAlone).toEqual([{ id: 'id-vm2', name: 'vm2', on: '192.0.2.1:22 open' }]);
    },
  );

  test('who answered while the host was being powered off is asked again', async () => {
    const w = watch({ answering: ['id-vm1'] });
    w.time.passedMs = 6_000;
    await w.silence.confirm();
    w.sight.offSinceMs = off;
    await new Promise((resolve) => setImmediate(resolve));
    await w.silence.confirm();
    expect(w.leftAlone, 'by what it said before').toEqual([]);
    w.sight.answering = [];
    await w.confirm();
    expect(w.asked.scans).toBe(2);
  });

  test('a device that says off renews the proof; a silent one does not, and the proof has its time', async () => {
    const w = watch({ power: 'off', offSinceMs: off });
    await w.confirm();
    expect(w.asked.saidOff).toBe(1);
    w.sight.power = 'unknown';
    await w.confirm();
    expect(w.asked.saidOff).toBe(1);
    w.sight.outdated = tooOld;
    await expect(w.confirm()).rejects.toThrow(DoubtError);
  });

  test('in the end it is asked once more, however young the last answer is', async () => {
    const w = watch({});
    await w.silence.confirmAnew();
    expect(w.asked.scans).toBe(1);
    expect(w.silence.silentAtMs).toBe(nowMs);
    w.sight.finding = 'answers';
    await expect(w.silence.confirmAnew()).rejects.toThrow(SignOfLifeError);
  });

  test('before a request the device alone is asked, unless it said off two seconds ago', async () => {
    const w = watch({ power: 'off', offSinceMs: off });
    const at = async (ms: number) => {
      w.time.passedMs = ms;
      await w.silence.confirmPower();
      return w.asked.saidOff;
    };
    expect(await at(10_000)).toBe(1);
    expect(await at(12_000)).toBe(1);
    expect(await at(12_001)).toBe(2);
    w.sight.power = 'on';
    expect(await at(14_000), 'what was said just now').toBe(2);
    await expect(at(14_002)).rejects.toThrow('says that it is on');
    await expect(w.silence.confirm(), 'nothing else leaves either').rejects.toThrow(SignOfLifeError);
    expect(w.asked.scans).toBeLessThanOrEqual(1);
  });

  test('a device that does not answer, or none, holds nobody up', async () => {
    const mute = watch({ power: 'unknown', offSinceMs: off });
    await mute.silence.confirmPower();
    await watch({}).silence.confirmPower();
  });

  test('a report against the proof is late while a backlog may be worked off, and a sign of life afterwards', async () => {
    const late = watch({ power: 'off', offSinceMs: off, heartbeatAtMs: off + 1 });
    await late.confirm();
    expect(late.asked.heardLate).toBe(1);
    const living = watch({ power: 'off', offSinceMs: off, heartbeatAtMs: off + 1, isBacklogOver: true });
    await expect(living.confirm()).rejects.toThrow(SignOfLifeError);
    expect(living.asked.heardLate).toBe(0);
  });

  test('what the device said grows old for what leaves on it, also while the look takes long', async () => {
    const w = watch({ power: 'off', offSinceMs: off });
    expect(w.silence.isPowerFresh(), 'it was not asked yet').toBe(false);
    w.time.passedMs = 10_000;
    await w.silence.confirmPower();
    w.time.passedMs = 20_000;
    expect(w.silence.isPowerFresh()).toBe(true);
    w.time.passedMs = 20_001;
    expect(w.silence.isPowerFresh()).toBe(false);
    expect(watch({}).silence.isPowerFresh(), 'no device').toBe(true);
  });
});

test('Nova does not answer, and its agents report: it lives, as soon as anybody asks again', async () => {
  const w = watch({ heartbeatAtMs: nowMs + 5_000, isNovaAway: true });
  await expect(w.confirm()).rejects.toThrow('nova: no answer');
  w.sight.heartbeatAtMs = nowMs - 90_000;
  w.sight.isNovaAway = false;
  await expect(w.confirm()).rejects.toThrow(SignOfLifeError);
});
