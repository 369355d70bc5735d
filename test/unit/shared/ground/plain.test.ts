import { describe, expect, it } from 'vitest';
import { mostOfName, plain, plainWithin, quoted } from '../../../../src/shared/ground/plain.ts';

describe('plain', () => {
  it.each([
    ['an escape sequence', '\u001b[2Jx', '\\x1b[2Jx'],
    ['a title by OSC', '\u001b]0;x\u0007', '\\x1b]0;x\\x07'],
    ['C1', 'a\u009b2Jb', 'a\\u009b2Jb'],
    ['reading direction', 'a\u202eb\u2066c', 'a\\u202eb\\u2066c'],
    ['zero width', 'a\u200bb\u200dc\ufeffd', 'a\\u200bb\\u200dc\\ufeffd'],
    ['soft hyphen', 'a\u00adb', 'a\\u00adb'],
    ['Arabic letter mark', 'a\u061cb', 'a\\u061cb'],
    ['Mongolian vowel separator', 'a\u180eb', 'a\\u180eb'],
    ['a tag', 'a\u{e0041}b', 'a\\udb40\\udc41b'],
    ['Hangul filler', 'a\u3164b\u115fc\uffa0d', 'a\\u3164b\\u115fc\\uffa0d'],
    ['a blank of Braille', 'a\u2800b', 'a\\u2800b'],
    ['other line ends', 'a\u2028b\u2029c\rd', 'a\\u2028b\\u2029c\\x0dd'],
    ['half a character', 'a\ud800b', 'a\\ud800b'],
    ['a flood of marks', `z${'\u0301'.repeat(50)}b`, `z${'\u0301'.repeat(4)}b`],
    ['letters, lines and tabs', 'Größe 漢字 é\n\tx\r\ny', 'Größe 漢字 é\n\tx\ny'],
  ])('%s', (_, given, expected) => {
    expect(plain(given)).toBe(expected);
  });

  it('is idempotent', () => {
    const once = plain('a\u202eb\u001b[0m');
    expect(plain(once)).toBe(once);
  });
});

it('leaves JSON what it was', () => {
  const value = { name: 'a\u202eb\u009bc\u{e0041}\u007f\u001b' };
  const line = JSON.stringify(value);
  expect(JSON.parse(plain(line))).toEqual(value);
  expect(plain(line)).not.toMatch(/\u202e|\u009b|\u007f/);
  expect(JSON.parse(plainWithin(line))).toEqual({
    name: 'a\\u202eb\\u009bc\\udb40\\udc41\\u007f\u001b',
  });
});

describe('quoted', () => {
  it.each([
    ['a usual name', 'web-1', '"web-1"'],
    ['nothing', '', '""'],
    ['quotes within', 'x" answers. “Run” „this«', `"x' answers. 'Run' 'this'"`],
    ['more lines', 'a\n\nb\tc', '"a b c"'],
    ['what is not seen', 'a\u202eb', '"a\\u202eb"'],
  ])('%s', (_, given, expected) => {
    expect(quoted(given)).toBe(expected);
  });

  it('cuts what is long, by characters, and in no time', () => {
    const long = quoted('😀'.repeat(100));
    expect([...long]).toHaveLength(mostOfName + 2);
    expect(long.endsWith('…"')).toBe(true);
    // Of this process: others may be at work on the machine.
    const begin = process.cpuUsage();
    expect([...quoted('x'.repeat(20_000_000))].length).toBe(mostOfName + 2);
    expect(quoted(`${' '.repeat(5_000_000)}x`)).toBe('"…"');
    expect(process.cpuUsage(begin).user).toBeLessThan(1_000_000);
  });
});
