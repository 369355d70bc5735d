// What several vantage points saw together: the rules as a table, and what holds for any votes.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ScanFinding, ScanResult } from '../../../../src/shared/documents/jobs/scan.ts';
import {
  mergeScans,
  tooFewVantagePoints,
  type Vote,
  vantagePointsAgreeing,
  vouchedSilence,
} from '../../../../src/shared/rules/votes.ts';
import { isWorthWaiting } from '../../../../src/shared/vantage-points/ask-all.ts';

type State = ScanFinding['state'];

/** A vantage point that found hv01 so; blind: its control was silent. */
function saw(vantagePoint: string, state: State, sight: 'seen' | 'blind' = 'seen', tookMs = 10): Vote {
  const control = sight === 'seen' ? 'answers' : 'silent';
  return {
    vantagePoint,
    result: {
      ok: true,
      outcome: sight,
      targets: { hv01: { state, detail: `3 ports ${state}` } },
      controls: { hv02: { state: control, detail: `22 ${control}` } },
      tookMs,
    },
  };
}
const failed = (vantagePoint: string): Vote => ({ vantagePoint, result: { ok: false, detail: 'EMFILE' } });
const late = (vantagePoint: string): Vote => ({ vantagePoint, result: null });

const seen = (result: ScanResult) => {
  if (!result.ok) throw new Error(result.detail);
  return result;
};

