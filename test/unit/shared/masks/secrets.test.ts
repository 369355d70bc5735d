// The masker: every form of a secret, of letters that some form has to guard; what is left alone; and that a hostile text
// costs no more than its length.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maskOf, Secrets } from '../../../../src/shared/masks/secrets.ts';
import { quotings } from '../../../support/quotings.ts';

const secrets = {
  plain: 'correcthorsebattery',
  'four letters': 'q9Zx',
  'all that JSON guards': 'a"b\\c/d"e',
  'all that HTML guards': `a&b<c>d"e'f`,
  'all that URLs guard': "p%w+d ?#&=!'()*~",
  'all that shells guard': `it's $HOME \`id\` "!"\\`,
  'letters of Europe': 'pässwörd€1',
  'beyond the first plane': 'pw🔑key-7',
  'what looks like escapes': 'ab%41\\u0042&amp;c\\nd',
  'a backslash at its end': 'secret\\',
  'quotes at both ends': '"quoted"',
  'a token': 'gAAAAABm_kLs9-xyz0123456789ABCDEFGHIJKLMNOPQRSTUV==',
  'digits only': '8675309123',
};

describe.each(Object.entries(secrets))('%s', (_, secret) => {
  const mask = maskOf([secret]);
  test.each(Object.entries(quotings))('as %s', (_, quote) => {
    const text = quote(secret);
    const before = 'before it, ';
    const masked = mask(`${before}${text}, behind it`);
    expect(masked).toContain('****');
    expect(masked).not.toContain(secret);
    // Nothing is left of the form that was masked: what one secret has in it, another of the same length has not.
    const other = quote([...secret].map((letter) => (letter === 'Q' ? 'R' : 'Q')).join(''));
    expect(masked.length).toBeLessThan(before.length + Math.max(text.length, other.length) + 30);
    expect(masked).toContain('before');
    expect(masked).toContain('behind');
  });
});

test('any secret, in any form, within the form of another', () => {
  const forms = Object.values(quotings);
  const form = fc.integer({ min: 0, max: forms.length - 1 });
  fc.assert(
    fc.property(
      fc
        .string({ unit: 'grapheme', minLength: 6, maxLength: 20 })
        .filter((s) => s.trim().length >= 6 && s === s.trim()),
      form,
      fc.constantFrom(
        ...['raw', 'json', 'html entities', 'encodeURIComponent', 'python repr', 'base64 of json'],
      ),
      (secret, inner, outer) => {
        const text = quotings[outer]?.(forms[inner]?.(secret) ?? '') ?? '';
        expect(maskOf([secret])(text)).toContain('****');
      },
    ),
    { numRuns: 2_000 },
  );
});

test('what is no secret stays as it is', () => {
  const mask = maskOf(['hunter2-secret', 'nova', null, undefined, '', 'abc']);
  const line = JSON.stringify({
    level: 'info',
    msg: 'abc: hv01 "up" 100% <b>&amp;</b> C:\\dir dXNlcjpwYXNz deadbeef00',
  });
  expect(mask(line)).toBe(line);
  expect(mask('nova-compute of hv01')).toBe('****-compute of hv01');
});

test('a line of JSON stays one', () => {
  const secret = 'ends in a backslash\\';
  const line = maskOf([secret])(JSON.stringify({ msg: secret, next: 'x' }));
  expect(JSON.parse(line)).toEqual({ msg: '****', next: 'x' });
});

test('a short one at the very end, where a longer one begins alike, in a text with escapes', () => {
  const mask = maskOf(['Plant000end', 'Plant000-and-much-longer']);
  expect(mask('first Plant000end \\" then Plant000end')).toBe('first **** \\" then ****');
});

test('of a URL also the password and the path, as errors name them alone', () => {
  const url = 'https://ping:s3cr%40t-word@hc.example.org/ping/0b6bd1f5-4f1d-4e1e-8ee7-7f2f4ad5c1b5';
  const mask = maskOf([url]);
  for (const text of [url, 's3cr@t-word', 'POST /ping/0b6bd1f5-4f1d-4e1e-8ee7-7f2f4ad5c1b5 404'])
    expect(mask(text)).toContain('****');
  expect(mask('hc.example.org')).toBe('hc.example.org');
});

test('of a PEM each line', () => {
  const line = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA';
  const mask = maskOf([`-----BEGIN PRIVATE KEY-----\n${line}\n-----END PRIVATE KEY-----\n`]);
  expect(mask(`key ${line}.`)).toBe('key ****.');
});

test('logins that pass are known for a while', () => {
  const all = new Secrets();
  for (let i = 0; i < 20; i += 1) all.learnPassing(`token-number-${i}-of-keystone`);
  expect(all.mask('token-number-19-of-keystone token-number-10-of-keystone')).toBe('**** ****');
  expect(all.mask('token-number-1-of-keystone')).toBe('token-number-1-of-keystone');
});

/** Milliseconds of processor time that masking takes, the better of two: others use this machine, too. */
function tookMs(mask: (text: string) => string, text: string): number {
  const times = [0, 1].map(() => {
    const before = process.cpuUsage();
    mask(text);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
  return Math.min(...times);
}

test('the time grows with the length of a text, however hostile, and not with the number of secrets', () => {
  const fleet = Array.from({ length: 1_000 }, (_, i) => `Fleet-bmc-${i}-p"w&d'${i * 7919}`);
  const mask = maskOf(fleet);
  mask('warm');
  const hostile = {
    backslashes: '\\',
    percents: '%25',
    ampersands: '&amp;',
    'numbers of HTML': '&#0000000000',
    letters: 'a',
    digits: '0',
    pairs: 'ab:',
    'starts of secrets': 'Fleet-bmc-',
    brackets: '<',
    'lines of base64': `${'A'.repeat(76)}\n`,
    'words of base64': 'QUFBQUFBQUE= ',
    JSON: '{\\"a\\": \\"b\\"}, ',
  };
  for (const [what, unit] of Object.entries(hostile)) {
    const [short, long] = [20_000, 200_000].map((length) =>
      tookMs(mask, unit.repeat(Math.ceil(length / unit.length))),
    );
    // Ten times the text: with room for a busy machine far below the hundredfold of a square.
    expect(long, what).toBeLessThan(Math.max(150, (short ?? 0) * 50));
    expect(long, what).toBeLessThan(4_000);
  }
}, 60_000);
