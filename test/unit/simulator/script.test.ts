// The sentences of the catalogue of faults: what is said makes it happen, and what is told can be said again.
import { describe, expect, test } from 'vitest';
import { begin, end, type Fault, scriptOf } from '../../../simulator/faults/script.ts';
import { worldFaults } from '../../../simulator/faults/world-faults.ts';
import type { World } from '../../../simulator/world/world.ts';

interface Scene {
  readonly done: string[];
  readonly told: string[];
  tell(text: string): void;
}

function scene(): Scene {
  const told: string[] = [];
  return { done: [], told, tell: (text) => told.push(text) };
}

const faults: Readonly<Record<string, Fault<Scene>>> = {
  cut: {
    says: '{host} is cut off ({lines...})',
    begin: ({ done }, ...words) => void done.push(`cut ${words.join('|')}`),
    ends: '{host} is connected again[ ({lines...})]',
    end: ({ done }, ...words) => void done.push(`connect ${words.join('|')}`),
  },
  device: {
    says: 'the device of {host} is {dead|deaf}',
    begin: ({ done }, ...words) => void done.push(words.join()),
  },
  rabbit: { says: 'RabbitMQ is away[: nothing arrives]', begin: () => undefined },
  again: { says: 'it happens', begin: () => false },
  trouble: {
    says: 'Nova will {fail|stick} at {instance}[ {how often} times]',
    begin: ({ done }, ...words) => void done.push(words.join('|')),
  },
};
const happen = scriptOf<Scene>(faults);

describe('a script', () => {
  test.each([
    ['hv1 is cut off (reports, guests)', 'cut hv1|reports, guests', 'hv1 is cut off (reports, guests)'],
    ['hv1 is connected again (guests)', 'connect hv1|guests', 'hv1 is connected again (guests)'],
    ['hv1 is connected again', 'connect hv1', 'hv1 is connected again'],
    ['the device of hv1 is deaf', 'hv1,deaf', 'the device of hv1 is deaf'],
    ['Nova will stick at hv1-vm2', 'stick|hv1-vm2', 'Nova will stick at hv1-vm2'],
    ['Nova will fail at hv1-vm2 3 times', 'fail|hv1-vm2|3', 'Nova will fail at hv1-vm2 3 times'],
  ])('"%s"', (sentence, done, told) => {
    const here = scene();
    expect(happen(here, sentence)).toBe(true);
    expect(here).toMatchObject({ done: [done], told: [told] });
  });

  test('tells what may be left out when it is said', () => {
    const here = scene();
    expect(happen(here, 'RabbitMQ is away')).toBe(true);
    expect(here.told).toEqual(['RabbitMQ is away: nothing arrives']);
  });

  test('tells nothing of what changed nothing', () => {
    const here = scene();
    expect(happen(here, 'it happens')).toBe(true);
    expect(here.told).toEqual([]);
  });

  test.each(['the device of hv1 is tired', 'hv1 is cut off', 'hv 1 is connected again', 'it happens twice'])(
    'does not know "%s"',
    (sentence) => {
      const here = scene();
      expect(happen(here, sentence)).toBe(false);
      expect(here).toMatchObject({ done: [], told: [] });
    },
  );
});

test('each sentence of the world has one meaning, said as it is told', () => {
  const meant: string[] = [];
  const named = (name: string) => () => void meant.push(name);
  const probes = Object.fromEntries(
    Object.entries<Fault<World>>(worldFaults).map(([name, { says, ends }]): [string, Fault<Scene>] => {
      const probe = { says, begin: named(name) };
      return [name, ends === undefined ? probe : { ...probe, ends, end: named(`end of ${name}`) }];
    }),
  );
  const understand = scriptOf<Scene>(probes);
  const words: Readonly<Record<string, readonly string[]>> = {
    fencingDeviceFails: ['hv1', 'dead'],
    deviceOfAnother: ['hv1', 'hv2'],
    deviceRestores: ['hv1', '30'],
    hostCrashes: ['hv1', '60'],
    hostFirewalled: ['hv1', 'drops'],
    hostCutOff: ['hv1', 'reports, guests'],
    ovnAway: ['northd'],
    rebuildInTrouble: ['stick', 'vm-1', '2'],
    liveMigration: ['vm-1', 'hv2'],
    coldMigration: ['vm-1', 'hv2'],
    staleEvacuation: ['vm-1', 'hv2', '200'],
  };
  for (const [name, probe] of Object.entries(probes)) {
    const here = scene();
    begin(here, probe, ...(words[name] ?? ['hv1']));
    if (probe.ends !== undefined) end(here, probe, ...(words[name] ?? ['hv1']));
    const expected = meant.splice(0);
    for (const sentence of [...here.told])
      expect(understand(here, sentence), `${name}: ${sentence}`).toBe(true);
    expect(meant.splice(0)).toEqual(expected);
  }
});
