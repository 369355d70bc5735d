// When the next post goes out and what is in it.
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../../src/sonny/inbox/entry.ts';
import type { Post } from '../../../../src/sonny/outlet/outlet.ts';
import { nextStep } from '../../../../src/sonny/relay/batch.ts';
import { slackPacing } from '../../../../src/sonny/slack/pacing.ts';

const event = (text: string | null, change: Partial<Entry> = {}): Entry => ({
  cloud: 'cloud1',
  position: { id: '1-0', number: 1 },
  atMs: 0,
  level: 'info',
  incidents: [],
  message: text === null ? null : { kind: 'event', facts: null, text },
  ...change,
});

describe('when', () => {
  const now = 100_000;
  const [a, silent] = [event('a'), event(null)];
  const posted = { kind: 'post', post: { text: 'cloud1: a', entries: [a] } };
  it.each([
    ['nothing to say', [], null, { kind: 'idle' }],
    ['the first post goes at once', [a], null, posted],
    ['within the second: the rest of it', [a], now - 300, { kind: 'wait', ms: 700 }],
    ['right after the last', [a], now, { kind: 'wait', ms: 1_000 }],
    ['a second later', [a], now - 1_000, posted],
    ['the clock was set back: a second at most', [a], now + 3_600_000, { kind: 'wait', ms: 1_000 }],
    ['nothing but silent ones: no pause', [silent, silent], now, { kind: 'pass', entries: [silent, silent] }],
  ])('%s', (_, waiting, lastPostAtMs, expected) => {
    expect(nextStep(waiting, slackPacing, lastPostAtMs, now)).toEqual(expected);
  });
});

describe('what', () => {
  const post = (waiting: readonly Entry[]): Post => {
    const step = nextStep(waiting, slackPacing, null, 0);
    if (step.kind !== 'post') throw new Error(step.kind);
    return step.post;
  };

  it('puts what came meanwhile into one post, a line each, in order', () => {
    const waiting = [event('a'), event('b', { cloud: 'cloud2' }), event(null), event('c')];
    expect(post(waiting)).toEqual({ text: 'cloud1: a\ncloud2: b\ncloud1: c', entries: waiting });
  });

  it('lays out an event of several lines so that only events stand at the margin', () => {
    expect(post([event('two\r\nlines\n'), event('b')]).text).toBe('cloud1: two\n    lines\ncloud1: b');
  });

  it("says Sonny's own words without a cloud", () => {
    const own = event('status\nof all', { cloud: null, position: null });
    expect(post([own, event('a')]).text).toBe('status\nof all\ncloud1: a');
  });

  it('splits at 3,500 characters, and keeps every event whole', () => {
    const all = Array.from({ length: 100 }, (_, i) => event(`${i} ${'x'.repeat(90)}`));
    const texts: string[] = [];
    for (let left = all; left.length > 0; ) {
      const { text, entries } = post(left);
      texts.push(text);
      left = left.slice(entries.length);
    }
    expect(texts.every((text) => text.length <= 3_500)).toBe(true);
    expect(texts.length).toBe(3);
    expect(texts.join('\n').split('\n')).toEqual(all.map((_, i) => `cloud1: ${i} ${'x'.repeat(90)}`));
  });

  it('cuts one event that is too long, with a hint, and sends it alone', () => {
    const { text, entries } = post([event('y'.repeat(10_000)), event('b')]);
    expect(entries).toHaveLength(1);
    expect(text.length).toBeLessThanOrEqual(3_500);
    expect(text).toMatch(/^cloud1: y+ … \(cut: \d+ characters more\)$/);
  });

  it.each(['&', '<', '😀'])('cuts between entities and whole characters: %s', (sign) => {
    const { text } = post([event(sign.repeat(4_000))]);
    expect(text.length).toBeLessThanOrEqual(3_500);
    expect(text.length).toBeGreaterThan(3_440);
    expect(text).not.toMatch(/\p{Cs}/u);
    expect(text).toMatch(/^cloud1: (&amp;|&lt;|😀)+ … \(cut/u);
  });

  it('takes the meaning from mentions of everybody and from links', () => {
    expect(post([event('<!channel> & <@U1> <https://a|b>')]).text).toBe(
      'cloud1: &lt;!channel&gt; &amp; &lt;@U1&gt; &lt;https://a|b&gt;',
    );
  });
});
