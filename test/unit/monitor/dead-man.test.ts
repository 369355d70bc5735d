import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { DeadMan } from '../../../src/monitor/dead-man.ts';
import { createLog } from '../../../src/shared/ground/log.ts';

const url = 'https://watch.example.org/ping/3f2a-secret?key=s3cret';

function pinging(answers: (number | Error)[]) {
  const pinged: string[] = [];
  const out = new PassThrough();
  const log = createLog({ name: 'monitor', verbosity: 0, destination: out });
  let nowMs = 0;
  const clock = { nowMs: () => nowMs, steadyMs: () => nowMs, sleep: () => Promise.resolve() };
  const get = async (asked: string) => {
    pinged.push(asked);
    const answer = answers[pinged.length - 1] ?? 200;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const deadMan = new DeadMan({ url, get, clock, log });
  const round = async (ms: number) => {
    nowMs += ms;
    deadMan.saw('refreshing');
    deadMan.saw('watching');
    await turn();
    return pinged.length;
  };
  return { round, deadMan, pinged, written: () => String(out.read() ?? '') };
}

test('when a round is done, at most once a minute', async () => {
  const { round, deadMan, pinged } = pinging([]);
  deadMan.saw('watching');
  deadMan.saw('refreshing');
  expect(pinged).toEqual([]);
  expect(await round(1_000)).toBe(1);
  expect(await round(30_000)).toBe(1);
  expect(await round(30_000)).toBe(2);
  expect(pinged).toEqual([url, url]);
});

test('a failure is said once until it is over, without the address', async () => {
  const { round, written } = pinging([new Error(`no way to ${url}`), 500, 204]);
  await round(0);
  await round(60_000);
  const failed = written();
  expect(failed.trim().split('\n')).toHaveLength(1);
  expect(failed).toContain('dead_man_url at watch.example.org cannot be told');
  expect(failed).not.toMatch(/s3cret|3f2a/);
  await round(60_000);
  expect(written()).toContain('is told again');
});
