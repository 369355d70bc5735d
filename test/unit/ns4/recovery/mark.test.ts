// The watch over the mark in Nova: whose the host is, and how old an answer may be.
import { describe, expect, test } from 'vitest';
import { type Cloud, CloudError, type ComputeService } from '../../../../src/ns4/cloud/cloud.ts';
import { isMarkedBy, MarkWatch, markOf, TakenHostError } from '../../../../src/ns4/recovery/mark.ts';
import { planOntoSpare } from '../../../../src/shared/documents/terms/plan.ts';

const journal = { id: 'i.1', sonny: 'ours', dead: 'hv01', plan: planOntoSpare('hv04') };
const service: ComputeService = {
  ...{ id: 's', host: 'hv01', zone: 'nova', state: 'down', status: 'disabled', forcedDown: true },
  ...{ disabledReason: markOf(journal), reportedAtMs: null },
};

/** A watch on a cloud that answers with `seen` after so long. */
function watch(seen: Partial<ComputeService>, tookMs: readonly number[] = [0]) {
  let nowMs = 0;
  let reads = 0;
  let stoodStillMs = 0;
  const asked: string[] = [];
  const cloud: Pick<Cloud, 'listComputeServices' | 'evacuate' | 'clockSkewMs'> = {
    clockSkewMs: () => stoodStillMs,
    async listComputeServices() {
      nowMs += tookMs[Math.min(reads, tookMs.length - 1)] ?? 0;
      reads += 1;
      return [{ ...service, ...seen }];
    },
    async evacuate(id) {
      asked.push(id);
    },
  };
  const clock = { nowMs: () => nowMs, steadyMs: () => nowMs, sleep: async () => {} };
  const mark = new MarkWatch(journal, cloud, clock, new AbortController().signal);
  /** The machine stands still with its clock during the next reading; the cloud's goes on. */
  const standStill = (ms: number) => {
    const { listComputeServices } = cloud;
    cloud.listComputeServices = (signal) => {
      stoodStillMs += ms;
      cloud.listComputeServices = listComputeServices;
      return listComputeServices(signal);
    };
  };
  return { mark, asked, reads: () => reads, pass: (ms: number) => (nowMs += ms), standStill };
}

const thrown = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => error,
  );

describe('whose the host is', () => {
  test.each([
    ['this recovery', {}, null],
    [
      'another Sonny, with a recovery of the same name',
      { disabledReason: markOf({ ...journal, sonny: 'theirs' }) },
      { name: 'foreign-mark', host: 'hv01', recovery: 'i.1' },
    ],
    [
      'a Sonny of an earlier version',
      { disabledReason: 'sonny resurrection on hv04' },
      { name: 'foreign-mark', recovery: null },
    ],
    [
      'an operator',
      { disabledReason: 'RMA 4711' },
      { name: 'operator-at-work', reason: 'RMA 4711', meanwhile: true },
    ],
    ['nobody: enabled', { status: 'enabled', disabledReason: null }, { name: 'came-back' }],
    ['nobody: no longer forced down', { forcedDown: false }, { name: 'came-back' }],
  ] as [string, Partial<ComputeService>, object | null][])('%s', async (_, seen, refusal) => {
    const { mark, asked } = watch(seen);
    const error = await thrown(mark.confirm());
    if (refusal === null) expect(error).toBeNull();
    else expect(error instanceof TakenHostError && error.refusal).toMatchObject(refusal);
    const request = await thrown(mark.evacuate('vm1', 'hv04', new AbortController().signal));
    if (refusal === null) expect(asked).toEqual(['vm1']);
    else {
      expect(asked).toEqual([]);
      expect(request instanceof CloudError && request.outcome, 'nothing left for Nova').toBe('not-done');
    }
  });

  test('a recovery of an earlier version is known by its mark of that form', () => {
    const old = { ...journal, sonny: '' };
    expect(markOf(old)).toBe('sonny resurrection on hv04');
    expect(isMarkedBy({ ...service, disabledReason: markOf(old) }, old)).toBe(true);
    expect(isMarkedBy(service, old)).toBe(false);
  });
});

describe('how old an answer may be', () => {
  test('one of a moment ago is not asked for again, one of two seconds ago is', async () => {
    const { mark, reads, pass } = watch({});
    await mark.confirm();
    pass(900);
    await mark.confirm();
    expect(reads()).toBe(1);
    pass(200);
    await mark.confirm();
    expect(reads()).toBe(2);
  });

  test('one that was long under way is old when it arrives', async () => {
    const { mark, reads } = watch({}, [5_000, 3_000, 10]);
    await mark.confirm();
    expect(reads()).toBe(3);
  });

  test('a Nova that is slow for good ends in an error, not in a request', async () => {
    const { mark, asked } = watch({}, [5_000]);
    const error = await thrown(mark.evacuate('vm1', 'hv04', new AbortController().signal));
    expect(error).toBeInstanceOf(CloudError);
    expect(asked).toEqual([]);
  });
});

describe('nothing leaves on a look that grew old while the mark was read', () => {
  const asksFor = async (watched: ReturnType<typeof watch>) => {
    const error = await thrown(watched.mark.evacuate('vm1', 'hv04', new AbortController().signal));
    return { asked: watched.asked, outcome: error instanceof CloudError ? error.outcome : null };
  };

  test('read quickly: it leaves', async () => {
    expect(await asksFor(watch({}, [100]))).toEqual({ asked: ['vm1'], outcome: null });
  });

  test('read slowly, then quickly: the mark is fresh, the look is not', async () => {
    expect(await asksFor(watch({}, [1_600, 100]))).toEqual({ asked: [], outcome: 'not-done' });
  });

  test('this machine stood still with its clocks meanwhile', async () => {
    const watched = watch({}, [100]);
    watched.standStill(600_000);
    expect(await asksFor(watched)).toEqual({ asked: [], outcome: 'not-done' });
  });
});