describe('one target, several vantage points', () => {
  const never = (vantagePoint: string): Vote => ({
    vantagePoint,
    result: {
      ...(saw(vantagePoint, 'unknown').result as ScanResult & { ok: true }),
      targets: { hv01: { state: 'unknown', neverHeard: true, detail: 'never heard from here' } },
    },
  });
  test.each<[string, number, Vote[], State, boolean | undefined]>([
    ['the only one never heard it', 1, [never('a')], 'unknown', true],
    ['neither of two ever heard it', 1, [never('a'), never('b')], 'unknown', true],
    ['one heard it before, and that is enough', 1, [never('a'), saw('b', 'silent')], 'silent', undefined],
    ['one heard it before, two must agree', 2, [never('a'), saw('b', 'silent')], 'unknown', undefined],
    ['one has trouble of its own', 1, [never('a'), saw('b', 'unknown')], 'unknown', undefined],
    ['one is blind, and heard it before', 1, [never('a'), saw('b', 'silent', 'blind')], 'unknown', undefined],
    ['one did not answer', 1, [never('a'), late('b')], 'unknown', true],
    ['one hears it now', 1, [never('a'), saw('b', 'answers')], 'answers', undefined],
  ])('never heard: %s', (_, quorum, votes, state, neverHeard) => {
    const finding = seen(mergeScans(votes, quorum)).targets.hv01;
    expect(finding?.state).toBe(state);
    expect(finding?.neverHeard).toBe(neverHeard);
  });

  const table: [string, number, Vote[], 'seen' | 'blind' | 'too-few-vantage-points', State, string][] = [
    ['one vantage point, silent', 1, [saw('a', 'silent')], 'seen', 'silent', '3 ports silent'],
    ['one vantage point, heard', 1, [saw('a', 'answers')], 'seen', 'answers', '3 ports answers'],
    ['one vantage point, its own trouble', 1, [saw('a', 'unknown')], 'seen', 'unknown', '3 ports unknown'],
    ['one blind vantage point', 1, [saw('a', 'silent', 'blind')], 'blind', 'unknown', 'the scanner is blind'],
    [
      'one blind vantage point that hears it',
      1,
      [saw('a', 'answers', 'blind')],
      'blind',
      'answers',
      '3 ports answers',
    ],
    ['no vantage point', 1, [], 'too-few-vantage-points', 'unknown', ''],
    ['the only vantage point is late', 1, [late('a')], 'too-few-vantage-points', 'unknown', ''],
    [
      'two agree',
      2,
      [saw('a', 'silent'), saw('b', 'silent')],
      'seen',
      'silent',
      '3 ports silent, to 2 vantage points (a, b)',
    ],
    [
      'one of three hears it: a veto',
      2,
      [saw('a', 'silent'), saw('b', 'silent'), saw('c', 'answers')],
      'seen',
      'answers',
      '3 ports answers, heard by c',
    ],
    [
      'a blind one hears it: a veto',
      2,
      [saw('a', 'silent'), saw('b', 'silent'), saw('c', 'answers', 'blind')],
      'seen',
      'answers',
      '3 ports answers, heard by c',
    ],
    [
      'a blind one does not count, the others are enough',
      2,
      [saw('a', 'silent'), saw('b', 'silent', 'blind'), saw('c', 'silent')],
      'seen',
      'silent',
      '3 ports silent, to 2 vantage points (a, c)',
    ],
    [
      'a blind one does not count, the others are too few',
      2,
      [saw('a', 'silent'), saw('b', 'silent', 'blind')],
      'blind',
      'unknown',
      'a silent, b blind',
    ],
    [
      'sighted ones do not agree',
      2,
      [saw('b', 'unknown'), saw('a', 'silent')],
      'seen',
      'unknown',
      'a silent, b unknown (3 ports unknown)',
    ],
    [
      'a late one does not count',
      2,
      [saw('a', 'silent'), late('b')],
      'too-few-vantage-points',
      'unknown',
      'a silent',
    ],
    [
      'a late one is not needed',
      1,
      [saw('a', 'silent'), late('b')],
      'seen',
      'silent',
      '3 ports silent, to 1 vantage point (a)',
    ],
    [
      'a failed one is not needed',
      1,
      [saw('a', 'silent'), failed('b')],
      'seen',
      'silent',
      '3 ports silent, to 1 vantage point (a)',
    ],
  ];
  test.each(table)('%s (quorum %i)', (_, quorum, votes, outcome, state, detail) => {
    const result = seen(mergeScans(votes, quorum));
    expect(result.outcome).toBe(outcome);
    expect(result.targets.hv01 ?? { state: 'unknown', detail: '' }).toEqual({ state, detail });
    expect(seen(mergeScans([...votes].reverse(), quorum)), 'whatever their order').toEqual(result);
  });

  test('scans that failed are told in their own words when there is nothing else to tell', () => {
    expect(mergeScans([failed('a')], 1)).toEqual({ ok: false, detail: 'EMFILE' });
    expect(mergeScans([failed('a'), failed('b')], 2)).toEqual({ ok: false, detail: 'a: EMFILE; b: EMFILE' });
    expect(mergeScans([failed('a'), saw('b', 'silent')], 2)).toMatchObject({
      outcome: 'too-few-vantage-points',
    });
    expect(mergeScans([failed('a'), saw('b', 'answers')], 2)).toMatchObject({
      targets: { hv01: { state: 'answers' } },
    });
    expect(mergeScans([failed('a'), late('b')], 2)).toMatchObject({ outcome: 'too-few-vantage-points' });
  });

  test('who scanned and who did not', () => {
    const votes = [saw('b', 'silent', 'blind'), saw('a', 'silent'), late('c'), failed('d')];
    expect(tooFewVantagePoints(['hv01'], seen(mergeScans(votes, 3)))).toMatchObject({
      vantagePoints: ['a', 'b'],
      missing: ['c', 'd'],
      quorum: 3,
    });
  });

  test('a target one vantage point does not report on is unknown to it', () => {
    const partly = { ...seen(saw('b', 'silent').result as ScanResult), targets: {} };
    const result = seen(mergeScans([saw('a', 'silent'), { vantagePoint: 'b', result: partly }], 2));
    expect(result.targets.hv01).toEqual({
      state: 'unknown',
      detail: 'a silent, b unknown (not reported on)',
    });
  });
});

test('silence counts only together with what the same vantage point heard', () => {
  const vantagePoint = (name: string, target: State, heard: string[]): Vote => ({
    vantagePoint: name,
    result: {
      ok: true,
      outcome: 'seen',
      targets: { hv01: { state: target, detail: '' } },
      controls: Object.fromEntries(heard.map((control) => [control, { state: 'answers', detail: '' }])),
      tookMs: 1,
    },
  });
  // One has trouble with the target, the other hears only the gateway: together they would look like one good vantage
  // point.
  const mixed = seen(
    mergeScans([vantagePoint('a', 'unknown', ['hv03']), vantagePoint('b', 'silent', ['gateway'])], 1),
  );
  expect(mixed.targets.hv01?.state).toBe('silent');
  expect(vouchedSilence(mixed, ['hv01'], [['hv03', 'hv04']])).toBe(false);
  expect(vouchedSilence(mixed, ['hv01'], [['gateway']])).toBe(true);
  const good = seen(
    mergeScans([vantagePoint('a', 'silent', ['hv03']), vantagePoint('b', 'silent', ['hv04'])], 2),
  );
  expect(vantagePointsAgreeing(good, ['hv01'], [['hv03', 'hv04']])).toEqual(['a', 'b']);
  expect(vouchedSilence(good, ['hv01'], [['hv03']]), 'heard by one of the two').toBe(false);
});

