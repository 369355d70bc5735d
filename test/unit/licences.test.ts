// What is shipped along, by licence: Sonny is GPL-3.0-or-later, and so may every package be that it runs with.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** Licences whose code may be part of a work under GPL-3.0-or-later (gnu.org/licenses/license-list). */
const compatible = new Set(['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0']);

interface LockedPackage {
  readonly license?: string;
  readonly dev?: boolean;
}

const text = readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8');
const { packages } = JSON.parse(text) as { packages: Record<string, LockedPackage> };

test('every package that Sonny runs with is under one that its own allows', () => {
  const shipped = Object.entries(packages).filter(([place, { dev }]) => place !== '' && dev !== true);
  const others = shipped.filter(([, { license }]) => !compatible.has(license ?? ''));
  expect(others.map(([place, { license }]) => `${place}: ${license ?? 'none named'}`)).toEqual([]);
  expect(shipped.length).toBeGreaterThan(50);
});

test('nothing is shipped that only a web server would need', () => {
  const servers = ['express', 'jsonwebtoken', '@slack/oauth', '@slack/bolt'];
  expect(servers.filter((name) => `node_modules/${name}` in packages)).toEqual([]);
});
