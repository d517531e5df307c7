import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const directories: string[] = [];

/**
 * A directory of its own, gone when the tests of a file are over. Not when the process ends: a worker is killed, and its
 * listeners are not called.
 * @param name begins the directory's
 */
export function temporaryDirectory(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), `trueup-${name}-`));
  directories.push(directory);
  return directory;
}

// Read before every file of tests, so that it comes after whatever a file does at its end.
afterAll(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});
