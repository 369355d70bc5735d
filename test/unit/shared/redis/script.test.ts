// Each Lua script says what it is handed, and is handed no more and no less: its name counts the keys, its head names
// them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Db } from '../../../../src/shared/redis/db.ts';
import { loadScript, runScript } from '../../../../src/shared/redis/script.ts';

const src = join(import.meta.dirname, '../../../../src');
const folder = join(src, 'shared/redis/scripts');
const names = readdirSync(folder).map((file) => file.replace(/\.lua$/, ''));
const scripts = names.filter((name) => /-(\d+|n)$/.test(name));
const included = names.filter((name) => !scripts.includes(name));
const numbersIn = (text: string, table: string) =>
  [...text.matchAll(new RegExp(`${table}\\[(\\d+)\\]`, 'g'))].map((m) => Number(m[1]));
const listed = (text: string, what: string) =>
  (new RegExp(`^-- ${what}: (.*)$`, 'm').exec(text)?.[1] ?? '').split(', ').filter(Boolean);

describe.each(scripts)('%s.lua', (name) => {
  const script = loadScript(name);
  const { keys } = script;
  const { text } = script.read();

  test('names its keys, as many as its name says, and uses each', () => {
    expect(listed(text, 'KEYS')).not.toEqual([]);
    // "-n": as many as there are, in a loop.
    if (keys === null) return expect(text).toContain('#KEYS');
    // "the vantage points, by the time …" is one key.
    expect(keys === 1 || listed(text, 'KEYS').length === keys).toBe(true);
    expect([...new Set(numbersIn(text, 'KEYS'))].sort()).toEqual(
      Array.from({ length: keys }, (_, i) => i + 1),
    );
  });

  test('names its arguments when it has any', () => {
    const most = Math.max(0, ...numbersIn(text, 'ARGV'));
    expect(listed(text, 'ARGV').length > 0).toBe(most > 0);
  });

  test('is used', () => {
    const used = readdirSync(src, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .some((file) => readFileSync(join(src, file), 'utf8').includes(`loadScript('${name}')`));
    expect(used).toBe(true);
  });
});

test('what is included is a file of its own without a count of keys, and is included', () => {
  const texts = scripts.map((name) => readFileSync(join(folder, `${name}.lua`), 'utf8')).join('\n');
  expect(included.length).toBeGreaterThan(0);
  for (const name of included) expect(texts).toContain(`-- include ${name}.lua\n`);
  for (const name of scripts) expect(loadScript(name).read().text).not.toContain('-- include');
  expect(() => loadScript('now')).toThrow('ends with its count of keys');
});

describe('running one', () => {
  const script = loadScript('renew-1');
  const pretend = (evalsha: () => Promise<unknown>) => {
    const sent: unknown[][] = [];
    const db = {
      evalsha: (...args: unknown[]) => {
        sent.push(['evalsha', ...args]);
        return evalsha();
      },
      eval: async (...args: unknown[]) => {
        sent.push(['eval', ...args]);
        return 1;
      },
    };
    return { db: db as unknown as Db, sent };
  };

  test('sends the digest', async () => {
    const { db, sent } = pretend(async () => 1);
    expect(await runScript(db, script, ['lease'], ['ours', 6_000])).toBe(1);
    expect(sent).toEqual([['evalsha', script.read().digest, 1, 'lease', 'ours', 6_000]]);
  });

  test('sends the text to a server that does not know it', async () => {
    const { db, sent } = pretend(() => Promise.reject(new Error('Redis at x: NOSCRIPT No matching script')));
    expect(await runScript(db, script, ['lease'], ['ours', 6_000])).toBe(1);
    expect(sent[1]).toEqual(['eval', script.read().text, 1, 'lease', 'ours', 6_000]);
  });

  test('never twice when its outcome is unknown', async () => {
    const { db, sent } = pretend(() => Promise.reject(new Error('Redis at x: Command timed out')));
    await expect(runScript(db, script, ['lease'], ['ours', 6_000])).rejects.toThrow('Command timed out');
    expect(sent).toHaveLength(1);
  });

  test('refuses another number of keys', async () => {
    const { db, sent } = pretend(async () => 1);
    await expect(runScript(db, script, [], ['ours'])).rejects.toThrow('renew-1 got 0 keys');
    expect(sent).toEqual([]);
  });
});
