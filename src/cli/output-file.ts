import { randomBytes } from 'node:crypto';
import { access, constants, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TrueupError } from '../trueup-error.js';

/**
 * Refuses, before the work is done, a path that its result could not be written to.
 * @param flag that names the path, for the error
 * @throws {TrueupError} OUTPUT_NOT_WRITTEN
 */
export async function checkOutputFile(path: string, flag: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found !== null && !found.isFile()) throw notWritten(path, flag, 'it is no file');
  await access(found === null ? dirname(path) : path, constants.W_OK).catch((error: unknown) => {
    throw notWritten(path, flag, reasonOf(error));
  });
}

/**
 * Writes a file whole or not at all: nobody reads half a report, and an old one stays when the disk is full.
 * @param mode of a new file
 * @throws {TrueupError} OUTPUT_NOT_WRITTEN
 */
export async function writeOutputFile(path: string, flag: string, text: string, mode = 0o644): Promise<void> {
  // Renaming onto a link would replace the link.
  const target = await realpath(path).catch(() => path);
  const temporary = join(dirname(target), `.trueup-${randomBytes(8).toString('hex')}.tmp`);
  try {
    await writeFile(temporary, text, { flag: 'wx', mode });
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw notWritten(path, flag, reasonOf(error));
  }
}

const notWritten = (path: string, flag: string, reason: string): TrueupError =>
  new TrueupError('OUTPUT_NOT_WRITTEN', `${path} cannot be written: ${reason}`, {
    where: `--${flag}`,
    remedy: 'name a file in a directory that exists and that you may write to',
  });

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
