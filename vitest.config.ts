// Seven projects: `simulation` takes both cores for half a minute, two foci at a time; `unit` needs nothing but Node, and
// its files share their worker's modules, which are costly to load and keep no state; `integration` starts real servers
// (Redis, MariaDB, Slack and OpenStack simulators, the three processes) on ports of its own. Its files mostly wait, so
// eight run at once; `lost` is the same for those in which something gets in the way of a recovery, and for the longest
// ones, by `npm run test:lost`, six at once, as they do more; `attacks` what somebody hostile would do; `earlier` plays
// the cases of a review on this build or another one; `calm` holds real processes to seconds that are promised: alone on
// the machine, by `npm run test:calm`.
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take a minute and more, the longest of each project first. */
const longest = ['sonny', 'three-processes', 'wrong-configurations', 'bad-entries', 'sonny-relay'];

/**
 * Workers, monitors, Redis, Slack or answers of OpenStack are lost on the way, or devices, signals and others get in it,
 * or hundreds of processes are started: each takes half a minute to two.
 */
const lost = [
  'state-lost',
  'interrupted',
  'two-monitors',
  'evacuation-crash',
  'fencing-interrupted',
  'redis-fail-over',
  'upgrade',
  'evacuation-faults',
  'evacuation-database-faults',
  'sonny-relay',
  'evacuation-fencing',
  'evacuation-plan',
  'evacuation-under-way',
  'fencing-processes',
  'bad-entries',
  'bad-entries-restart',
  'evacuation-wrong-device',
  'evacuation-storage',
  'evacuation-signs-of-life',
  'redis-tls',
  'fencing-elsewhere',
  'service-manager',
  'signals',
  'tmux',
  'readiness',
  'senses',
  'evacuation-assignments',
  'wrong-configurations',
].map((name) => `test/integration/${name}.test.ts`);

const calm = ['test/integration/redis-troubles.test.ts'];

/** A fresh clone knows no durations, and would begin a long file when all others are through: half a minute more. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const index = longest.findIndex((name) => moduleId.endsWith(`/integration/${name}.test.ts`));
      return index < 0 ? longest.length : index;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      { test: { name: 'simulation', include: ['test/simulation/**/*.test.ts'], maxConcurrency: 2 } },
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/scenarios.test.ts'],
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: [...calm, ...lost],
          maxWorkers: 8,
          // After the others, which use both cores.
          sequence: { groupOrder: 2 },
          // Waits inside the tests have limits of their own, and fail with the whole story.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'lost',
          include: lost,
          maxWorkers: 6,
          sequence: { groupOrder: 3 },
          testTimeout: 90_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          // What somebody hostile would do to the three processes; by `npm run test:attacks`.
          name: 'attacks',
          include: ['test/attacks/**/*.test.ts'],
          maxWorkers: 4,
          sequence: { groupOrder: 5 },
          testTimeout: 90_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          // Cases of the review of an earlier revision, on this build or on another; by `npm run test:earlier`.
          name: 'earlier',
          include: ['test/earlier/**/*.test.ts'],
          maxWorkers: 2,
          // Those of one file at once: they mostly wait.
          maxConcurrency: 5,
          sequence: { groupOrder: 6 },
          testTimeout: 280_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'calm',
          include: calm,
          sequence: { groupOrder: 4 },
          testTimeout: 90_000,
          hookTimeout: 90_000,
        },
      },
    ],
  },
});
