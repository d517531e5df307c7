import { existsSync, mkdtempSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { TrueupError } from '../trueup-error.js';

/**
 * The directory that the demonstration fills: the one given, else a fresh one among the system's temporary files.
 * @throws {TrueupError} USAGE when the one given holds anything: the demonstration damages what it finds its tables in
 */
export function demoDirectory(given: string | undefined): string {
  if (given === undefined) return mkdtempSync(join(tmpdir(), 'trueup-demo-'));
  const directory = resolve(given);
  if (existsSync(directory) && !(statSync(directory).isDirectory() && readdirSync(directory).length === 0)) {
    throw new TrueupError('USAGE', 'the demonstration makes a database of its own, and this is not empty', {
      where: directory,
      remedy: 'name a new or an empty directory, or leave --embedded out for a temporary one',
    });
  }
  return directory;
}
