import { mkdir, readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { TrueupError } from '../trueup-error.js';
import { writeWhole } from '../write-whole.js';
import type { InspectedFile } from './inspection.js';

/**
 * Refuses a directory that files would be mixed into. Touches nothing.
 * @throws {TrueupError} USAGE where it holds anything, or is no directory
 */
export async function checkDirectory(directory: string, options: { readonly force: boolean }): Promise<void> {
  let entries: readonly string[];
  try {
    entries = await readdir(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw new TrueupError('USAGE', `${directory} cannot be used as a directory: ${messageOf(error)}`, {
      where: `--out ${directory}`,
      remedy: 'name a directory that is empty or does not exist',
    });
  }
  if (entries.length === 0 || options.force) return;
  throw new TrueupError('USAGE', `${directory} is not empty`, {
    where: `--out ${directory}`,
    remedy: 'name another directory, or pass --force to overwrite fleet.yaml and base.yaml in it',
  });
}

/**
 * Writes the files; each is whole or not there. Gives their paths.
 * @throws {TrueupError} USAGE where the directory cannot be written
 */
export async function writeFiles(directory: string, files: readonly InspectedFile[]): Promise<readonly string[]> {
  const written: string[] = [];
  try {
    await mkdir(directory, { recursive: true });
    for (const { path, text } of files) {
      const target = resolve(directory, path);
      await writeWhole(target, text, 0o666);
      written.push(target);
    }
    return written;
  } catch (error) {
    throw new TrueupError('USAGE', `${directory} cannot be written: ${messageOf(error)}`, {
      where: `--out ${directory}`,
      remedy: 'name a directory that you may write',
      cause: error,
    });
  }
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? (error as NodeJS.ErrnoException).code : undefined;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
