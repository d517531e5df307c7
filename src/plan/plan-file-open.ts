import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { TrueupError } from '../trueup-error.js';
import { PLAN_FILE_FORMAT } from './plan-file.js';

const SIGNATURE = new RegExp(`^\\s*\\{\\s*"format"\\s*:\\s*"${PLAN_FILE_FORMAT}"`, 'u');
/** Bytes that are looked at for the signature. */
const HEAD = 256;

/**
 * Opens a regular file for reading.
 * @throws {TrueupError} PLAN_FILE_INVALID for a directory, a device, a pipe; what open(2) says otherwise
 */
export async function openPlanFile(path: string): Promise<FileHandle> {
  // Opening a pipe that nobody writes to would wait for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const state = await file.stat();
  if (state.isFile()) return file;
  await file.close();
  throw new TrueupError(
    'PLAN_FILE_INVALID',
    state.isDirectory() ? 'it is a directory' : 'it is a device or a pipe, not a file',
    { where: path },
  );
}

/** By how it begins: files of any size are told apart without being read. */
export async function isPlanFile(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD), 0, HEAD, 0);
  return SIGNATURE.test(buffer.toString('utf8', 0, bytesRead));
}
