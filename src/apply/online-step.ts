import { DatabaseError, type Row, type Session } from '../database/session.js';
import { quoteIdentifier } from '../sql/quote.js';
import { TrueupError } from '../trueup-error.js';
import type { Statement } from './statements.js';

/** Bounds of what runs outside transactions, in milliseconds. */
export interface OnlineLimits {
  readonly buildTimeout: number;
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Runs one statement outside any transaction. Its locks are weak and its waits long: lock_timeout would make a concurrent
 * build fail at any idle writer and leave an INVALID index, so that the statement has a bound of its own instead.
 */
export async function runOnline(
  session: Session,
  schema: string,
  statement: Statement,
  limits: OnlineLimits,
): Promise<void> {
  const settings = { ...limits.settings, lock_timeout: '0', statement_timeout: String(limits.buildTimeout) };
  await configure(session, settings);
  try {
    await session.query(statement.sql);
    if (statement.builds !== null) await assertValid(session, schema, statement.builds);
  } catch (error) {
    // 42P07: the name was taken before the build began, maybe by another session's build that is still INVALID.
    const foreign = error instanceof DatabaseError && error.code === '42P07';
    if (statement.builds !== null && !foreign) await dropLeftover(session, schema, statement.builds);
    throw error;
  } finally {
    await reset(session, Object.keys(settings));
  }
}

/** Repeats a batch of a backfill until no row is left, or none gets a value: a default may be NULL in this session. */
export async function runBackfill(session: Session, statement: Statement): Promise<void> {
  for (;;) {
    const updated = await session.query<Row & { missing: boolean }>(statement.sql);
    if (updated.every((row) => row.missing)) return;
  }
}

/** `IF NOT EXISTS` and a command's success prove nothing: the catalog must say that the index is valid. */
async function assertValid(session: Session, schema: string, index: string): Promise<void> {
  const [row] = await session.query<Row & { valid: boolean }>(
    `select i.indisvalid and i.indisready "valid" from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2`,
    [schema, index],
  );
  if (row?.valid !== true)
    throw new TrueupError('TENANT_FAILED', `index ${index} is not valid after its build`, {
      where: `schema "${schema}"`,
      remedy: 'run again',
    });
}

/** A failed concurrent build leaves an INVALID index that every write maintains. A valid one of that name is not ours. */
async function dropLeftover(session: Session, schema: string, index: string): Promise<void> {
  try {
    const [row] = await session.query<Row & { leftover: boolean }>(
      `select not i.indisvalid leftover from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2`,
      [schema, index],
    );
    if (row?.leftover === true)
      await session.query(`DROP INDEX CONCURRENTLY IF EXISTS ${quoteIdentifier(schema)}.${quoteIdentifier(index)}`);
  } catch {
    // The first error says why; the next run drops what is left.
  }
}

async function configure(session: Session, settings: Readonly<Record<string, string>>): Promise<void> {
  const names = Object.keys(settings);
  await session.query(
    `select ${names.map((_, at) => `pg_catalog.set_config($${at * 2 + 1}, $${at * 2 + 2}, false)`).join(', ')}`,
    names.flatMap((name) => [name, settings[name] ?? '']),
  );
}

async function reset(session: Session, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const to = name === 'statement_timeout' || name === 'lock_timeout' ? '= 0' : 'TO DEFAULT';
    await session.query(`SET ${quoteIdentifier(name)} ${to}`).catch(() => {});
  }
}
