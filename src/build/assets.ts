import { cp } from 'node:fs/promises';

/**
 * Copies the files that modules read from beside them, and that tsc leaves where they are.
 * @param dist the directory that tsc has just written
 */
export async function copyAssets(dist: URL): Promise<void> {
  const directory = 'report/html/assets/';
  await cp(new URL(`../src/${directory}`, dist), new URL(directory, dist), { recursive: true });
}
