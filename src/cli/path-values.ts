import { TrueupError } from '../trueup-error.js';

/** What a value names by what help calls it: `FILE`, `FILE.html`, `DIR`, `[DIR]`. Null: no path. */
export function pathKind(helpValue: string | readonly string[] | undefined): 'file' | 'directory' | null {
  const name = [helpValue ?? ''].flat().join(' ');
  if (/^\[?FILE\b/u.test(name)) return 'file';
  return /^\[?DIR\b/u.test(name) ? 'directory' : null;
}

/**
 * Refuses a path that is empty, as a variable of a script is that was never set: the operating system's error would name
 * neither flag nor file, and come after the work.
 * @param flag as it is written: `--out`
 * @throws {TrueupError} USAGE
 */
export function refuseEmptyPath(flag: string, value: unknown, helpValue: string | readonly string[] | undefined): void {
  const kind = pathKind(helpValue);
  if (kind === null || value !== '') return;
  throw new TrueupError('USAGE', `${flag} names no ${kind}: its value is empty`, {
    remedy: `give the name of a ${kind}, or leave ${flag} out`,
  });
}
