// Events on a terminal: one line each, coloured only where a person watches, and nothing in them acts on it.
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../../src/sonny/inbox/entry.ts';
import { terminalLine } from '../../../../src/sonny/render/terminal-line.ts';

const entry = (text: string, change: Partial<Entry> = {}): Entry => ({
  cloud: 'cloud1',
  position: null,
  atMs: Date.UTC(2026, 10, 21, 12),
  level: 'info',
  incidents: [],
  message: { kind: 'event', facts: null, text },
  ...change,
});

describe('a line', () => {
  it.each([
    [entry('hello'), false, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO {4}cloud1: hello$/],
    [entry('hello', { cloud: null }), false, /INFO {4}hello$/],
    [entry('two\nlines'), false, /cloud1: two\n {4}lines$/],
    [entry('a\u001b[2Jb\u0007\u202ec'), false, /cloud1: a\\x1b\[2Jb\\x07\\u202ec$/],
    [entry('x', { level: 'error' }), true, /.\[31mERROR {2}.\[39m cloud1/],
    [entry('x', { level: 'warning' }), true, /.\[33mWARNING.\[39m cloud1/],
  ])('line %#', (given, coloured, expected) => {
    expect(terminalLine(given, coloured)).toMatch(expected);
  });
  it('is none where nothing is said', () => {
    expect(terminalLine(entry('x', { message: null }), false)).toBeNull();
  });
});
