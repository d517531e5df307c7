import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError, type Session } from '../database/session.js';
import { describeHolder, HOLDER_COLUMNS, HOLDER_SOURCES, type HolderRow, holderOf, OF_OTHERS } from './lock-holder.js';
import { relationAt } from './named-schemas.js';

/**
 * For so long a reading waits for one lock, in milliseconds. Shorter than deadlock_timeout (1 s): where a migration and a
 * reading block each other, it is the reading that gives up.
 */
const LOCK_TIMEOUT = 500;

/** A setting of a transaction that reads catalogs beside another session's. */
export const PATIENT = `pg_catalog.set_config('lock_timeout', '${LOCK_TIMEOUT}ms', true)`;

/**
 * Runs `read` with a session that waits for no lock longer than {@link LOCK_TIMEOUT}, and without a limit, as sessions are pinned,
 * after it. What catches errors of the server on the way must let {@link isLockTimeout} through.
 */
export async function patiently<T>(session: Session, read: () => Promise<T>): Promise<T> {
  await session.query(`select pg_catalog.set_config('lock_timeout', '${LOCK_TIMEOUT}ms', false)`);
  try {
    return await read();
  } finally {
    await session.query(`select pg_catalog.set_config('lock_timeout', '0', false)`).catch(() => {});
  }
}

/** Whether a statement gave up waiting for a lock. */
export const isLockTimeout = (error: unknown): boolean => error instanceof DatabaseError && error.code === '55P03';

/** For so long locks are waited out that others hold on tenants' tables, in milliseconds: most migrations are through by then. */
const PATIENCE = 3000;
const INTERVAL = 250;

/**
 * Waits, but not for long, until no tenant's tables are kept from being read by a lock that somebody else holds or waits for.
 * Takes no lock itself.
 * @param tables names of tables; null: all
 * @param schemas the tenants that it is about; empty: every one
 * @returns the schemas whose tables were locked all the time, and by whom, in words
 */
export async function lockedTenants(
  session: Session,
  tables: readonly string[] | null,
  schemas: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const until = performance.now() + PATIENCE;
  let locked = await lockedNow(session, tables, schemas);
  while (locked.size > 0 && performance.now() < until) {
    await sleep(INTERVAL);
    // Only those that are locked at every look: in a large fleet some tenant or other always is, for a moment.
    locked = await lockedNow(session, tables, [...locked.keys()]);
  }
  return locked;
}

async function lockedNow(
  session: Session,
  tables: readonly string[] | null,
  schemas: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await session.query<HolderRow & { schema: string; granted: boolean }>(LOCKED_SQL, [tables, schemas]);
  return new Map(
    rows.map((row) => {
      const holder = describeHolder(holderOf(row, 'ACCESS EXCLUSIVE'));
      const how = row.granted ? 'is held by' : 'is waited for by';
      return [row.schema, `the lock ACCESS EXCLUSIVE on "${row.table}" ${how} ${holder}`];
    }),
  );
}

/** Who waits for the lock counts as well: whoever comes later stands in line behind them. */
const LOCKED_SQL = `
select distinct on (n.nspname) n.nspname::text "schema", c.relname::text "table", l.granted, ${HOLDER_COLUMNS}
  from pg_catalog.pg_locks l cross join ${relationAt('l.relation')}
 cross join ${relationAt('coalesce((select i.indrelid from pg_catalog.pg_index i where i.indexrelid = c.oid), c.oid)', 't')}
  join pg_catalog.pg_namespace n on n.oid = t.relnamespace and ($2::name[] = '{}' or n.nspname = any($2::name[]))
       ${HOLDER_SOURCES}
 where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock' and ${OF_OTHERS}
   and ($1::name[] is null or t.relname = any($1::name[]))
 order by n.nspname, l.granted desc, l.pid`;
