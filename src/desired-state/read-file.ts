import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** A file larger than this is not a desired state; reading it would only exhaust memory. */
const MAX_FILE_BYTES = 1_048_576;
const PIECE_BYTES = 65_536;

/** The text of a file, or why it cannot be used. */
export type FileText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly missing: boolean; readonly message: string; readonly remedy: string };

/**
 * Reads a file that must be regular, at most 1 MB and UTF-8. Never throws for what the file is. Not by promises, which take
 * a dozen small files ten times as long.
 */
export function readFileText(path: string): FileText {
  try {
    // Opening a named pipe would wait for a writer for ever, so its kind is asked first.
    const kind = statSync(path);
    if (kind.isDirectory()) return refused('is a directory, not a file', 'put a YAML file in its place');
    if (!kind.isFile()) return refused('is not a regular file', 'put a YAML file in its place');
    const bytes = readBounded(path);
    if (bytes === null) {
      return refused('is larger than 1 MB', 'a desired state is a few kilobytes; is this the right file?');
    }
    return decode(bytes);
  } catch (error) {
    return failure(error);
  }
}

/** By a piece at a time: a buffer of the size that is allowed would be cleared for each small file. */
function readBounded(path: string): Buffer | null {
  const file = openSync(path, 'r');
  try {
    const pieces: Buffer[] = [];
    for (let length = 0; length <= MAX_FILE_BYTES; ) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      const bytes = readSync(file, piece);
      if (bytes === 0) return Buffer.concat(pieces);
      pieces.push(piece.subarray(0, bytes));
      length += bytes;
    }
    return null;
  } finally {
    closeSync(file);
  }
}

function decode(bytes: Buffer): FileText {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return refused('is UTF-16, not UTF-8', 'save it as UTF-8');
  }
  if (bytes.includes(0)) return refused('holds a NUL byte: it is not text, or UTF-16', 'save it as UTF-8 text');
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    // To the YAML parser such a file is one line, and nothing but a comment where it begins with one.
    return { ok: true, text: text.replaceAll(/\r(?!\n)/gu, '\n') };
  } catch {
    return refused('is not valid UTF-8', 'save it as UTF-8');
  }
}

function failure(error: unknown): FileText {
  const code = error instanceof Error && 'code' in error ? String(error.code) : null;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return { ok: false, missing: true, message: 'does not exist', remedy: 'create it, or correct the name' };
  }
  if (code === 'EACCES' || code === 'EPERM') return refused('may not be read', 'grant the right to read it');
  if (code === 'ELOOP') return refused('is a symbolic link that leads in a ring', 'put a YAML file in its place');
  return refused(`cannot be read (${code ?? 'unknown error'})`, 'see to the file system');
}

const refused = (message: string, remedy: string): FileText => ({ ok: false, missing: false, message, remedy });
