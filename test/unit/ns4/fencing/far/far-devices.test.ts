// Fencing through another vantage point, in memory: what one asks, what another carries out, and what each of them makes
// of orders that are late, withdrawn, taken twice, or lost with whoever had taken them.
import { describe, expect, test } from 'vitest';
import type { Devices, OffCall } from '../../../../../src/ns4/fencing/devices.ts';
import { carryOut, type OwnDevices, tellStatus } from '../../../../../src/ns4/fencing/far/carry-out.ts';
import { farDevices } from '../../../../../src/ns4/fencing/far/far-devices.ts';
import {
  type FenceOrders,
  type Found,
  orderLifeMs,
  whyNot,
} from '../../../../../src/ns4/fencing/far/orders.ts';
import type { DeviceOutline } from '../../../../../src/ns4/fencing/plan.ts';
import type { JobData, JobOutcome, JobResult } from '../../../../../src/shared/documents/jobs/contracts.ts';
import type { PlanOfOne } from '../../../../../src/shared/documents/terms/fencing-plans.ts';
import { type InstantClock, instantClock } from '../../../../support/instant-clock.ts';

const never = new AbortController().signal;
const right = { token: 'ours', assignment: null };
const level: DeviceOutline = { number: 1, isListener: false, devices: [{ agent: 'fence_ipmilan' }] };
const notTold = [{ device: 0, effect: 'none', seenOff: false }];

/** A Redis, a BMC, and those that fence, on clocks of their own. */
class Stage {
  readonly clock = instantClock();
  /** Of those that fence: a day ahead, as foreign clocks may be. */
  readonly theirs: InstantClock = { ...this.clock, nowMs: () => this.clock.nowMs() + 86_400_000 };
  /** What is to happen when a job is asked for; by default it is carried out at once. */
  onJob: (id: string) => Promise<void> = (id) => this.work(id);
  /** Right after the device was told. */
  onTold: () => void | Promise<void> = () => {};
  readonly redis = { owner: 'ours' as string | null };
  readonly orders = new Map<string, string>();
  registered: readonly PlanOfOne[] = [{ name: 'near', plan: 'p' }];
  offs = 0;
  readonly jobs = new Map<string, { name: string; data: unknown; outcome: JobOutcome<'fence-off'> }>();

  readonly port: FenceOrders = {
    place: async (id) => {
      this.orders.set(id, 'open');
      return this.clock.nowMs();
    },
    take: async ({ id, right: { token } }, _, taker): Promise<Found> => {
      if (this.redis.owner !== token) return 'not-locked';
      const found = this.orders.get(id);
      if (found !== 'open' && found !== taker) return 'gone';
      this.orders.set(id, taker);
      return { nowMs: this.clock.nowMs(), assignments: null };
    },
    withdraw: async (id) => {
      const isTaken = this.orders.get(id) !== 'open';
      if (!isTaken) this.orders.delete(id);
      return isTaken;
    },
  };

  own(plan = 'p'): OwnDevices {
    return { name: 'near', plan, devices: this.#bmc(), orders: this.port, clock: this.theirs };
  }

  #bmc(): Devices {
    return {
      levelsOf: async () => [level],
      powerOff: async (call) => {
        await call.beforeTelling();
        this.offs += 1;
        this.clock.advance(1_500);
        await this.onTold();
        const told = [{ device: 0, effect: 'taken', seenOff: true }] as const;
        return { off: true, atMs: this.theirs.nowMs(), output: 'status: off', told };
      },
      listen: async () => ({
        ...{ off: false, told: [] },
        failure: { agent: 'fence_kdump', failure: 'no-message', detail: '' },
      }),
      look: async () => [{ says: 'off', said: 'Status: OFF' }],
    };
  }

  far(): Devices {
    return farDevices({
      queue: {
        add: async (name, id, data) => {
          this.jobs.set(id, { name, data, outcome: { state: 'waiting' } });
          await this.onJob(id);
        },
        outcome: async <N extends string>(_: N, id: string) =>
          (this.jobs.get(id)?.outcome ?? { state: 'missing' }) as never,
        remove: async (id) => {
          if (this.jobs.get(id)?.outcome.state === 'waiting') this.jobs.delete(id);
        },
      },
      orders: this.port,
      registry: { list: async () => ({ nowMs: 0, names: [], plans: this.registered }) },
      clock: this.clock,
    });
  }

  takenByAnother(): void {
    for (const id of this.orders.keys()) this.orders.set(id, 'another');
  }

  lockOf(owner: string | null): void {
    this.redis.owner = owner;
  }

