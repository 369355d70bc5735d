// Whom a process believes: what seals bind, what is refused and why, keys that come and go, and what is told of it.
import { describe, expect, test } from 'vitest';
import type { Distrust } from '../../../../src/shared/documents/terms/distrust.ts';
import { type About, openSeal, sealOf, withoutSeal } from '../../../../src/shared/trust/seal.ts';
import { clockMarginMs } from '../../../../src/shared/trust/trust.ts';
import { keyed, noKey, otherKey, testKey } from '../../../support/trust.ts';

const startMs = Date.UTC(2026, 10, 30);
const clockAt = (atMs: number) => {
  const clock = { atMs, nowMs: () => clock.atMs, steadyMs: () => clock.atMs };
  return clock;
};
/** As it comes back from Redis. */
const stored = (document: object): Record<string, unknown> => JSON.parse(JSON.stringify(document));
const hour = { mostAgeMs: 3_600_000 };

describe('a seal', () => {
  const about: About = { cloud: 'prod', purpose: 'order', subject: 'x' };
  const stamp = { atMs: startMs, nonce: 'n1' };
  const document = { kind: 'recover', host: 'hv01', list: [1, 2.5, null, { '10': 'a', '2': 'b' }] };
  const sealed = stored({ ...document, seal: sealOf(document, about, stamp, testKey).seal });

  test('is that of the document as it was, wherever it went meanwhile', () => {
    expect(openSeal(sealed, about, [testKey])).toMatchObject({ seal: stamp });
    expect(withoutSeal(sealed)).toEqual(document);
  });

  test('is the same by the same key: the form in which it stands in Redis is a promise to the next version', () => {
    expect(sealed.seal).toEqual({ ...stamp, mac: 'hzu88OpcS1I0Fd32wSxWlTof0W4o3VW7lj_sJEZngX4' });
  });

  test.each<[string, unknown, About, string[]]>([
    ['another document', { ...sealed, host: 'hv02' }, about, [testKey]],
    ['one more field', { ...sealed, despite: [] }, about, [testKey]],
    ['another cloud', sealed, { ...about, cloud: 'lab' }, [testKey]],
    ['another purpose', sealed, { ...about, purpose: 'job' }, [testKey]],
    ['another subject', sealed, { ...about, subject: 'y' }, [testKey]],
    [
      'another time',
      { ...sealed, seal: { ...(sealed.seal as object), atMs: startMs + 1 } },
      about,
      [testKey],
    ],
    ['another nonce', { ...sealed, seal: { ...(sealed.seal as object), nonce: 'n2' } }, about, [testKey]],
    ['another key', sealed, about, [otherKey]],
    ['no key', sealed, about, []],
    ['half a seal', { ...document, seal: { atMs: startMs, nonce: 'n1' } }, about, [testKey]],
    ['a seal that is none', { ...document, seal: 'by alice' }, about, [testKey]],
    ['an empty mac', { ...sealed, seal: { ...(sealed.seal as object), mac: '' } }, about, [testKey]],
  ])('is wrong for %s', (_, found, of, keys) => {
    expect(openSeal(found, of, keys)).toBe('wrong');
  });

  test.each([[null], ['text'], [7], [document]])('%j bears none', (found) => {
    expect(openSeal(found, about, [testKey])).toBe('unsigned');
  });
});

