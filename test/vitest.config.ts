import { defineConfig } from 'vitest/config';

/** Nothing but functions: these share a process, which loads what they test once. */
const PURE = ['apply', 'catalog', 'desired-state', 'diff', 'doctor', 'explain', 'inspect', 'plan', 'sql'].map(
  (folder) => `test/${folder}/**/*.test.ts`,
);
const NEEDS_SERVER = ['test/server/**/*.test.ts', 'test/support/**/*.test.ts', 'test/**/*.server.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    setupFiles: 'test/support/temporary.ts',
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: PURE,
          exclude: NEEDS_SERVER,
          isolate: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'core',
          include: ['test/**/*.test.ts'],
          exclude: [...NEEDS_SERVER, ...PURE],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'server',
          include: NEEDS_SERVER,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Starts one server for the run; a run of core tests alone starts none.
          globalSetup: 'test/support/postgres/global-setup.ts',
        },
      },
    ],
  },
});
