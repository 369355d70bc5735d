// Tests against a real OpenStack (see docs/testing.md): one at a time, as they share the cloud.
import { configDefaults, defineConfig } from 'vitest/config';

/** Files of which nothing would run, without the variable that they need. */
const leftOut = [
  ...(process.env.SONNY_CLOUD_OVN === '1' ? [] : ['test/cloud/ovn.test.ts']),
  ...(process.env.KILLS ? [] : ['test/cloud/detection.test.ts']),
];

export default defineConfig({
  test: {
    include: ['test/cloud/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...leftOut],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
