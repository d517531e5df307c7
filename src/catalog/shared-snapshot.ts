import type { Session } from '../database/session.js';
import { inTransaction } from '../database/transaction.js';
import { quoteLiteral } from '../sql/quote.js';
import { PATIENT, patiently } from './locked-tenants.js';
import type { ReadySession } from './shared-parts.js';

/** Opens one more session on the same database; null where the run has but one. */
export type OpenBeside = (() => Promise<Session>) | null;

/**
 * Settings of a transaction that reads catalogs.
 * - Memory in which a large fleet's rows are joined and sorted: under the default of 4 MB they go through temporary files.
 *   Never less than the role has. 64 MB took a tenth off the pass over 10,000 tenants, 256 MB no more.
 * - No parallel workers: two sessions share the fleet, and workers beside them, of whom the application has need, gained nothing.
 * - A page out of order costs little more than one in order, since catalogs are read from memory: or the planner goes through
 *   all of the fleet's constraints and defaults for a batch of 250 tables.
 * - No merge join: it sorts the tenants' tables by name, and what is looked up for each comes from all over the catalogs
 *   then, instead of tenant by tenant, as it was made.
 */
export const CATALOG_SETTINGS = `pg_catalog.set_config('work_mem',
  (greatest(pg_catalog.pg_size_bytes(pg_catalog.current_setting('work_mem')), 67108864) / 1024)::text, true),
  pg_catalog.set_config('max_parallel_workers_per_gather', '0', true), pg_catalog.set_config('random_page_cost', '1.1', true), pg_catalog.set_config('enable_mergejoin', 'off', true)`;

/**
 * A setting of a transaction with statements that are kept: planned once, for any tenants. Parsing and planning the pass takes
 * as long as the pass over a batch of 250 tables; a plan for these very tenants is no better, since the statement itself says how
 * many it is about. By itself the server would plan five times before it tried.
 */
export const ANY_TENANTS = `pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true)`;

/** Ends {@link ANY_TENANTS}: a plan that does not know a long list looks through all of it for each row. */
export const THESE_TENANTS = `pg_catalog.set_config('plan_cache_mode', 'auto', true)`;

/** Fewer tenants are read sooner than a second connection is there. */
export const WORTH_A_SESSION = 500;

/**
 * Runs `read` with two sessions that see the same snapshot, or with the one alone where there can be no other: a standby
 * exports none, the server may have no connection left, and a pooler may lead to another server.
 * @param session in a transaction of `read only snapshot`
 * @param also is read by that session, while the other comes and begins
 */
export async function withSharedSnapshot<F, T>(
  session: Session,
  open: OpenBeside,
  also: () => Promise<F>,
  read: (sessions: readonly ReadySession[]) => Promise<T>,
): Promise<readonly [F, T]> {
  const opening = open === null ? null : open().catch(() => null);
  const snapshot = opening === null ? Promise.resolve(null) : exportedSnapshot(session);
  const meanwhile = snapshot.then(also);
  const first = meanwhile.then(() => session);
  const [known, found] = await Promise.allSettled([meanwhile, readBeside(first, opening, snapshot, read), first]);
  if (known.status === 'rejected') throw known.reason;
  if (found.status === 'rejected') throw found.reason;
  return [known.value, found.value];
}

/** Null on a standby. */
async function exportedSnapshot(session: Session): Promise<string | null> {
  const [row] = await session.query<{ id: string | null }>(
    'select case when not pg_catalog.pg_is_in_recovery() then pg_catalog.pg_export_snapshot() end id',
  );
  return row?.id ?? null;
}

async function readBeside<T>(
  session: Promise<Session>,
  opening: Promise<Session | null> | null,
  exported: Promise<string | null>,
  read: (sessions: readonly ReadySession[]) => Promise<T>,
): Promise<T> {
  const other = await opening;
  if (other === null) return read([session]);
  try {
    const snapshot = await exported;
    if (snapshot === null) return await read([session]);
    return await inTransaction(other, 'read only snapshot', async () => {
      const joined = await other.query(`SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot)}`).then(
        () => true,
        () => false,
      );
      if (joined) await other.query(`select ${CATALOG_SETTINGS}, ${PATIENT}`);
      return read(joined ? [other, session] : [session]);
    });
  } finally {
    await other.release();
  }
}

/** Runs `read` with a second session where there can be one: what needs no snapshot is read by two as well. */
export async function withSessionBeside<T>(
  session: Session,
  open: OpenBeside,
  read: (sessions: readonly Session[]) => Promise<T>,
): Promise<T> {
  const other = open === null ? null : await open().catch(() => null);
  if (other === null) return read([session]);
  try {
    return await patiently(other, () => read([session, other]));
  } finally {
    await other.release();
  }
}
