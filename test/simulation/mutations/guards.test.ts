// Mutations change texts of the source: each text must stand there once, or `npm run mutations` ends half-way.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cloudGuards } from './guards-of-clouds.ts';
import { diskGuards } from './guards-of-disks.ts';
import { fencingGuards } from './guards-of-fencing.ts';
import { ns4Guards } from './guards-of-ns4.ts';
import { blocklistGuards } from './guards-of-the-blocklist.ts';
import { monitorGuards } from './guards-of-the-monitor.ts';

const source = join(import.meta.dirname, '../../../src');
const edits = [
  ...ns4Guards,
  ...fencingGuards,
  ...monitorGuards,
  ...cloudGuards,
  ...diskGuards,
  ...blocklistGuards,
].flatMap(({ name, edits }) => edits.map((edit) => [name, edit] as const));

test.each(edits)('%s', (_, { file, find }) => {
  expect(readFileSync(join(source, file), 'utf8').split(find)).toHaveLength(2);
});
