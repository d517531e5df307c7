import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { TEMPLATE_DATABASE } from './postgres/global-setup.js';
import type { TestServer } from './postgres/server.js';

/** A database of one test's (or test file's) own, on the shared server. */
export interface TestDatabase {
  readonly name: string;
  /** A superuser's connection string. */
  readonly url: string;
  /** The same for another role (trusted, when the server is the tests' own). */
  urlFor(user: string): string;
  /** Runs one statement over a connection of the test's own, and gives its rows. */
  query<Row extends object = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Runs several statements, separated by semicolons, as one implicit transaction. */
  exec(script: string): Promise<void>;
  /** A further connection, for what needs two; ended by {@link drop} at the latest. */
  connect(user?: string): Promise<pg.Client>;
  /** Runs a script through psql, statement by statement, stopping at the first error. Gives its standard output. */
  psql(script: string): Promise<string>;
  /** Ends the connections that were opened through this object: a database is copied only while nobody uses it. */
  disconnect(): Promise<void>;
  /** Ends all sessions in the database and drops it. */
  drop(): Promise<void>;
}

/**
 * Makes a fresh database: with the extensions vector and pg_trgm in public, or (`template: false`, or on a server of the
 * test file's own) with none; or a copy of the database that `template` names.
 */
export async function createTestDatabase(
  options: { readonly template?: boolean | string; readonly server?: TestServer } = {},
): Promise<TestDatabase> {
  const own = options.server;
  const server = own === undefined ? sharedServer() : { url: own.url('postgres'), bin: own.bin };
  const name = `trueup_test_${randomBytes(8).toString('hex')}`;
  const usual = options.template === false || own !== undefined ? 'template0' : TEMPLATE_DATABASE;
  const template = typeof options.template === 'string' ? options.template : usual;
  await administer(server.url, `CREATE DATABASE ${name} TEMPLATE ${template}`);

  const urlFor = (user: string | null): string => {
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    if (user !== null) url.username = encodeURIComponent(user);
    return url.href;
  };
  const clients = new Set<pg.Client>();
  const connect = async (user: string | null): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: urlFor(user) });
    // Unhandled, the loss of a connection (a stopped server) would end the test process.
    client.on('error', () => {});
    client.once('end', () => clients.delete(client));
    await client.connect();
    clients.add(client);
    return client;
  };
  let main: pg.Client | null = null;
  const ownClient = async (): Promise<pg.Client> => {
    if (main !== null && clients.has(main)) return main;
    main = await connect(null);
    return main;
  };

  const disconnect = async (): Promise<void> => {
    await Promise.all([...clients].map((client) => client.end().catch(() => {})));
  };

  return {
    name,
    url: urlFor(null),
    urlFor,
    query: async <Row extends object>(sql: string, values: readonly unknown[] = []) =>
      (await (await ownClient()).query<Row>(sql, [...values])).rows,
    exec: async (script) => {
      await (await ownClient()).query(script);
    },
    connect: (user) => connect(user ?? null),
    psql: (script) => runPsql(server.bin, urlFor(null), script),
    disconnect,
    drop: async () => {
      await disconnect();
      await administer(server.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

function sharedServer() {
  const server = inject('testServer');
  if (server === undefined) {
    throw new Error('this test needs a server: put it under test/server, or name it *.server.test.ts');
  }
  return server;
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function runPsql(bin: string | null, url: string, script: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const psql = spawn(bin === null ? 'psql' : join(bin, 'psql'), [
      ...['--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--set=ON_ERROR_STOP=1', '--file=-'],
      url,
    ]);
    let output = '';
    let errors = '';
    psql.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    psql.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    psql.once('error', reject);
    psql.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`psql ended with ${code}\n${errors}`));
    });
    // psql that stops at an error leaves the rest unread.
    psql.stdin.on('error', () => {});
    psql.stdin.end(script);
  });
}
