import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  statfsSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

/** How a server is stopped: `fast` ends sessions and writes a checkpoint; `immediate` is a crash. */
export type StopMode = 'fast' | 'immediate';

/** A PostgreSQL server of the tests' own, on 127.0.0.1 and on a socket in `directory`. Everyone is trusted. */
export interface TestServer {
  /** Where its programs are: `psql`, `pg_dump`. */
  readonly bin: string;
  /** Holds the data, the socket and the log; gone after {@link remove}, unless it is kept. */
  readonly directory: string;
  readonly port: number;
  readonly logFile: string;
  /** A connection string; the user is the superuser `postgres` unless given. */
  url(database: string, user?: string): string;
  /** Stops the server and keeps its data. Does nothing when it is stopped already. */
  stop(mode?: StopMode): Promise<void>;
  /** Starts the server again on the same port and data, stopping it first when it runs. */
  restart(mode?: StopMode): Promise<void>;
  /** Stops the server and deletes its directory, unless that is kept. */
  remove(): Promise<void>;
}

/** What a test may ask of its server. */
export interface ServerOptions {
  /** Settings beyond, or instead of, those that all test servers have. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The programs to run; the server with pgvector unless given. */
  readonly bin?: string;
  /** The server to follow as a hot standby; `bin` must be the same. */
  readonly standbyOf?: TestServer;
  /** A directory that outlives this process: its cluster is used again when it has one, and made there when not. */
  readonly keptIn?: string;
}

const SETTINGS: Readonly<Record<string, string>> = {
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '100',
  max_locks_per_transaction: '64',
  shared_buffers: '256MB',
  logging_collector: 'off',
  log_lock_waits: 'on',
  log_line_prefix: '%m [%p] %u@%d ',
};

const START_SECONDS = 60;

const MEMORY = '/dev/shm';
/** `f_type` of a tmpfs, of statfs(2). */
const TMPFS = 0x01021994;
/** More than the servers of a whole run hold at once, their write-ahead logs included. */
const ROOM_IN_MEMORY = 8 * 2 ** 30;

/** The bin directory of a server with pgvector and pg_trgm; installs what is missing where it can, else throws. */
export function postgresBin(): string {
  const script = fileURLToPath(new URL('install.sh', import.meta.url));
  const output = execFileSync('bash', [script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const bin = output.trim().split('\n').at(-1);
  if (!bin) throw new Error(`${script} named no bin directory`);
  return bin;
}

/**
 * Starts a server over a fresh cluster in a temporary directory, or over one that is kept. It ends with this process,
 * however that ends.
 */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const bin = options.bin ?? postgresBin();
  const account = serverAccount();
  const kept = options.keptIn !== undefined;
  const directory = options.keptIn ?? mkdtempSync(join(serverDirectory(), 'trueup-pg-'));
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o755);
  if (account.uid !== undefined && account.gid !== undefined) chownSync(directory, account.uid, account.gid);
  const data = join(directory, 'data');
  const logFile = join(directory, 'server.log');

  const [program, flags]: readonly [string, readonly string[]] =
    options.standbyOf === undefined
      ? ['initdb', ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync']]
      : [
          'pg_basebackup',
          ['-D', data, '-d', options.standbyOf.url('postgres'), '-R', '--checkpoint=fast', '--no-sync'],
        ];
  if (!existsSync(join(data, 'PG_VERSION')))
    execFileSync(join(bin, program), flags, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'], ...account });
  // Its watchdog would stop the other one's server when this process ends.
  if (isRunning(data)) throw new Error(`another process uses the cluster in ${directory}`);
  const watchdog = startWatchdog(directory, kept);
  const port = await freePort();
  const settings = { ...SETTINGS, ...options.settings, port: String(port) };
  const url = (database: string, user = 'postgres') =>
    `postgresql://${encodeURIComponent(user)}@127.0.0.1:${port}/${encodeURIComponent(database)}`;

  let postmaster: ChildProcess | null = null;

  async function start(): Promise<void> {
    const log = openSync(logFile, 'a');
    const started = spawn(
      join(bin, 'postgres'),
      [
        '-D',
        data,
        ...Object.entries({
          ...settings,
          listen_addresses: '127.0.0.1',
          unix_socket_directories: directory,
        }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      // Detached: Ctrl-C in the terminal must reach the tests, and not stop the server under them.
      { cwd: directory, stdio: ['ignore', log, log], detached: true, ...account },
    );
    closeSync(log);
    started.unref();
    await waitUntilReady(started, url('postgres'), logFile);
    postmaster = started;
  }

  async function stop(mode: StopMode = 'fast'): Promise<void> {
    const stopping = postmaster;
    postmaster = null;
    if (stopping === null || hasEnded(stopping)) return;
    const ended = new Promise((resolve) => stopping.once('exit', resolve));
    stopping.ref();
    stopping.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await ended;
  }

  await start();
  return {
    bin,
    directory,
    port,
    logFile,
    url,
    stop,
    restart: async (mode) => {
      await stop(mode);
      await start();
    },
    remove: async () => {
      await stop('immediate');
      watchdog.kill('SIGKILL');
      if (kept) return;
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** The account that the server runs as: PostgreSQL refuses root. */
export function serverAccount(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  for (const user of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) =>
        Number(execFileSync('id', [flag, user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // No such account: the next.
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody');
}

/**
 * In memory where there is room: hundreds of databases are made and dropped, and ext4 passes over the inodes of dropped files
 * for minutes, one by one, whenever it makes one. A socket's path holds 107 bytes at most, so a long TMPDIR cannot be used.
 */
function serverDirectory(): string {
  if (hasRoomInMemory()) return MEMORY;
  return tmpdir().length <= 60 ? tmpdir() : '/tmp';
}

function hasRoomInMemory(): boolean {
  try {
    accessSync(MEMORY, constants.W_OK);
    const { type, bavail, bsize } = statfsSync(MEMORY);
    return type === TMPFS && bavail * bsize >= ROOM_IN_MEMORY && freemem() >= ROOM_IN_MEMORY;
  } catch {
    return false;
  }
}

/**
 * Stops the server, and deletes its directory unless it is kept, when this process ends without doing so, kill -9
 * included: the pipe to its standard input closes then.
 */
function startWatchdog(directory: string, kept: boolean): ChildProcess {
  const script = [
    'read -r _',
    'pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null',
    'while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; done',
    ...(kept ? [] : ['rm -rf "$1"']),
  ].join('\n');
  const watchdog = spawn('sh', ['-c', script, 'sh', directory], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Neither may keep this process alive.
  watchdog.unref();
  (watchdog.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  return watchdog;
}

/** A server runs over this data directory. What one that was killed left behind names a process that is gone. */
function isRunning(data: string): boolean {
  try {
    process.kill(Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A port of 127.0.0.1 that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function waitUntilReady(postmaster: ChildProcess, url: string, logFile: string): Promise<void> {
  let failure: unknown = null;
  postmaster.once('error', (error) => {
    failure = error;
  });
  const end = Date.now() + START_SECONDS * 1000;
  while (Date.now() < end && failure === null && !hasEnded(postmaster)) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    try {
      await client.connect();
      return;
    } catch {
      await sleep(50);
    } finally {
      await client.end().catch(() => {});
    }
  }
  postmaster.kill('SIGQUIT');
  const log = readFileSync(logFile, 'utf8').split('\n').slice(-20).join('\n');
  throw new Error(`the test server did not start\n${log}`, { cause: failure });
}
