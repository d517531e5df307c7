import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { TrueupError } from '../trueup-error.js';

/** The major version of the PostgreSQL that the package brings (PGlite 0.5); its data directories are of that version. */
export const EMBEDDED_MAJOR = '18';

const heldHere = new Set<string>();

/**
 * Takes a data directory for this process, and gives the function that lets it go. Two processes in one directory would
 * destroy it, and the embedded PostgreSQL itself does not notice.
 * @param directory as {@link realDirectory} gives it
 * @throws {TrueupError} CONNECTION_FAILED when another holds it, or when it is no data directory of this version, or not
 * this user's
 */
export function takeDirectory(directory: string): () => void {
  try {
    return taken(directory);
  } catch (error) {
    throw error instanceof TrueupError ? error : unusable(directory, error);
  }
}

/**
 * The directory itself, where a path leads there by symbolic links: under two names it would have two locks, and the embedded
 * PostgreSQL does not open a link.
 */
export function realDirectory(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const parent = dirname(path);
  return parent === path ? path : join(realDirectory(parent), basename(path));
}

function taken(directory: string): () => void {
  checkContents(directory);
  mkdirSync(dirname(directory), { recursive: true });
  const lock = `${directory}.lock`;
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      const file = openSync(lock, 'wx', 0o600);
      writeSync(file, `${process.pid}\n${hostname()}\n`);
      closeSync(file);
      heldHere.add(lock);
      return () => {
        heldHere.delete(lock);
        rmSync(lock, { force: true });
      };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      const holder = holderOf(lock);
      if (holder !== null) throw inUse(directory, lock, holder);
      rmSync(lock, { force: true });
    }
  }
  throw inUse(directory, lock, 'another process');
}

function checkContents(directory: string): void {
  if (!existsSync(directory)) return;
  if (!statSync(directory).isDirectory()) throw refused(directory, 'it is not a directory');
  // Found out later, it would be a number that the embedded PostgreSQL calls its error.
  accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  const entries = readdirSync(directory);
  if (entries.length === 0) return;
  if (!entries.includes('PG_VERSION')) throw refused(directory, 'it holds other files, and no PostgreSQL data');
  const version = readFileSync(join(directory, 'PG_VERSION'), 'utf8').trim();
  if (version !== EMBEDDED_MAJOR) {
    throw refused(directory, `it holds data of PostgreSQL ${version}, and the embedded one is ${EMBEDDED_MAJOR}`);
  }
  // The embedded PostgreSQL writes a negative number there.
  const pidFile = join(directory, 'postmaster.pid');
  const server = existsSync(pidFile) ? Number.parseInt(readFileSync(pidFile, 'utf8'), 10) : 0;
  if (server > 0 && isAlive(server)) throw inUse(directory, pidFile, `the PostgreSQL server ${server}`);
}

/** Who holds a lock file; null when that process is gone. Of another machine's process nothing can be known. */
function holderOf(lock: string): string | null {
  let content: string;
  try {
    content = readFileSync(lock, 'utf8');
  } catch {
    return null;
  }
  const [pidText = '', host = ''] = content.split('\n');
  const pid = Number(pidText);
  if (content === '') return 'a process that is just starting';
  if (host !== hostname()) return `process ${pidText} of ${host}`;
  // In a container every run may have the same number: one that is ours and not held by us is left over.
  if (pid === process.pid) return heldHere.has(lock) ? 'this process' : null;
  return isAlive(pid) ? `process ${pid}` : null;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

const inUse = (directory: string, lock: string, holder: string): TrueupError =>
  new TrueupError('CONNECTION_FAILED', `the embedded database is in use by ${holder}`, {
    where: directory,
    remedy: `wait until it has ended, or name another directory (if nothing uses it, remove ${lock})`,
  });

const refused = (directory: string, reason: string): TrueupError =>
  new TrueupError('CONNECTION_FAILED', `this cannot be opened as an embedded database: ${reason}`, {
    where: directory,
    remedy: 'name an empty or a new directory',
  });

const unusable = (directory: string, error: unknown): TrueupError =>
  new TrueupError('CONNECTION_FAILED', `the directory cannot be used: ${error instanceof Error ? error.message : ''}`, {
    where: directory,
    remedy: 'name a directory that this user may write',
    cause: error,
  });
