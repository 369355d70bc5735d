// `--action on` of the level ceph: only entries of this host, only after a reboot or a typed name, never in a recovery.
import { expect, test } from 'vitest';
import { lift } from '../../../../src/ns4/commands/lift.ts';
import type { Cut } from '../../../../src/ns4/disks/cut-off-store.ts';
import type { DeviceLevel } from '../../../../src/ns4/fencing/plan.ts';
import { type Blocklist, cannotTell } from '../../../../src/ns4/storage/storage.ts';

const nowMs = Date.UTC(2026, 10, 29, 12);
const entry = (text: string) => ({ entry: text, range: false, expiresAtMs: nowMs + 300 * 86_400_000 });
const cut = (addresses: string[]): Cut => ({ addresses, atMs: nowMs - 3_600_000, seenOff: null });
const look = async () => ({ says: 'off' as const, said: 'off' });
const booted = ' 12:00 up 5 min,  0 users,  load average: 0';

interface Case {
  cuts?: [string, Cut][];
  list?: Blocklist;
  uptime?: string | null;
  isRecovering?: boolean;
  /** They say off, whoever is asked. */
  levels?: DeviceLevel[];
  doubt?: string | null;
  copiesLeft?: string | null;
  /** What befalls the host while its operator is asked. */
  meanwhile?: (now: { cuts: Map<string, Cut>; isRecovering: boolean; steadyMs: number }) => void;
}

function bench({
  cuts,
  list,
  uptime = null,
  isRecovering = false,
  meanwhile = () => {},
  levels = [],
  doubt = null,
  copiesLeft = null,
}: Case) {
  const asked: string[] = [];
  const lifted: string[] = [];
  const forgotten: string[] = [];
  const held: string[] = [];
  const now = {
    cuts: new Map(cuts ?? [['hv01', cut(['10.2.0.1'])]]),
    ...{ isRecovering, steadyMs: 0 },
  };
  const entries = ['10.2.0.1:0/0', '10.2.0.1:0/3424', '10.2.0.2:0/0', '[fd00::1]:0/0'].map(entry);
  const run = (answer: 'yes' | 'no' = 'no') =>
    lift('hv01', {
      storage: {
        blocklist: async () => list ?? { kind: 'listed', epoch: 9, entries },
        unblock: async (addresses) => {
          lifted.push(...addresses);
          return { kind: 'done' };
        },
      },
      store: {
        addresses: async () => [{ host: 'hv01', address: 'fd00::1', firstMs: nowMs, lastMs: nowMs }],
      },
      cuts: {
        all: async () => new Map(now.cuts),
        forget: async (host) => void forgotten.push(host),
      },
      ...{ levels, doubt, look, timeoutMs: 5_000, signal: new AbortController().signal },
      clock: { nowMs: () => nowMs, steadyMs: () => now.steadyMs, sleep: async () => undefined },
      uptime: async () => uptime,
      copiesLeft: async () => copiesLeft,
      isRecovering: async () => now.isRecovering,
      hold: async (host) => {
        if (now.isRecovering) return null;
        held.push(`${host} held`);
        return {
          lost: new AbortController().signal,
          release: async () => void held.push(lifted.length > 0 ? 'released after it' : 'released'),
        };
      },
      ask: async (what) => {
        asked.push(what);
        meanwhile(now);
        if (answer === 'no') throw new Error('another name was typed');
      },
    });
  return { run, asked, lifted, forgotten, held };
}