  dataOf(id: string): JobData<'fence-off'> {
    const job = this.jobs.get(id);
    if (job === undefined) throw new Error(`${id} was not asked for`);
    return job.data as JobData<'fence-off'>;
  }

  /** One that fences takes a job, now. */
  async work(id: string, plan = 'p'): Promise<void> {
    const job = this.jobs.get(id);
    if (job === undefined) return;
    const isStatus = job.name === 'fence-status';
    const own = this.own(plan);
    const result = isStatus
      ? await tellStatus(job.data as JobData<'fence-status'>, own, never)
      : await carryOut(job.data as JobData<'fence-off'>, own, never);
    job.outcome = { state: 'done', result: result as JobResult<'fence-off'> };
  }

  /** Only `off` waits: whoever fences tells its levels. */
  holdOff(then: (id: string) => Promise<void> = async () => {}): void {
    this.onJob = (id) => (id.startsWith('fence-off') ? then(id) : this.work(id));
  }

  async powerOff(signal = never, beforeTelling = async () => {}) {
    const devices = this.far();
    await devices.levelsOf('hv01', signal);
    const call: OffCall = { host: 'hv01', level, timeoutMs: 60_000, signal, right, beforeTelling };
    return devices.powerOff(call);
  }
}

describe('off', () => {
  test('one that fences takes the order: proof, as of when it was asked for, by the own clock', async () => {
    const stage = new Stage();
    const startMs = stage.clock.nowMs();
    const result = await stage.powerOff();
    expect(result).toMatchObject({ off: true, output: 'status: off (told by near)' });
    expect(result.off && result.atMs).toBe(startMs + 1_500);
    expect(stage.offs).toBe(1);
  });

  test('an answer that comes late is not of when it came', async () => {
    const stage = new Stage();
    const startMs = stage.clock.nowMs();
    stage.holdOff(async (id) => {
      await stage.work(id);
      // Redis stood still before it gave the answer.
      stage.clock.advance(40_000);
    });
    expect(await stage.powerOff()).toMatchObject({ off: true, atMs: startMs + 1_500 });
  });

  test('nothing is asked for before it was kept what is about to be told', async () => {
    const stage = new Stage();
    const refused = new Error('the host lives');
    await expect(stage.powerOff(never, () => Promise.reject(refused))).rejects.toBe(refused);
    expect([...stage.jobs.values()].map(({ name }) => name)).toEqual(['fence-status']);
  });

  test('nobody takes it: for certain nobody is told, also by one that comes to it later', async () => {
    const stage = new Stage();
    stage.holdOff();
    expect(await stage.powerOff()).toMatchObject({
      ...{ off: false, told: notTold },
      failure: { failure: 'not-told', detail: 'near did not take the order within 5 s' },
    });
    expect(
      [...stage.jobs.keys()].filter((id) => id.startsWith('fence-off')),
      'taken back',
    ).toEqual([]);
    expect([...stage.orders]).toEqual([]);
    expect(stage.offs).toBe(0);
  });

  // When one that fences comes to an order, and what happened by then.
  test.each([
    ['it waited in the queue', (s: Stage) => s.clock.advance(orderLifeMs + 1), 'the order is too old'],
    ['whoever gave it lost the lock', (s: Stage) => s.lockOf('another'), 'does not hold the recovery'],
    ['nobody has the lock', (s: Stage) => s.lockOf(null), 'does not hold the recovery'],
  ] as const)('%s: nobody is told', async (_, happens, why) => {
    const stage = new Stage();
    stage.holdOff(async (id) => {
      happens(stage);
      await stage.work(id);
    });
    expect(await stage.powerOff()).toMatchObject({
      ...{ off: false, told: notTold },
      failure: { failure: 'not-told', detail: expect.stringContaining(why) },
    });
    expect(stage.offs).toBe(0);
  });

  test('another plan than the one that was asked: nobody is told', async () => {
    const stage = new Stage();
    stage.holdOff((id) => stage.work(id, 'q'));
    expect(await stage.powerOff()).toMatchObject({
      ...{ off: false, told: notTold },
      failure: { failure: 'not-told', detail: 'near: it fences by plan q, and plan p was asked for' },
    });
    expect(stage.offs).toBe(0);
  });

  // Redis handed the job to another one as well, as it does where it lost that somebody is at it.
  test.each([
    ['another one took it', (s: Stage) => s.takenByAnother(), 'p'],
    ['Redis lost the order', (s: Stage) => s.orders.clear(), 'p'],
    ['another one took it, and this one has another plan', (s: Stage) => s.takenByAnother(), 'q'],
  ] as const)('%s: whoever answers does not know that nobody was told', async (_, happens, plan) => {
    const stage = new Stage();
    stage.holdOff(async (id) => {
      happens(stage);
      await stage.work(id, plan);
    });
    expect(await stage.powerOff()).toMatchObject({
      ...{ off: false, told: [] },
      failure: { failure: 'lost', detail: 'near did not take the order, and another one may have' },
    });
    expect(stage.offs).toBe(0);
  });

  test.each([['the one that told'], ['the other one']])(
    'two take the same job: one shot, and no second one on the word of %s',
    async (last) => {
      const stage = new Stage();
      stage.holdOff(async (id) => {
        await stage.work(id);
        const first = stage.jobs.get(id);
        const outcome = first?.outcome;
        await stage.work(id);
        if (first !== undefined && outcome !== undefined && last === 'the one that told')
          first.outcome = outcome;
      });
      const result = await stage.powerOff();
      expect(stage.offs).toBe(1);
      expect(result.off).toBe(last === 'the one that told');
      expect(result.told.map(({ effect }) => effect)).toEqual(result.off ? ['taken'] : []);
    },
  );

  test('taken, and found too late then: nobody was told, for certain', async () => {
    const stage = new Stage();
    stage.holdOff(async (id) => {
      stage.clock.advance(orderLifeMs + 1);
      await stage.work(id);
    });
    expect(await stage.powerOff()).toMatchObject({ told: notTold, failure: { failure: 'not-told' } });
    expect([...stage.orders.values()], 'taken').not.toEqual(['open']);
  });

  test('the machine of the one that fences stood still before it read the answer: nobody is told', async () => {
    const stage = new Stage();
    const { take } = stage.port;
    let asked = 0;
    const port: FenceOrders = {
      ...stage.port,
      take: async (...args) => {
        asked += 1;
        if (asked === 2) stage.clock.advance(orderLifeMs + 1);
        return take(...args);
      },
    };
    // Its own clocks stood still as well.
    const own = {
      ...stage.own(),
      orders: port,
      clock: { ...stage.clock, steadyMs: () => 0, nowMs: () => 0 },
    };
    stage.orders.set('o', 'open');
    const order = { id: 'o', right, untilMs: stage.clock.nowMs() + orderLifeMs };
    const data = { host: 'hv01', level: 1, agents: ['fence_ipmilan'], plan: 'p', tell: null };
    const job = { ...data, order, timeoutMs: 1_000, requestedAtMs: 0 };
    expect(await carryOut(job, own, never)).toMatchObject({ kind: 'not-told', why: 'the order is too old' });
    expect(stage.offs).toBe(0);
  });

  test('it dies in mid-shot: nobody knows what became of it', async () => {
    const stage = new Stage();
    stage.onTold = () => Promise.reject(new Error('killed'));
    stage.holdOff(async (id) => {
      await stage.work(id).catch(() => undefined);
      const job = stage.jobs.get(id);
      if (job !== undefined)
        job.outcome = { state: 'failed', detail: 'its ns4 died or stood still', workerLost: true };
    });
    expect(await stage.powerOff()).toMatchObject({
      ...{ off: false, told: [] },
      failure: { failure: 'lost', detail: 'its ns4 died or stood still' },
    });
    expect(stage.offs).toBe(1);
  });

  test('Redis lost the order, taken or not, and the job: nobody knows', async () => {
    const stage = new Stage();
    stage.holdOff(async (id) => {
      await stage.work(id);
      stage.orders.clear();
      stage.jobs.clear();
    });
    expect(await stage.powerOff()).toMatchObject({ off: false, told: [], failure: { failure: 'lost' } });
    expect(stage.offs).toBe(1);
  });

  test('it took the order and never answers: bounded, and nobody knows', async () => {
    const stage = new Stage();
    const startMs = stage.clock.nowMs();
    stage.holdOff(async (id) => {
      const { order } = stage.dataOf(id);
      if (order !== null) await stage.port.take(order, 'hv01', 'near');
    });
    expect(await stage.powerOff()).toMatchObject({ off: false, told: [], failure: { failure: 'lost' } });
    expect(stage.clock.nowMs() - startMs).toBeLessThan(60_000 + 21_000);
  });

  test('the recovery stops meanwhile: the order is taken back, and whoever comes to it later tells nobody', async () => {
    const stage = new Stage();
    const stop = new AbortController();
    let data: JobData<'fence-off'> | undefined;
    stage.holdOff(async (id) => {
      data = stage.dataOf(id);
      stop.abort(new Error('the lock is lost'));
    });
    await expect(stage.powerOff(stop.signal)).rejects.toThrow('the lock is lost');
    if (data === undefined) throw new Error('it was not asked for');
    expect(await carryOut(data, stage.own(), never)).toMatchObject({ kind: 'not-told' });
    expect(stage.offs).toBe(0);
  });
});

