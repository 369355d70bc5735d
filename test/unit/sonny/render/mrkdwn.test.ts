// Nothing that came from a cloud may become markup, and nothing may be cut in half.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeBlock, escapeMrkdwn, escapeWithin, plainText } from '../../../../src/sonny/render/mrkdwn.ts';

describe('escapeMrkdwn', () => {
  it.each([
    ['a <b> & c', 'a &lt;b&gt; &amp; c'],
    ['<!channel> <@U1>', '&lt;!channel&gt; &lt;@U1&gt;'],
    ['@here and @channels', '@\u200bhere and @channels'],
    ['mail@example.org', 'mail@example.org'],
    ['&lt;!here&gt;', '&amp;lt;!here&amp;gt;'],
  ])('%j', (given, expected) => {
    expect(escapeMrkdwn(given)).toBe(expected);
  });
});

describe('plainText', () => {
  it.each([
    ['show hv <http://hv1.example.org|hv1.example.org>', 'show hv hv1.example.org'],
    ['show hv <http://hv1.example.org>', 'show hv hv1.example.org'],
    ['show hv <https://hv1.example.org/>', 'show hv hv1.example.org'],
    ['show vm <tel:0123456789|0123456789>', 'show vm 0123456789'],
    ['<mailto:a@b.c|a@b.c>', 'a@b.c'],
    ['a &amp; b &lt;c&gt; &amp;lt;', 'a & b <c> &lt;'],
  ])('%j', (given, expected) => {
    expect(plainText(given)).toBe(expected);
  });
});

describe('escapeWithin', () => {
  it('leaves a text that fits', () => {
    expect(escapeWithin('<a>', 9)).toBe('&lt;a&gt;');
  });

  it('never exceeds the limit, never cuts an entity or a character, and says how much is missing', () => {
    const texts = fc.string({ unit: fc.constantFrom('a', '<', '&', '😀', '@here', '\n'), maxLength: 200 });
    fc.assert(
      fc.property(texts, fc.integer({ min: 60, max: 300 }), (text, longest) => {
        const escaped = escapeWithin(text, longest);
        expect(escaped.length).toBeLessThanOrEqual(longest);
        const [, kept = escaped, cut = '0'] =
          /^([\s\S]*) … \(cut: (\d+) characters more\)$/.exec(escaped) ?? [];
        const original = plainText(kept.replaceAll('\u200b', ''));
        expect(text.startsWith(original)).toBe(true);
        expect(original.length + Number(cut)).toBe(text.length);
        expect(kept).not.toMatch(/\p{Cs}/u);
      }),
    );
  });
});

describe('codeBlock', () => {
  it('opens and closes', () => {
    expect(codeBlock('a: 1\nb: <2>\n', 100)).toBe('```\na: 1\nb: &lt;2&gt;\n```');
  });

  it('cuts whole lines, closes, and says so', () => {
    const lines = Array.from({ length: 100 }, (_, i) => `line: ${i}`).join('\n');
    expect(codeBlock(lines, 40)).toBe('```\nline: 0\nline: 1\nline: 2\nline: 3\n```\n… (cut: 96 lines more)');
  });

  it('keeps a first line that is too long, cut', () => {
    const block = codeBlock('x'.repeat(5_000), 500);
    expect(block).toMatch(/^```\nx+ … \(cut: \d+ characters more\)\n```$/);
    expect(block.length).toBeLessThan(1_100);
  });

  it('cannot be left from inside', () => {
    const texts = fc.string({ unit: fc.constantFrom('`', '\n', 'a', ' '), maxLength: 60 });
    fc.assert(
      fc.property(texts, (text) => {
        expect(codeBlock(text, 1_000).match(/```/g)).toHaveLength(2);
      }),
    );
  });
});
