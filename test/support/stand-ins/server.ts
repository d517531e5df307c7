import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { postgresBin, type ServerOptions, startServer, type TestServer } from '../postgres/server.js';

/** A server on which extensions that no registry gives can be created: stand-ins, which store nothing. */
export interface StandInServer extends TestServer {
  /** Makes a database with these extensions in public (each with those that it requires), and gives its URL. */
  createDatabase(name: string, extensions?: readonly string[]): Promise<string>;
  /** A connection; an error of it, such as a stopped server, is left to the next statement. */
  connect(url: string): Promise<pg.Client>;
}

/**
 * Starts a server with the stand-ins, from a copy of the installation: the machine's own servers must not offer
 * extensions of these names.
 */
export async function startStandInServer(options: Omit<ServerOptions, 'bin'> = {}): Promise<StandInServer> {
  const copy = copyInstallation(postgresBin());
  const removeCopy = () => rmSync(copy.root, { recursive: true, force: true });
  process.once('exit', removeCopy);
  execFileSync('bash', [fileURLToPath(new URL('install.sh', import.meta.url)), join(copy.bin, 'pg_config')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const server = await startServer({ ...options, bin: copy.bin });
  return {
    ...server,
    createDatabase: async (name, extensions = []) => {
      await run(server.url('postgres'), `CREATE DATABASE ${name}`);
      for (const extension of extensions)
        await run(server.url(name), `CREATE EXTENSION IF NOT EXISTS ${extension} CASCADE`);
      return server.url(name);
    },
    connect,
    remove: async () => {
      await server.remove();
      removeCopy();
    },
  };
}

/** A server finds its files relative to its programs, so that the tree can stand anywhere. */
function copyInstallation(bin: string): { readonly root: string; readonly bin: string } {
  const ask = (flag: string) => execFileSync(join(bin, 'pg_config'), [flag], { encoding: 'utf8' }).trim();
  const own = [bin, ask('--pkglibdir'), ask('--sharedir')];
  const include = ask('--includedir-server');
  const from = own.concat(include).reduce(commonAncestor);
  const root = mkdtempSync(join(tmpdir(), 'trueup-stand-ins-'));
  // The server runs as another account than root.
  chmodSync(root, 0o755);
  for (const directory of own)
    cpSync(directory, join(root, relative(from, directory)), { recursive: true, dereference: true });
  const headers = join(root, relative(from, include));
  mkdirSync(dirname(headers), { recursive: true });
  symlinkSync(include, headers);
  return { root, bin: join(root, relative(from, bin)) };
}

function commonAncestor(left: string, right: string): string {
  const [these, those] = [left.split('/'), right.split('/')];
  const differs = these.findIndex((part, at) => part !== those[at]);
  return these.slice(0, differs === -1 ? these.length : differs).join('/');
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  return client;
}

async function run(url: string, sql: string): Promise<void> {
  const client = await connect(url);
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
