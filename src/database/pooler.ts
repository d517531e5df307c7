import { setTimeout as sleep } from 'node:timers/promises';
import { TrueupError } from '../trueup-error.js';
import { isLost } from './database-errors.js';
import { type Database, DatabaseError, type Row, type Session } from './session.js';
import { POOLER_REMEDY, refusesTransactions, sharedBackends } from './shared-backends.js';

/** How many other connections are tried. */
const PROBES = 3;

/** How long a statement of the probe may take, in milliseconds: a pooler without a free backend lets it wait for ever. */
const PATIENCE = 10_000;

/** How long a pooler may take to give another session a backend, in milliseconds: PgBouncer itself lets it wait for two minutes. */
const CONNECT_PATIENCE = 3000;

/** Another session, or null when none is to be had soon. One that comes later is ended: its backend is somebody else's to use. */
export async function connectSoon(database: Database): Promise<Session | null> {
  const timer = new AbortController();
  const opening = database.connect();
  const late = sleep(CONNECT_PATIENCE, null, { signal: timer.signal }).catch(() => null);
  try {
    const first = await Promise.race([opening, late]);
    if (first === null) opening.then((session) => session.close()).catch(() => {});
    return first;
  } finally {
    timer.abort();
  }
}

/** Whether any of these sessions shows that there is a pooler; in which mode it is remains to be told. */
export const isPooled = (sessions: readonly Session[]): boolean =>
  sessions.some(({ pid, announcedPid }) => announcedPid !== null && announcedPid !== pid);

/**
 * Refuses a pooler that shares backends between connections: neither session locks nor settings would hold. Such a pooler
 * shows itself by a backend that two connections have, or that changes under one of them. Which mode a pooler is in shows
 * only with two connections or more.
 * @throws {TrueupError} POOLER_SHARES_BACKENDS
 */
export async function refuseSharedBackends(first: Session, others: readonly Session[]): Promise<void> {
  const all = [first, ...others];
  if (new Set(all.map(({ pid }) => pid)).size < all.length) throw sharedBackends();
  const pooled = isPooled(all);
  const probes = others.slice(0, PROBES);
  if (probes.length === 0 && pooled) throw untold();
  const begun: Session[] = [];
  try {
    for (const probe of probes) {
      // Read just before: a pooler hands out the backend that it was given back last.
      if ((await backend(first)) !== first.pid) throw sharedBackends();
      await bounded(probe.query('BEGIN'));
      begun.push(probe);
      if ((await backend(probe)) !== probe.pid) throw sharedBackends();
    }
    if ((await backend(first)) !== first.pid) throw sharedBackends();
  } catch (error) {
    // In statement mode PgBouncer takes no transaction, and hangs up on whoever begins one.
    if (error instanceof DatabaseError && (refusesTransactions(error) || (pooled && isLost(error))))
      throw sharedBackends(error);
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
    throw sharedBackends(new Error(`no backend was free for ${PATIENCE / 1000} s`));
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    late.catch(() => {});
    timer.abort();
  }
}

const untold = (): TrueupError =>
  new TrueupError(
    'POOLER_SHARES_BACKENDS',
    'a connection pooler stands before the server, and one connection does not tell whether it shares backends; nothing was changed',
    {
      remedy: `use --concurrency 2 or more, and a pool with as many free, so that it can be told, or ${POOLER_REMEDY}`,
    },
  );
