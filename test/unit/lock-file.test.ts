// The lock file is whole: `npm ci`, which scripts/setup runs, refuses one that leaves out what another platform needs,
// and npm writes such a file when the registry of the day did not offer a package.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

interface LockedPackage {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

const text = readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8');
const { packages } = JSON.parse(text) as { packages: Record<string, LockedPackage> };

/** Is a package found from where another one stands, as Node looks for it: beside it, then further out? */
function isLocked(name: string, from: string): boolean {
  for (let place = from; ; place = place.slice(0, Math.max(0, place.lastIndexOf('/node_modules/')))) {
    if (`${place === '' ? '' : `${place}/`}node_modules/${name}` in packages) return true;
    if (place === '') return false;
  }
}

test('names every package that a package needs, those of other platforms too', () => {
  const missing = Object.entries(packages).flatMap(([place, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !isLocked(name, place))
      .map((name) => `${place} needs ${name}`),
  );
  expect(missing).toEqual([]);
});

test('knows each by its content, and no registry by its address', () => {
  const others = Object.entries(packages).filter(([place]) => place !== '');
  expect(others.filter(([, { integrity }]) => integrity === undefined).map(([place]) => place)).toEqual([]);
  expect(others.filter(([, { resolved }]) => resolved !== undefined).map(([place]) => place)).toEqual([]);
});
