// Events written to a terminal.
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../../src/sonny/inbox/entry.ts';
import { Terminal } from '../../../../src/sonny/terminal/terminal.ts';

const entry = (text: string | null): Entry => ({
  cloud: 'cloud1',
  position: null,
  atMs: Date.UTC(2026, 10, 21, 12),
  level: 'info',
  incidents: [],
  message: text === null ? null : { kind: 'event', facts: null, text },
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