describe('with a key', () => {
  const setting = () => {
    const clock = clockAt(startMs);
    const told: Distrust[] = [];
    return { clock, told, trust: keyed('prod', { clock, told }) };
  };

  test('its own documents are believed, as objects and as texts', () => {
    const { trust, told } = setting();
    expect(trust.distrusts('job', 'q/a/1', stored(trust.seal('job', 'q/a/1', { a: 1 })))).toBeNull();
    expect(trust.distrusts('state', '', JSON.parse(trust.text('state', '', {})))).toBeNull();
    const text = trust.text('state', '', { a: [1, { b: null }] });
    expect(trust.distrusts('state', '', JSON.parse(text))).toBeNull();
    expect(told).toEqual([]);
  });

  test.each<[Distrust['why'], (at: ReturnType<typeof setting>) => unknown]>([
    ['unsigned', () => ({ kind: 'reset-cooldown' })],
    ['wrong', ({ clock }) => stored(keyed('prod', { clock, keys: [otherKey] }).seal('order', '', { a: 1 }))],
    ['wrong', ({ trust }) => ({ ...stored(trust.seal('order', '', { a: 1 })), a: 2 })],
    [
      'future',
      ({ clock }) =>
        stored(keyed('prod', { clock: clockAt(clock.atMs + clockMarginMs + 1) }).seal('order', '', { a: 1 })),
    ],
    [
      'old',
      ({ clock }) =>
        stored(
          keyed('prod', { clock: clockAt(clock.atMs - hour.mostAgeMs - clockMarginMs - 1) }).seal(
            'order',
            '',
            {
              a: 1,
            },
          ),
        ),
    ],
    [
      'again',
      ({ trust }) => {
        const order = stored(trust.seal('order', '', { a: 1 }));
        trust.takeOnce(order, hour);
        return order;
      },
    ],
  ])('%s: refused, and told once', (why, make) => {
    const at = setting();
    const found = make(at);
    const refused = { what: 'order', about: '', why };
    expect(at.trust.distrusts('order', '', found, hour)).toEqual(refused);
    expect(at.trust.distrusts('order', '', found, hour)).toEqual(refused);
    expect(at.told).toEqual([refused]);
    at.clock.atMs += 1;
    at.trust.refuse({ what: 'order', about: '', why });
    expect(at.told).toHaveLength(1);
    at.clock.atMs += 3_600_000;
    at.trust.refuse({ what: 'order', about: '', why });
    expect(at.told).toHaveLength(2);
  });

  test('what has no limit counts by whatever clock: a journal of last week, or of a machine whose clock is ahead', () => {
    const { trust, clock } = setting();
    const journal = stored(trust.seal('journal', 'x.1', { id: 'x.1' }));
    clock.atMs -= 86_400_000;
    expect(trust.distrusts('journal', 'x.1', journal)).toBeNull();
    clock.atMs += 30 * 86_400_000;
    expect(trust.distrusts('journal', 'x.1', journal)).toBeNull();
  });

  test('a name that somebody chose is cut and reduced before it is told', () => {
    const { trust, told } = setting();
    trust.distrusts('job', `work/recover/\u001b]0;x\u0007<!channel>${'y'.repeat(500)}`, {});
    expect(told[0]?.about).toMatch(/^work\/recover\/\?\?0\?x\?\?\?channel\?y+$/);
    expect(told[0]?.about).toHaveLength(100);
  });

  test('while a key is introduced what bears no seal is taken and told; a wrong one is not', () => {
    const told: Distrust[] = [];
    const trust = keyed('prod', { unsigned: 'accept', told });
    expect(trust.distrusts('order', '', { a: 1 })).toBeNull();
    const wrong = stored(keyed('prod', { keys: [otherKey] }).seal('order', '', { a: 1 }));
    expect(trust.distrusts('order', '', wrong)?.why).toBe('wrong');
    expect(told.map(({ why }) => why)).toEqual(['accepted', 'wrong']);
  });

  test('a key is replaced without a moment in which one of two processes is not believed', () => {
    const steps = [[testKey], [testKey, otherKey], [otherKey, testKey], [otherKey]];
    for (const [i, keys] of steps.entries())
      for (const others of steps.slice(Math.max(0, i - 1), i + 2)) {
        const sealed = stored(keyed('prod', { keys }).seal('order', '', { a: 1 }));
        expect(keyed('prod', { keys: others }).distrusts('order', '', sealed)).toBeNull();
      }
  });
});

test('without a key everything is believed and nothing sealed; that others do is told', () => {
  expect(noKey().seal('order', '', { a: 1 })).toEqual({ a: 1 });
  expect(noKey().text('order', '', { a: 1 })).toBe('{"a":1}');
  expect(noKey().distrusts('order', '', { a: 1 })).toBeNull();
  expect(noKey().distrusts('order', '', stored(keyed('prod').seal('order', '', { a: 1 })))).toBeNull();
});