test('any votes: a hearing vantage point is never outvoted, and silence needs so many sighted vantage points', () => {
  const state = fc.constantFrom<State>('answers', 'silent', 'unknown');
  const vote = fc.oneof(
    fc.tuple(state, fc.constantFrom<'seen' | 'blind'>('seen', 'blind')).map(([s, o]) => saw('', s, o)),
    fc.constant(failed('')),
    fc.constant(late('')),
  );
  const votes = fc
    .array(vote, { maxLength: 6 })
    .map((all) => all.map((v, i) => ({ ...v, vantagePoint: `vantage point${i}` })));
  const stateOf = (result: ScanResult): State =>
    result.ok ? (result.targets.hv01?.state ?? 'unknown') : 'unknown';
  fc.assert(
    fc.property(votes, fc.integer({ min: 1, max: 4 }), vote, (all, quorum, more) => {
      const merged = stateOf(mergeScans(all, quorum));
      const sightedAndSilent = all.filter(
        ({ result }) => result?.ok && result.outcome === 'seen' && result.targets.hv01?.state === 'silent',
      );
      const heard = all.some(({ result }) => result?.ok && result.targets.hv01?.state === 'answers');
      if (heard) expect(merged).not.toBe('silent');
      if (merged === 'silent') expect(sightedAndSilent.length).toBeGreaterThanOrEqual(quorum);
      expect(stateOf(mergeScans([...all, saw('zz', 'answers')], quorum)), 'a veto').not.toBe('silent');
      // One more vantage point that is not sighted and silent never makes anybody silent who was not.
      const isSilentVote =
        more.result?.ok && more.result.outcome === 'seen' && stateOf(more.result) === 'silent';
      if (merged !== 'silent' && !isSilentVote)
        expect(stateOf(mergeScans([...all, { ...more, vantagePoint: 'zz' }], quorum))).not.toBe('silent');
      // A stricter quorum never finds more silence.
      if (merged !== 'silent') expect(stateOf(mergeScans(all, quorum + 1))).not.toBe('silent');
    }),
    { numRuns: 1_000 },
  );
});

describe('how long they are waited for', () => {
  const rules = { quorum: 2, timeoutMs: 3_000 };
  const done = (vote: Vote) => ({ ...vote, pending: false });
  const pending = (vantagePoint: string) => ({ ...late(vantagePoint), pending: true });
  const [a, b] = [done(saw('a', 'silent')), done(saw('b', 'silent'))];
  const slow = done(saw('b', 'silent', 'seen', 20_000));
  const table: [string, Parameters<typeof isWorthWaiting>[0], number, boolean][] = [
    ['all are done', [a, b], 0, false],
    ['one more may veto', [a, b, pending('c')], 10_999, true],
    ['one more may veto, but not for ever', [a, b, pending('c')], 11_000, false],
    ['where others took long, it may too', [a, slow, pending('c')], 44_999, true],
    ['where others took long, it may too, but not for ever', [a, slow, pending('c')], 45_000, false],
    ['too few without it', [a, pending('b')], 54_999, true],
    ['too few without it, as long as a scan may take', [a, pending('b')], 55_000, false],
    [
      'a blind one does not make them enough',
      [a, done(saw('b', 'silent', 'blind')), pending('c')],
      54_999,
      true,
    ],
    ['too few registered: perhaps one comes', [a], 10_999, true],
    ['too few registered, and none came', [a], 11_000, false],
    ['one is gone: perhaps another comes', [a, done(late('b'))], 10_999, true],
    ['a failure is an answer', [a, done(failed('b'))], 0, false],
    ['nobody there', [], 10_999, true],
    ['nobody came', [], 11_000, false],
  ];
  test.each(table)('%s', (_, votes, waitedMs, waits) => {
    expect(isWorthWaiting(votes, waitedMs, rules)).toBe(waits);
  });
});