describe('the levels and what they show', () => {
  test.each([
    ['nobody is registered', [], 'no other ns4 is there that fences'],
    ['nobody answers', [{ name: 'near', plan: 'p' }], 'near did not answer within 8 s'],
  ] as const)('%s: named', async (_, registered, detail) => {
    const stage = new Stage();
    stage.registered = registered;
    stage.onJob = async () => {};
    expect(await stage.far().levelsOf('hv01', never)).toEqual({
      ...{ agent: 'ns4', failure: 'nobody-fences' },
      detail: expect.stringContaining(detail),
    });
  });

  test('asked again: off, by whom; nobody answers: unknown, in time', async () => {
    const stage = new Stage();
    const devices = stage.far();
    const asked = { number: 1, agent: 'fence_ipmilan' };
    expect(await devices.look('hv01', asked, 3_000, never)).toEqual([
      { says: 'off', said: 'Status: OFF (asked by near)' },
    ]);
    expect(await devices.look('hv01', { number: 1, agent: 'fence_apc' }, 3_000, never)).toBeNull();
    stage.onJob = async () => {};
    const startMs = stage.clock.nowMs();
    expect(await devices.look('hv01', asked, 3_000, never)).toMatchObject([{ says: 'unknown' }]);
    expect(stage.clock.nowMs() - startMs).toBeLessThanOrEqual(5_200);
    expect(stage.offs, 'a look is no shot').toBe(0);
  });

  const asked = { number: 1, agent: 'fence_ipmilan' };
  test('by another plan than the level is of: no word of it counts', async () => {
    const stage = new Stage();
    const devices = stage.far();
    await devices.levelsOf('hv01', never);
    stage.onJob = (id) => stage.work(id, 'q');
    stage.registered = [{ name: 'near', plan: 'q' }];
    expect(await devices.look('hv01', asked, 3_000, never)).toBeNull();
  });

  test.each([
    [
      'two plans',
      [
        { name: 'near', plan: 'p' },
        { name: 'other', plan: 'q' },
      ],
      'p',
      'by different plans',
    ],
    ['not by the one that is registered', [{ name: 'near', plan: 'p' }], 'q', 'p is registered'],
  ] as const)('%s: nobody is asked for anything that counts', async (_, registered, plan, said) => {
    const stage = new Stage();
    Object.assign(stage, { registered });
    stage.onJob = (id) => stage.work(id, plan);
    const devices = stage.far();
    const detail = expect.stringContaining(said);
    expect(await devices.look('hv01', asked, 3_000, never)).toEqual([{ says: 'unknown', said: detail }]);
    expect(await devices.levelsOf('hv01', never)).toMatchObject({ failure: 'nobody-fences', detail });
  });

  test('what Redis kept back for long is no word of now', async () => {
    const stage = new Stage();
    stage.onJob = async (id) => {
      await stage.work(id);
      stage.clock.advance(10_000);
    };
    expect(await stage.far().look('hv01', asked, 3_000, never)).toMatchObject([{ says: 'unknown' }]);
  });
});

const assigned = { token: 'ours', assignment: { recovery: 'r.1', jobId: 'recover-r.1-1', epoch: 3 } };
const assignments = (jobId: string, epoch = 3) => ({ epoch, revision: 1, jobs: { 'r.1': jobId } });
test.each([
  ['in time, by hand', right, { nowMs: 10, assignments: null }, null],
  ['too late', right, { nowMs: 11, assignments: null }, 'too old'],
  ['wanted by the monitor', assigned, { nowMs: 1, assignments: assignments('recover-r.1-1') }, null],
  [
    'wanted from another job',
    assigned,
    { nowMs: 1, assignments: assignments('recover-r.1-2') },
    'another job',
  ],
  ['Redis lost the assignments', assigned, { nowMs: 1, assignments: null }, 'does not hold'],
  ['those of before', assigned, { nowMs: 1, assignments: assignments('recover-r.1-1', 2) }, 'does not hold'],
] as const)('may an order be carried out? %s', (_, by, found, why) => {
  expect(whyNot({ right: by, untilMs: 10 }, found)).toEqual(
    why === null ? null : expect.stringContaining(why),
  );
});
