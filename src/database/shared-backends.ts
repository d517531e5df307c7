import { TrueupError } from '../trueup-error.js';

/** What to do about a pooler that shares backends between connections. */
export const POOLER_REMEDY = `connect to the server itself, or through a pool in session mode (PgBouncer: pool_mode = \
session for this database or user; Supavisor: port 5432 instead of 6543; RDS Proxy: the address of the database instance)`;

/** The error for such a pooler. */
export const sharedBackends = (cause?: unknown): TrueupError =>
  new TrueupError(
    'POOLER_SHARES_BACKENDS',
    'a connection pooler shares backends between connections, so that locks and settings of a session do not hold; nothing was changed',
    { remedy: POOLER_REMEDY, cause },
  );

/** Whether a pooler refuses transactions altogether: PgBouncer in statement mode, which hangs up then. */
export const refusesTransactions = (error: unknown): boolean =>
  error instanceof Error && /transaction blocks not allowed in statement pooling mode/iu.test(error.message);
