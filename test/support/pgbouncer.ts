import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { freePort, serverAccount } from './postgres/server.js';

/** When PgBouncer gives a backend back: at the end of a session, of a transaction, of a statement. */
export type PoolMode = 'session' | 'transaction' | 'statement';

/** A PgBouncer of the tests' own. */
export interface TestPgBouncer {
  /** The same database and user as those of the server's URL, through the pooler. */
  readonly url: string;
  stop(): Promise<void>;
}

/** What a test may ask of its pooler: settings beyond, or instead of, the usual ones. */
export type PgBouncerSettings = Readonly<Record<string, string>>;

const START_SECONDS = 20;

/**
 * Starts a real PgBouncer in front of a server, as the account that servers run as: it refuses root. It ends with this
 * process, however that ends.
 * @param serverUrl a database on 127.0.0.1 that trusts its user
 */
export async function startPgBouncer(
  serverUrl: string,
  mode: PoolMode,
  settings: PgBouncerSettings = {},
): Promise<TestPgBouncer> {
  const server = new URL(serverUrl);
  const account = serverAccount();
  const directory = mkdtempSync('/tmp/trueup-bouncer-');
  const port = await freePort();
  const logFile = join(directory, 'pgbouncer.log');
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'trust',
    auth_file: join(directory, 'users.txt'),
    logfile: logFile,
    pool_mode: mode,
    default_pool_size: '10',
    ...settings,
  };
  const configuration = join(directory, 'pgbouncer.ini');
  writeFileSync(join(directory, 'users.txt'), `"${decodeURIComponent(server.username)}" ""\n`);
  writeFileSync(
    configuration,
    [
      '[databases]',
      `* = host=${server.hostname} port=${server.port || '5432'}`,
      '[pgbouncer]',
      ...Object.entries(all).map(([name, value]) => `${name} = ${value}`),
      '',
    ].join('\n'),
  );
  chmodSync(directory, 0o755);
  if (account.uid !== undefined && account.gid !== undefined) chownSync(directory, account.uid, account.gid);

  // The shell ends the pooler when its standard input closes: with this process at the latest.
  const script = '"$1" -q "$2" </dev/null & pid=$!; read -r _; kill -9 "$pid"; wait "$pid"';
  const shell = spawn('sh', ['-c', script, 'sh', pgbouncerProgram(), configuration], {
    cwd: directory,
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    ...account,
  });
  shell.unref();
  (shell.stdin as unknown as { unref?: () => void }).unref?.();
  const stop = async (): Promise<void> => {
    const ended = new Promise((resolve) => shell.once('exit', resolve));
    shell.ref();
    shell.stdin.end();
    if (shell.exitCode === null) await ended;
    await rm(directory, { recursive: true, force: true });
  };

  const url = new URL(serverUrl);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  try {
    await waitUntilReady(url.href, logFile);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: url.href, stop };
}

/** The program; installed where that is possible, else an error: that there is none is never a skip. */
function pgbouncerProgram(): string {
  const script = fileURLToPath(new URL('postgres/install-pgbouncer.sh', import.meta.url));
  const output = execFileSync('bash', [script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const program = output.trim().split('\n').at(-1);
  if (!program) throw new Error(`${script} named no program`);
  return program;
}

async function waitUntilReady(url: string, logFile: string): Promise<void> {
  let failure: unknown = null;
  for (const end = Date.now() + START_SECONDS * 1000; Date.now() < end; await sleep(50)) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('SELECT 1');
      return;
    } catch (error) {
      failure = error;
    } finally {
      await client.end().catch(() => {});
    }
  }
  throw new Error(`PgBouncer did not start\n${readFileSync(logFile, 'utf8')}`, { cause: failure });
}
