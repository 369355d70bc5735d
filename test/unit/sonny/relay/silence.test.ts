import { expect, test } from 'vitest';
import type { Status } from '../../../../src/shared/documents/status.ts';
import type { FoundStatus } from '../../../../src/shared/redis/status.ts';
import { Silence } from '../../../../src/sonny/relay/silence.ts';

const status = (atMs: number, monitorPeriodMs = 60_000): FoundStatus => ({
  kind: 'found',
  status: {
    atMs,
    leader: { who: 'm', epoch: 1 },
    policy: { monitorPeriodMs },
    watches: [],
  } as unknown as Status,
});

function watching(read: () => Promise<FoundStatus>, silenceMs = 300_000) {
  const said: string[] = [];
  let nowMs = 1_000_000;
  const clock = { nowMs: () => nowMs, steadyMs: () => nowMs, sleep: () => Promise.resolve() };
  const say = (text: string) => said.push(text);
  const silence = new Silence({ statuses: new Map([['c', read]]), silenceMs, say, clock });
  const after = async (ms: number) => {
    nowMs += ms;
    await silence.look();
    return said.splice(0);
  };
  return { after };
}

test('said once when the status stands still, and again when it moves', async () => {
  let found = status(1);
  const { after } = watching(async () => found);
  expect(await after(10_000)).toEqual([]);
  expect(await after(299_000)).toEqual([]);
  expect(await after(1_000)).toEqual([
    expect.stringMatching(/^c: NOBODY WATCHES\. Its monitor has published nothing for 5 minutes, so no host/),
  ]);
  expect(await after(900_000)).toEqual([]);
  found = status(2);
  expect(await after(10_000)).toEqual(['c: the monitor is heard again, after 20 minutes.']);
  expect(await after(10_000)).toEqual([]);
  expect((await after(300_000)).length).toBe(1);
});

test.each<[string, () => Promise<FoundStatus>, RegExp]>([
  ['Redis is away', () => Promise.reject(new Error('ECONN\u001b[2J')), /cannot be read: "ECONN\\x1b\[2J"\)/],
  ['there is no status', async () => ({ kind: 'none' }), /\(Redis has no status of it\)/],
  ['it is not understood', async () => ({ kind: 'not-understood', version: 9 }), /one version\?/],
])('whatever the cause: %s', async (_, read, why) => {
  const { after } = watching(read);
  expect(await after(290_000)).toEqual([]);
  expect(await after(10_000)).toEqual([expect.stringMatching(why)]);
});

test('long rounds are waited for', async () => {
  const { after } = watching(async () => status(1, 600_000));
  await after(0);
  expect(await after(1_700_000)).toEqual([]);
  expect((await after(100_000)).length).toBe(1);
});
