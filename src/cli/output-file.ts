import { access, constants, open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { TrueupError } from '../trueup-error.js';
import { writeWhole } from '../write-whole.js';

/** What a file holds that trueup writes whole, and writes anew over an older one. */
export interface OutputKind {
  /** In an error: a report. */
  readonly name: string;
  /** How every file of the kind begins. */
  readonly signature: string;
}

/**
 * Refuses, before the work is done, a path that its result could not be written to, and one where something else stands: a
 * slip of the pen must cost nobody a file.
 * @param flag that names the path, for the error
 * @throws {TrueupError} OUTPUT_NOT_WRITTEN
 */
export async function checkOutputFile(path: string, flag: string, kind: OutputKind): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found !== null && !found.isFile()) throw notWritten(path, flag, 'it is no file');
  await access(found === null ? dirname(path) : path, constants.W_OK).catch((error: unknown) => {
    throw notWritten(path, flag, reasonOf(error));
  });
  if (found !== null) await refuseOther(path, flag, kind);
}

/**
 * Refuses a file that another flag names too: the one written last would replace the other.
 * @param others the paths of other flags
 * @throws {TrueupError} USAGE
 */
export function refuseNamedTwice(path: string, flag: string, others: readonly (string | undefined)[]): void {
  const same = others.some((other) => other !== undefined && resolve(other) === resolve(path));
  if (same) throw new TrueupError('USAGE', `${path} is named twice`, { remedy: `give --${flag} a file of its own` });
}

/**
 * Writes a file, see {@link writeWhole}.
 * @param mode of a new file
 * @throws {TrueupError} OUTPUT_NOT_WRITTEN
 */
export async function writeOutputFile(path: string, flag: string, text: string, mode = 0o644): Promise<void> {
  await writeWhole(path, text, mode).catch((error: unknown) => {
    throw notWritten(path, flag, reasonOf(error));
  });
}

async function refuseOther(path: string, flag: string, { name, signature }: OutputKind): Promise<void> {
  const file = await open(path).catch((error: unknown) => {
    throw notWritten(path, flag, `what is there cannot be looked at: ${reasonOf(error)}`);
  });
  try {
    const length = Buffer.byteLength(signature);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    if (bytesRead === 0 || buffer.toString('utf8', 0, bytesRead) === signature) return;
  } finally {
    await file.close();
  }
  throw new TrueupError('OUTPUT_NOT_WRITTEN', `${path} is there already, and is no ${name} of trueup`, {
    where: `--${flag}`,
    remedy: `name a file that does not exist, or an older ${name}`,
  });
}

const notWritten = (path: string, flag: string, reason: string): TrueupError =>
  new TrueupError('OUTPUT_NOT_WRITTEN', `${path} cannot be written: ${reason}`, {
    where: `--${flag}`,
    remedy: 'name a file in a directory that exists and that you may write to',
  });

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
