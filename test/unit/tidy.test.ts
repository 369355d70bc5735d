// The house rules that a machine can check: who may import whom, where a library may be touched, and what the core of
// decisions must not know.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { refusalEntries } from '../../src/shared/documents/refusals/refusals.ts';

const root = join(import.meta.dirname, '../..');
const files = ['src', 'simulator']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  .filter((path) => path.endsWith('.ts'))
  .map((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    const imports = [...text.matchAll(/^(?:import|export)\s[^;]*?from '([^']+)';/gms)].map(
      (m) => m[1] as string,
    );
    const local = imports
      .filter((i) => i.startsWith('.'))
      .map((i) => relative(root, join(root, dirname(path), i)));
    return { path, text, imports, local };
  });
const below = (folder: string) => files.filter((f) => f.path.startsWith(`src/${folder}/`));

/** The rooms of each part: a room imports only from those that stand before it, so there are no circles. */
const floors: Readonly<Record<string, readonly string[]>> = {
  'src/shared': [
    'ground',
    'masks',
    'documents/terms',
    'documents/refusals',
    'documents/jobs',
    'documents',
    'documents/events',
    'trust',
    'config/keys',
    'config',
    'process',
    'redis',
    'picture',
    'rules/senses',
    'rules',
    'rules/senses',
    'rules/gates',
    'vantage-points',
    'jobs',
  ],
  'src/ns4': [
    'cloud',
    'storage',
    'ceph',
    'credentials',
    'nova-database',
    'scan',
    'disks',
    'baseline',
    'fencing',
    'fencing/far',
    'openstack',
    'recovery/journal',
    'recovery/movers',
    'recovery/movers/nova',
    'recovery/movers/database',
    'recovery',
    'recovery/stages',
    'jobs',
    'commands',
    '',
  ],
  'src/monitor': [
    'core/state',
    'core/incidents',
    'core/plans',
    'core/recoveries',
    'core/watches/hosts',
    'core/watches/senses',
    'core/watches/returns',
    'core/watches',
    'core',
    '',
  ],
  'src/sonny': ['inbox', 'outlet', 'render', 'relay', 'talk', 'terminal', 'slack', ''],
  simulator: [
    'network',
    'slack',
    'world',
    'ceph',
    'faults',
    'openstack-http',
    'openstack-in-process',
    '',
    'demo',
  ],
};

describe('import directions', () => {
  test.each(Object.entries(floors))(
    '%s: every room is on the list, and imports only from rooms before it',
    (part, rooms) => {
      const place = (path: string) => rooms.indexOf(relative(part, dirname(path)));
      const own = files.filter((f) => f.path.startsWith(`${part}/`));
      expect(own.filter((f) => place(f.path) < 0).map((f) => f.path)).toEqual([]);
      const astray = own.flatMap((f) =>
        f.local
          .filter((i) => i.startsWith(`${part}/`) && place(i) > place(f.path))
          .map((i) => `${f.path} -> ${i}`),
      );
      expect(astray).toEqual([]);
    },
  );

  // What is pure stays so; nobody reaches past a port; the house does not know its simulator.
  test.each([
    ['src/shared', ['src/shared']],
    // Their sentences show names from outside.
    ['src/shared/documents', ['src/shared/documents', 'src/shared/ground/plain.ts']],
    [
      'src/shared/rules',
      ['src/shared/rules', 'src/shared/documents', 'src/shared/picture', 'src/shared/ground'],
    ],
    ['src/monitor', ['src/shared', 'src/monitor']],
    [
      'src/monitor/core',
      [
        'src/monitor/core',
        'src/shared/documents',
        'src/shared/rules',
        'src/shared/picture',
        'src/shared/ground',
        'src/shared/config/settings.ts',
      ],
    ],
    ['src/sonny', ['src/shared', 'src/sonny']],
    ['src/ns4', ['src/shared', 'src/ns4']],
    [
      'src/ns4/recovery',
      [
        'src/ns4/recovery',
        'src/ns4/cloud',
        'src/ns4/fencing',
        'src/ns4/disks',
        'src/ns4/nova-database/',
        'src/shared',
      ],
    ],
    [
      'simulator',
      [
        'simulator',
        'src/shared/documents',
        'src/shared/ground',
        'src/ns4/cloud',
        'src/ns4/storage/storage.ts',
        'src/ns4/nova-database/nova-database.ts',
        // The demo ends as the three processes do, and looks into their Redis.
        'src/shared/process/frame.ts',
        'src/shared/redis/keys.ts',
      ],
    ],
  ])('%s imports only from %j', (folder, allowed) => {
    const astray = files
      .filter((f) => f.path.startsWith(`${folder}/`))
      .flatMap((f) =>
        f.local.filter((i) => !allowed.some((a) => i.startsWith(a))).map((i) => `${f.path} -> ${i}`),
      );
    expect(astray).toEqual([]);
  });

  test.each([
    [/^bullmq$/, ['src/shared/jobs/queue.ts']],
    [
      /^ioredis$/,
      ['connect', 'db', 'probe', 'sentinels', 'sentinel-votes'].map((f) => `src/shared/redis/${f}.ts`),
    ],
    [/^@slack\//, ['src/sonny/slack/slack.ts', 'src/sonny/slack/socket.ts']],
    [/^mysql2/, ['src/ns4/nova-database/mysql-session.ts']],
    [/^undici$/, ['src/ns4/openstack/transport.ts', 'src/sonny/slack/proxy.ts', 'src/sonny/slack/socket.ts']],
  ])('%s is imported by %j only', (library, allowed) => {
    const users = files
      .filter((f) => f.path.startsWith('src/') && f.imports.some((i) => library.test(i)))
      .map((f) => f.path);
    expect(users.filter((path) => !allowed.includes(path))).toEqual([]);
  });
});

test("the monitor's core knows no clock, no chance, no I/O and no await", () => {
  const banned =
    /\bDate\.now|new Date\(\)|setTimeout|setInterval|Math\.random|\bprocess\.|\bawait\b|from 'node:/;
  const astray = below('monitor/core').filter((f) =>
    banned.test(f.text.replaceAll(/\/\/.*$|\/\*[\s\S]*?\*\//gm, '')),
  );
  expect(astray.map((f) => f.path)).toEqual([]);
});

test('every file says its duty in its first lines', () => {
  const silent = files.filter((f) => !/^(#!.*\n)?\/\/ \S/.test(f.text));
  expect(silent.map((f) => f.path)).toEqual([]);
});

test('no file is longer than 300 lines, and none is a drawer', () => {
  const long = files.filter((f) => f.text.split('\n').length > 300).map((f) => f.path);
  expect(long).toEqual([]);
  expect(
    files.filter((f) => /\/(utils?|helpers?|common|misc|index)\.ts$/.test(f.path)).map((f) => f.path),
  ).toEqual([]);
});

const refusalNames = refusalEntries.map(({ name }) => name);

test('every refusal is brought about in a test, apart from the table of their sentences', () => {
  const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.endsWith('refusals.test.ts'))
    .map((name) => readFileSync(join(root, 'test', name), 'utf8'))
    .join('\n');
  expect(refusalNames.filter((name) => !tests.includes(`'${name}'`))).toEqual([]);
});
