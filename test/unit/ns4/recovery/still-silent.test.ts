// While instances are moved: how old an answer about the dead host may be, whatever happens to the time of day.
import { expect, test } from 'vitest';
import { AgentsOfTheDead } from '../../../../src/ns4/recovery/agents-of-the-dead.ts';
import { SignOfLifeError, StillSilent } from '../../../../src/ns4/recovery/still-silent.ts';
import type { ScanResult } from '../../../../src/shared/documents/jobs/scan.ts';
import { nowMs } from '../../../support/inventories.ts';

function watch() {
  const time = { passedMs: 0, setByMs: 0 };
  let asked = 0;
  const scan = async (): Promise<ScanResult> => {
    asked += 1;
    const targets = { hv01: { state: 'answers', detail: 'port 22 open' } } as const;
    return { ok: true, outcome: 'seen', targets, controls: {}, tookMs: 1 };
  };
  const silence = new StillSilent({
    order: { dead: 'hv01', judgedAtMs: nowMs },
    agents: new AgentsOfTheDead('hv01', []),
    cloud: { listAgents: async () => [], clockSkewMs: () => 0 },
    heartbeatPeriodMs: 40_000,
    signal: new AbortController().signal,
    clock: {
      nowMs: () => nowMs + time.passedMs + time.setByMs,
      steadyMs: () => time.passedMs,
      sleep: async () => {},
    },
    ...{ confirmedAtMs: 0, scan },
  });
  return { time, silence, asked: () => asked };
}

test('a recent answer is good enough; an older one is asked for again beside the work; an old one is waited for', async () => {
  const { time, silence, asked } = watch();
  time.passedMs = 4_000;
  await silence.confirm();
  expect(asked()).toBe(0);
  time.passedMs = 15_000;
  await silence.confirm();
  expect(asked()).toBe(1);
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
    expect(asked()).toBe(0);
    time.passedMs = 21_000;
    await expect(silence.confirm()).rejects.toThrow(SignOfLifeError);
  },
);
