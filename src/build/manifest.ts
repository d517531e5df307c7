import { writeFile } from 'node:fs/promises';
import { loadCommands } from '../start/load-config.js';

/**
 * Writes down what oclif must know of the commands to show help and to find one by its name, so that no command is imported
 * but the one that runs.
 * @param dist the directory that tsc has just written
 */
export async function writeManifest(dist: URL): Promise<void> {
  const { manifest } = await loadCommands(new URL('../bin/run.js', dist).href, { ignoreManifest: true });
  await writeFile(new URL('oclif.manifest.json', dist), JSON.stringify(manifest));
}
