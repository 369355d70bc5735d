// Tests against a real Ceph (see docs/testing.md): one at a time, as they share and break it.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/ceph/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
