import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { startServer } from '../support/postgres/server.js';
import { withClient } from './build-fleet.js';
import type { FleetSize } from './tenants.js';

/** Where a fleet lives. */
export interface FleetServer {
  /** Of the database that holds the fleet. */
  readonly url: string;
  /** Where psql is; null: on the PATH. */
  readonly bin: string | null;
  /** The settings that the bench chose; null for a server that is not its own. */
  readonly settings: Readonly<Record<string, string>> | null;
  /** Makes the database empty again: for a fleet that was left half built, or is asked for anew. */
  readonly clear: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

const GIGABYTE = 1024 ** 3;

/**
 * What a server of the bench's own is set to, as far as it differs from PostgreSQL's defaults. Catalogs should stay in
 * memory, as on any server that is large enough for its fleet: those of 10,000 tenants take 4.7 GB, and it has the quarter
 * of the machine's memory that PostgreSQL's documentation advises. Nothing that runs by itself may fall into a measurement;
 * and the disk's sync time, which is the same for everybody, is left out.
 */
const settings = (): Readonly<Record<string, string>> => ({
  shared_buffers: `${Math.max(1, Math.floor(totalmem() / 4 / GIGABYTE))}GB`,
  maintenance_work_mem: '256MB',
  // Lets 25 tenants be built in one transaction.
  max_locks_per_transaction: '1024',
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '4GB',
  checkpoint_timeout: '30min',
  autovacuum: 'off',
  log_lock_waits: 'off',
});

/** A server of the bench's own over a data directory that is kept, so that a fleet is built once. */
export async function startFleetServer(size: FleetSize, keep: string | null): Promise<FleetServer> {
  const home = keep ?? join(tmpdir(), 'trueup-bench');
  const chosen = settings();
  const server = await startServer({ settings: chosen, keptIn: join(home, `${size.tenants}x${size.banks}`) });
  const clear = () =>
    withClient(server.url('postgres'), async (client) => {
      await client.query('DROP DATABASE IF EXISTS fleet WITH (FORCE)');
      await client.query('CREATE DATABASE fleet');
    });
  const { rows } = await withClient(server.url('postgres'), (client) =>
    client.query(`SELECT FROM pg_database WHERE datname = 'fleet'`),
  );
  if (rows.length === 0) await clear();
  return { url: server.url('fleet'), bin: server.bin, settings: chosen, clear, stop: () => server.stop() };
}

/** A database that somebody gave. It is never cleared: what stands in it may be somebody's. */
export const givenServer = (url: string): FleetServer => ({
  url,
  bin: null,
  settings: null,
  clear: async () => {
    const schemas = await withClient(url, (client) =>
      client.query(
        `SELECT FROM pg_namespace WHERE nspname NOT IN ('public', 'information_schema') AND nspname !~ '^pg_'`,
      ),
    );
    if (schemas.rows.length > 0)
      throw new Error(
        'the database of --database-url holds schemas that are no fleet of the size asked for: give an empty one',
      );
  },
  stop: async () => {},
});
