import { createHash } from 'node:crypto';
import type { Row, Session } from '../database/session.js';

/** The session advisory lock that one applier holds on a tenant: 64 bits of a hash over database and schema. */
export function tenantLockKey(database: string, schema: string): string {
  return createHash('sha256').update(`trueup\0${database}\0${schema}`).digest().readBigInt64BE(0).toString();
}

/**
 * Tries to take the locks of some tenants, all in one statement; gives those that were had. Tried, never waited for: a
 * blocking call while another session builds concurrently would deadlock with the build.
 */
export async function tryTenantLocks(
  session: Session,
  database: string,
  schemas: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await session.query<Row & { schema: string; had: boolean }>(
    `select w.s "schema", pg_catalog.pg_try_advisory_lock(w.k) had from unnest($1::text[], $2::int8[]) w(s, k)`,
    [schemas, schemas.map((schema) => tenantLockKey(database, schema))],
  );
  return new Set(rows.filter((row) => row.had).map((row) => row.schema));
}

/** Gives the locks back. */
export async function releaseTenantLocks(session: Session, database: string, schemas: Iterable<string>): Promise<void> {
  const keys = [...schemas].map((schema) => tenantLockKey(database, schema));
  if (keys.length > 0)
    await session.query('select pg_catalog.pg_advisory_unlock(k) from pg_catalog.unnest($1::int8[]) k', [keys]);
}
