// Events on a terminal: one line each, coloured only where a person watches, and nothing in them acts on it.
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../../src/sonny/relay/batch.ts';
import { Terminal, terminalLine } from '../../../../src/sonny/terminal/terminal.ts';

const entry = (text: string | null, change: Partial<Entry> = {}): Entry => ({
  ...{ cloud: 'cloud1', position: null, atMs: Date.UTC(2026, 10, 21, 12), level: 'info', text },
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
});

describe('the terminal', () => {
  it('writes what is to be said, uncoloured into a pipe', async () => {
    const stream = new PassThrough();
    const entries = [entry('a'), entry(null), entry('b')];
    expect(await new Terminal(stream).deliver({ text: '', entries })).toEqual({ kind: 'sent' });
    const lines = String(stream.read()).split('\n');
    expect(lines.map((line) => line.replace(/^.*cloud1/, ''))).toEqual([': a', ': b', '']);
  });

  it('does not call written what it could not write', async () => {
    const stream = new PassThrough();
    stream.on('error', () => {});
    stream.destroy();
    await expect(new Terminal(stream).deliver({ text: '', entries: [entry('a')] })).rejects.toThrow();
  });
});
