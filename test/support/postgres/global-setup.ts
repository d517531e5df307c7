import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startServer } from './server.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The server that all server tests share. */
    readonly testServer: SharedServer;
  }
}

/** What test files know of the shared server. */
export interface SharedServer {
  /** A superuser's connection string, to the database `postgres` or the one that TRUEUP_TEST_DATABASE_URL names. */
  readonly url: string;
  /** Where `psql` and `pg_dump` are; null: on the PATH. */
  readonly bin: string | null;
  /** Null for a server that is not the tests' own. */
  readonly logFile: string | null;
}

/** The database that test databases are copied from: empty, with the extensions vector and pg_trgm in public. */
export const TEMPLATE_DATABASE = 'trueup_template';

/** One server for the whole run. That there is none is a failure, never a skip. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.TRUEUP_TEST_DATABASE_URL;
  if (given) {
    await createTemplate(given);
    project.provide('testServer', { url: given, bin: null, logFile: null });
    return async () => {};
  }
  const server = await startServer();
  try {
    await createTemplate(server.url('postgres'));
  } catch (error) {
    await server.remove();
    throw error;
  }
  project.provide('testServer', { url: server.url('postgres'), bin: server.bin, logFile: server.logFile });
  return () => server.remove();
}

async function createTemplate(serverUrl: string): Promise<void> {
  await withClient(serverUrl, async (client) => {
    const found = await client.query('SELECT FROM pg_database WHERE datname = $1', [TEMPLATE_DATABASE]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${TEMPLATE_DATABASE}`);
  });
  const url = new URL(serverUrl);
  url.pathname = `/${TEMPLATE_DATABASE}`;
  await withClient(url.href, async (client) => {
    await client.query('CREATE EXTENSION IF NOT EXISTS vector SCHEMA public');
    await client.query('CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public');
  });
}

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
