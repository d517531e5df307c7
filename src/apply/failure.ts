import { DatabaseError } from '../database/session.js';
import { UNKNOWN_NAME } from '../plan/unknown-name.js';
import { TEMPORARY_NAME } from '../sql/temporary-name.js';
import { TrueupError } from '../trueup-error.js';
import type { TenantFailure } from './outcome.js';

/** An error as a tenant's outcome says it. Anything that is neither ours nor the server's is thrown on: a bug. */
export function failureOf(error: unknown): TenantFailure {
  if (error instanceof TrueupError)
    return { code: error.code, message: error.message, sqlstate: null, remedy: error.options.remedy ?? null };
  if (error instanceof DatabaseError) {
    const detail = error.details.detail === undefined ? '' : ` (${withoutValues(error.code, error.details.detail)})`;
    return {
      code: 'TENANT_FAILED',
      message: `${error.message}${detail}`,
      sqlstate: error.code,
      remedy: remedyOf(error),
    };
  }
  throw error;
}

/** The same, for an error that must not end the other tenants' run. */
export function anyFailure(error: unknown): TenantFailure {
  if (error instanceof TrueupError || error instanceof DatabaseError) return failureOf(error);
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'INTERNAL', message, sqlstate: null, remedy: 'report this as a bug' };
}

/** Whether the same might go well a little later: a lock not had, a deadlock lost, a serialisation failure, a build that gave way. */
export const isPassing = (error: unknown): boolean =>
  (error instanceof TrueupError && error.code === 'BUILD_YIELDED') ||
  (error instanceof DatabaseError && ['55P03', '40P01', '40001', '53300'].includes(error.code));

/** Whether something that the diff relied on was made, renamed or dropped meanwhile: the next diff goes by what is there. */
export const isOvertaken = (error: unknown): boolean =>
  (error instanceof TrueupError && error.code === 'STALE_EVIDENCE') ||
  (error instanceof DatabaseError &&
    ['42P07', '42710', '42701', '42704', '42703', '42P01', '42P06', '3F000'].includes(error.code));

/** Whether a running statement was cancelled. */
export const isCancelled = (error: unknown): boolean => error instanceof DatabaseError && error.code === '57014';

/**
 * Details of violated constraints quote rows, and rows hold customers' names: a whole row, or the values of a key. Told by the
 * SQLSTATE, since the words are in the server's language.
 */
function withoutValues(sqlstate: string, detail: string): string {
  if (['23502', '23514'].includes(sqlstate)) return detail.replace(/\([\s\S]*\)/u, '(…)');
  return sqlstate.startsWith('23') ? detail.replace(/=\([\s\S]*\)/u, '=(…)') : detail;
}

const remedyOf = ({ code, message, details }: DatabaseError): string | null =>
  /language "?plpgsql"?/u.test(message)
    ? 'trueup checks with PL/pgSQL, under the lock, that a table is empty still: trueup doctor has the statement'
    : (BY_MESSAGE.find((one) => one.code === code && one.message.test(message))?.remedy ??
      REMEDIES[code] ??
      details.hint ??
      null);

/**
 * Where one SQLSTATE stands for several causes. Whoever owns the tables and is told to run as their owner looks in the wrong
 * place. A server that speaks another language gets what the SQLSTATE alone tells.
 */
const BY_MESSAGE: readonly { readonly code: string; readonly message: RegExp; readonly remedy: string }[] = [
  {
    code: '42501',
    message: /row-level security/u,
    remedy:
      'row security hides rows of that table from the role, its owner too where it is forced: ALTER ROLE … BYPASSRLS, or run as a role that sees all rows',
  },
  {
    code: '42501',
    message: /^permission denied for schema /u,
    remedy:
      'grant the role USAGE on that schema, and CREATE as well where it is the tenant’s; or name another with --role',
  },
  {
    code: '42501',
    message: /^permission denied for database /u,
    remedy: 'GRANT CREATE ON DATABASE to the role, which is to make a schema in it; or name another with --role',
  },
  {
    code: '42501',
    message: /^permission denied for (?:view|function|language|type|tablespace) /u,
    remedy: 'grant the role what it lacks, or name another with --role',
  },
  {
    // The check by which NOT NULL is proved: nobody finds it in their files, nor in the table afterwards.
    code: '23514',
    message: new RegExp(`"${TEMPORARY_NAME}"`, 'u'),
    remedy: 'the column is declared NOT NULL, and existing rows have no value: fill it, then run again',
  },
  {
    code: '42P16',
    message: /inherited/u,
    remedy:
      'the table inherits it from another: change it there, which changes it here as well, or end that with NO INHERIT',
  },
  // Any other thing that is not there was dropped meanwhile.
  { code: '42704', message: /^(?:type|operator class|access method|collation|text search) /u, remedy: UNKNOWN_NAME },
  { code: '42883', message: /^(?:function|operator) /u, remedy: UNKNOWN_NAME },
  // Tables that statements are about were there when they were planned, or are made before: a sequence that a default names.
  { code: '42P01', message: /^relation /u, remedy: UNKNOWN_NAME },
  {
    code: '22P02',
    message: /\benum\b/u,
    remedy: 'the files name a value that the tenant’s type does not have: add it in the application’s own migration',
  },
  {
    code: '22023',
    message: /^RESTART value/u,
    remedy:
      'an identity’s sequence stands at a number that the files do not let it give: ALTER SEQUENCE … RESTART WITH a free one that they do, then run again',
  },
  {
    code: '22003',
    message: /^setval: /u,
    remedy:
      'existing rows have numbers that the files do not let the identity’s sequence go on from: declare another maximum or minimum, or mend the rows',
  },
  {
    code: '42809',
    message: /\bto a partition$/u,
    remedy: 'the table is a partition of another: change that one, which changes it here as well, or DETACH PARTITION',
  },
];

const TAKEN = 'something has taken the name since the plan was made: plan again, which says what, then make it free';

const REMEDIES: Readonly<Record<string, string>> = {
  '25006':
    'the server takes no changes: it is a standby by now, or default_transaction_read_only is on; trueup doctor says which',
  '42501': 'run as a role that owns the tenant’s tables, or name one with --role',
  '55P03': 'a lock was not had in time: run again, or end the transaction that holds it',
  '57014': 'the statement was cancelled: run again; --build-timeout bounds builds',
  // The server's own hint is DROP … CASCADE, which takes the application's keys and views along.
  '2BP01':
    'the message names what depends on it: drop that in the application’s own migration, run again, then make it anew there',
  '42P07': TAKEN,
  '42710': TAKEN,
  '23505': 'existing rows are not unique: mend them, then run again',
  '23514': 'existing rows violate the check: mend them, then run again',
  '23502': 'existing rows have no value: fill the column, then run again',
  '23503': 'existing rows reference rows that are gone: mend them, then run again',
};