test('rebooted: its own addresses are lifted, as a whole, and nobody is asked', async () => {
  const { run, asked, lifted, forgotten } = bench({ uptime: booted });
  expect(await run()).toMatchObject({
    well: true,
    text: expect.stringMatching(/lifted \(it was booted after/),
  });
  expect(lifted).toEqual(['10.2.0.1', 'fd00::1']);
  expect([asked, forgotten]).toEqual([[], ['hv01']]);
});

test('nobody can tell: its name has to be typed', async () => {
  const refused = bench({});
  await expect(refused.run()).rejects.toThrow('another name');
  expect([refused.lifted, refused.forgotten]).toEqual([[], []]);
  const given = bench({});
  expect(await given.run('yes')).toMatchObject({ well: true, text: expect.stringContaining('by your word') });
  expect(given.asked[0]).toContain('hv01 was booted since it was cut off, or is off');
});

test('copies may be left on it: its name has to be typed, though it was booted', async () => {
  const copiesLeft = '1 evacuation from hv01 not completed ("vm1")';
  const refused = bench({ uptime: booted, copiesLeft });
  await expect(refused.run()).rejects.toThrow('another name');
  expect(refused.lifted).toEqual([]);
  const given = bench({ uptime: booted, copiesLeft });
  expect(await given.run('yes')).toMatchObject({ well: true, text: expect.stringContaining('by your word') });
  expect(given.asked[0]).toMatch(
    /^1 evacuation from hv01 not completed \("vm1"\)\. hv01 was booted since .* \("virsh list/,
  );
});

test('no recovery can begin while they are lifted', async () => {
  const { run, held } = bench({ uptime: booted });
  await run();
  expect(held).toEqual(['hv01 held', 'released after it']);
});

test.each<[string, NonNullable<Case['meanwhile']>, RegExp]>([
  [
    'a recovery of it begins',
    (now) => {
      now.isRecovering = true;
    },
    /its recovery, or one onto it, is under/,
  ],
  [
    'it was recovered again, from the same address',
    ({ cuts }) => cuts.set('hv01', { ...cut(['10.2.0.1']), atMs: nowMs }),
    /not lifted: it was cut off anew at 2026-11-29T12:00:00Z/,
  ],
  ['an address more', ({ cuts }) => cuts.set('hv01', cut(['10.2.0.1', '10.2.0.9'])), /changed meanwhile/],
  ['somebody else lifted them', ({ cuts }) => cuts.delete('hv01'), /changed meanwhile/],
  [
    'its address is blocked for another one',
    ({ cuts }) => cuts.set('hv02', cut(['10.2.0.1'])),
    /10\.2\.0\.1 is blocked for hv02 as well/,
  ],
])('while the prompt is open, %s: nothing is lifted, and nothing forgotten', async (_, meanwhile, text) => {
  const { run, asked, lifted, forgotten, held } = bench({ meanwhile });
  expect(await run('yes')).toEqual({ well: false, text: expect.stringMatching(text) });
  expect(asked).toHaveLength(1);
  expect([lifted, forgotten]).toEqual([[], []]);
  expect(held).toHaveLength(held.length === 0 ? 0 : 2);
});

test.each<[string, Case, RegExp]>([
  [
    'it runs since before',
    { uptime: ' 12:00 up 10 days,  3:22,  0 users' },
    /not lifted: it was not booted since/,
  ],
  [
    'its recovery is under way',
    { uptime: booted, isRecovering: true },
    /its recovery, or one onto it, is under way/,
  ],
  ['Ceph does not answer', { list: cannotTell('it hangs') }, /could not be read: it hangs/],
  [
    'another host is blocked by that entry',
    {
      uptime: booted,
      cuts: [
        ['hv01', cut(['10.2.0.1'])],
        ['hv02', cut(['10.2.0.1'])],
      ],
    },
    /10\.2\.0\.1 is blocked for hv02 as well/,
  ],
])('refused, and not asked for a word: %s', async (_, change, text) => {
  const { run, asked, lifted } = bench(change);
  expect(await run('yes')).toEqual({ well: false, text: expect.stringMatching(text) });
  expect([asked, lifted]).toEqual([[], []]);
});

test('nothing of it is blocked: well, and forgotten', async () => {
  const { run, forgotten } = bench({ list: { kind: 'listed', epoch: 9, entries: [entry('10.2.0.2:0/0')] } });
  expect(await run()).toMatchObject({ well: true, text: expect.stringContaining('nothing to lift') });
  expect(forgotten).toEqual(['hv01']);
});

const range = (text: string) => ({ ...entry(text), range: true });

test.each<[string, string[], string]>([
  ['IPv4', ['10.2.0.0:0/24', '10.3.0.0:0/24'], 'ceph osd blocklist range rm 10.2.0.0/24'],
  ['IPv6', ['[fd00::]:0/64'], 'ceph osd blocklist range rm fd00::/64'],
])("somebody's range blocks it, %s: said, and not forgotten", async (_, ranges, command) => {
  const { run, lifted, forgotten } = bench({
    uptime: booted,
    list: { kind: 'listed', epoch: 9, entries: ranges.map(range) },
  });
  const text = `not lifted: blocked by a range, which Sonny did not set; after its reboot: ${command}`;
  expect(await run()).toEqual({ well: false, text });
  expect([lifted, forgotten]).toEqual([[], []]);
});

test('an entry of its own, and a range: lifted, and still told of', async () => {
  const entries = [entry('10.2.0.1:0/0'), range('10.2.0.0:0/24')];
  const { run, lifted, forgotten } = bench({ uptime: booted, list: { kind: 'listed', epoch: 9, entries } });
  expect(await run()).toMatchObject({
    well: false,
    text: expect.stringMatching(/lifted .*; still cut off from/),
  });
  expect([lifted, forgotten]).toEqual([['10.2.0.1'], []]);
});

const level: DeviceLevel = { number: 1, devices: [{ agent: 'fence_x', program: '/x', options: {} }] };
const seenOff = { ...cut(['10.2.0.1']), seenOff: { atMs: nowMs, by: 'fence_x, level 1' } };

test.each<[string, Case]>([
  ['says off now', { levels: [level] }],
  ['saw it off before', { cuts: [['hv01', seenOff]] }],
])('a device that %s: lifted; one in doubt is not believed, and only a typed name counts', async (_, by) => {
  const believed = bench(by);
  expect(await believed.run()).toMatchObject({ well: true });
  const doubted = bench({ ...by, doubt: 'hv02 fell silent' });
  await expect(doubted.run()).rejects.toThrow('another name');
  expect(doubted.asked[0]).toMatch(/^hv02 fell silent\. its nova-compute tells no uptime/);
  expect(doubted.lifted).toEqual([]);
});
