import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError, type Row, type Session } from '../database/session.js';
import { TrueupError } from '../trueup-error.js';
import { isLost } from './failure.js';

/** How many other connections are tried. */
const PROBES = 3;

/** How long a statement of the probe may take, in milliseconds: a pooler without a free backend lets it wait for ever. */
const PATIENCE = 10_000;

/**
 * Refuses a pooler that shares backends between connections: neither session locks nor settings would hold. Such a pooler
 * shows itself by a backend that two connections have, or that changes under one of them. Which mode a pooler is in shows
 * only with two connections or more.
 * @throws {TrueupError} POOLER_SHARES_BACKENDS
 */
export async function refuseSharedBackends(first: Session, others: readonly Session[]): Promise<void> {
  const all = [first, ...others];
  if (new Set(all.map(({ pid }) => pid)).size < all.length) throw shared();
  const pooled = all.some(({ pid, announcedPid }) => announcedPid !== null && announcedPid !== pid);
  const probes = others.slice(0, PROBES);
  if (probes.length === 0 && pooled) throw untold();
  const begun: Session[] = [];
  try {
    for (const probe of probes) {
      // Read just before: a pooler hands out the backend that it was given back last.
      if ((await backend(first)) !== first.pid) throw shared();
      await bounded(probe.query('BEGIN'));
      begun.push(probe);
      if ((await backend(probe)) !== probe.pid) throw shared();
    }
    if ((await backend(first)) !== first.pid) throw shared();
  } catch (error) {
    // In statement mode PgBouncer takes no transaction, and hangs up on whoever begins one.
    if (error instanceof DatabaseError && (/transaction/iu.test(error.message) || (pooled && isLost(error))))
      throw shared(error);
    throw error;
  } finally {
    for (const probe of begun) await bounded(probe.query('ROLLBACK')).catch(() => {});
  }
}

async function backend(session: Session): Promise<number> {
  const [row] = await bounded(session.query<Row & { pid: number }>('select pg_catalog.pg_backend_pid() pid'));
  return row?.pid ?? 0;
}

async function bounded<T>(answer: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = sleep(PATIENCE, undefined, { signal: timer.signal }).then(() => {
    throw shared(new Error(`no backend was free for ${PATIENCE / 1000} s`));
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    late.catch(() => {});
    timer.abort();
  }
}

const REMEDY = `connect to the server itself, or through a pool in session mode (PgBouncer: pool_mode = session for this \
database or user; Supavisor: port 5432 instead of 6543; RDS Proxy: the address of the database instance)`;

const shared = (cause?: unknown): TrueupError =>
  new TrueupError(
    'POOLER_SHARES_BACKENDS',
    'a connection pooler shares backends between connections, so that locks and settings of a session do not hold; nothing was changed',
    { remedy: REMEDY, cause },
  );

const untold = (): TrueupError =>
  new TrueupError(
    'POOLER_SHARES_BACKENDS',
    'a connection pooler stands before the server, and one connection does not tell whether it shares backends; nothing was changed',
    { remedy: `use --concurrency 2 or more so that it can be told, or ${REMEDY}` },
  );
