import pg from 'pg';
import { statementsOf } from '../../src/apply/statements.js';
import { known } from '../../src/collections.js';
import { openDatabase } from '../../src/database/open-database.js';
import { resolveTarget } from '../../src/database/target.js';
import type { DesiredState } from '../../src/desired-state/model.js';
import { planFleet } from '../../src/plan/plan-fleet.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { bankStatements, type FleetSize, tenantName } from './tenants.js';

/** Tenants whose statements share one transaction; fewer where the server's lock table is small. */
const BATCH = 25;

/** Connections that build side by side. */
const BUILDERS = 2;

/** The statements that make a tenant of a name. */
export type TenantStatements = (schema: string) => readonly string[];

/** What a fleet is built with. */
export interface Building {
  readonly url: string;
  readonly tenantStatements: TenantStatements;
  readonly size: FleetSize;
  /** Is told how many tenants are there. */
  readonly advance: (tenants: number) => void;
}

/**
 * Makes a fleet in a database that has none: the statements are those that trueup plans for an absent schema, filled in
 * for each tenant; banks are added as the application does it. Ends with VACUUM ANALYZE of the catalogs.
 */
export async function buildFleet({ url, tenantStatements, size, advance }: Building): Promise<void> {
  const locks = tenantStatements('x').length * 3 + size.banks * 6;
  const batch = Math.max(1, Math.min(BATCH, Math.floor((await lockTableSize(url)) / (2 * BUILDERS * locks))));
  let begun = 0;
  let made = 0;
  const build = async (): Promise<void> => {
    while (begun < size.tenants) {
      const first = begun;
      begun = Math.min(size.tenants, first + batch);
      const tenants = Array.from({ length: begun - first }, (_, index) => first + index);
      const statements = tenants.flatMap((tenant) => [
        ...tenantStatements(tenantName(tenant)),
        ...bankStatements(tenant, size),
      ]);
      // A connection of its own: a session keeps what it knows of every relation that it ever touched.
      await withClient(url, (client) => client.query(`BEGIN;\n${statements.join(';\n')};\nCOMMIT`));
      made += tenants.length;
      advance(made);
    }
  };
  await Promise.all(Array.from({ length: BUILDERS }, build));
  await vacuumCatalogs(url);
}

/** Brings the catalogs' statistics and visibility maps up to date, as autovacuum would in time. */
export async function vacuumCatalogs(url: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT oid::regclass::text AS name FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r' AND NOT relisshared`,
    );
    for (const { name } of rows) await client.query(`VACUUM (ANALYZE) ${name}`);
  });
}

/** One session for as long as the work takes. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Makes the declared extensions, and gives the statements that make a tenant of a name. */
export async function planTenant(url: string, desired: DesiredState): Promise<TenantStatements> {
  const target = resolveTarget({ databaseUrl: url, environment: {}, variables: [] });
  const database = await openDatabase(target, { id: 'main', maxSessions: 1 });
  try {
    const selection = { schemas: ['bench_absent'], exclude: [], allowEmpty: false, allowAbsent: true };
    const plan = await planFleet(database, { desired, selection, allow: new Set(), progress: NO_PROGRESS });
    const [planned] = plan.databases;
    const { tenants, databaseChanges } = known(planned, 'the database of the plan');
    const { owner, changes } = known(tenants[0], 'the tenant to be made');
    await withClient(url, async (client) => {
      for (const change of databaseChanges)
        for (const { sql } of statementsOf({ change, members: null }, { schema: '', owner: '' }))
          await client.query(sql);
    });
    return (schema) => changes.flatMap((change) => statementsOf(change, { schema, owner }).map(({ sql }) => sql));
  } finally {
    await database.close();
  }
}

const lockTableSize = (url: string): Promise<number> =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ size: number }>(
      `SELECT current_setting('max_locks_per_transaction')::int * current_setting('max_connections')::int AS size`,
    );
    return rows[0]?.size ?? 0;
  });
