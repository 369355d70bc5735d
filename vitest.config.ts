// Two projects: `unit` needs nothing but Node; `integration` starts real servers (Redis, MariaDB, Slack and
// OpenStack simulators, the three processes) on ports of its own. Its files mostly wait, so six run at once.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/simulation/**/*.test.ts', 'test/scenarios.test.ts'],
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          maxWorkers: 6,
          // After the unit tests, which use both cores.
          sequence: { groupOrder: 1 },
          // Waits inside the tests have limits of their own, and fail with the whole story.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
