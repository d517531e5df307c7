import type { TrueupError } from '../trueup-error.js';
import type { DatabaseError, Row, Session } from './session.js';
import { refusesTransactions, sharedBackends } from './shared-backends.js';

/** What a transaction is for. A snapshot sees one state of the database all along; only `read write` can write. */
export type TransactionMode = 'read only snapshot' | 'read only' | 'read write';

const BEGIN: Readonly<Record<TransactionMode, string>> = {
  'read only snapshot': 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY',
  'read only': 'BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY',
  'read write': 'BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE',
};

/**
 * Runs `fn` inside a transaction, and commits; on an error rolls back and throws that error, whatever becomes of the
 * rollback.
 * @param opening statements that are sent along with BEGIN; `fn` gets their rows
 * @throws {TrueupError} POOLER_SHARES_BACKENDS where a pooler takes no transactions
 */
export async function inTransaction<T>(
  session: Session,
  mode: TransactionMode,
  fn: (opened: readonly (readonly Row[])[]) => Promise<T>,
  opening: readonly string[] = [],
): Promise<T> {
  let result: T;
  try {
    const [, ...opened] = await session.script([BEGIN[mode], ...opening]);
    result = await fn(opened);
  } catch (error) {
    await session.query('ROLLBACK').catch(() => {});
    throw refusesTransactions(error) ? sharedBackends(error) : error;
  }
  await session.query('COMMIT');
  return result;
}

/**
 * Read-write transactions in one message, behind which another may be sent before it is answered; see {@link Session.transactions}.
 * On an error the one that failed stays open where it had begun: a ROLLBACK is the caller's, once nothing else is under
 * way. The error is POOLER_SHARES_BACKENDS where a pooler takes no transactions.
 */
export async function inOneMessage(
  session: Session,
  scripts: readonly (readonly string[])[],
): Promise<{ readonly made: number; readonly error: DatabaseError | TrueupError | null }> {
  const whole = scripts.map((statements) => [BEGIN['read write'], ...statements, 'COMMIT']);
  const { made, error } = await session.transactions(whole);
  return { made, error: error !== null && refusesTransactions(error) ? sharedBackends(error) : error };
}

/**
 * A read-write transaction in as few round trips as its caller can do with: `run` sends scripts, of which the first starts
 * with `begin` and the last ends with `commit`. On an error whatever was begun is rolled back.
 * @throws {TrueupError} POOLER_SHARES_BACKENDS where a pooler takes no transactions
 */
export async function inScripts(
  session: Session,
  run: (begin: string, commit: string) => Promise<void>,
): Promise<void> {
  try {
    await run(BEGIN['read write'], 'COMMIT');
  } catch (error) {
    await session.query('ROLLBACK').catch(() => {});
    throw refusesTransactions(error) ? sharedBackends(error) : error;
  }
}
