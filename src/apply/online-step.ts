import { relationNamed } from '../catalog/named-schemas.js';
import { DatabaseError, type Row } from '../database/session.js';
import { quoteIdentifier } from '../sql/quote.js';
import { TrueupError } from '../trueup-error.js';
import type { Activity, Worker, Yielded } from './crew.js';
import { isCancelled } from './failure.js';
import { configure, reset } from './session-settings.js';
import type { Statement } from './statements.js';

/** How long the remains of a failed build are waited for, in milliseconds. */
const CLEANING = 10_000;

/** Bounds of what runs outside transactions. */
export interface OnlineLimits {
  /** Milliseconds. */
  readonly buildTimeout: number;
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Runs one statement outside any transaction. Its locks are weak and its waits long: lock_timeout would make a concurrent
 * build fail at any idle writer and leave an INVALID index, so that the statement has a bound of its own instead, and
 * gives way to whoever waits behind it when the watch says so.
 * @param object what it is about, for whoever watches
 */
export async function runOnline(
  worker: Worker,
  schema: string,
  statement: Statement,
  object: string,
  limits: OnlineLimits,
): Promise<void> {
  const settings = { ...limits.settings, lock_timeout: '0', statement_timeout: String(limits.buildTimeout) };
  const waitsForOthers = statement.builds !== null || /^DROP INDEX CONCURRENTLY\b/u.test(statement.sql);
  await configure(worker, settings);
  try {
    await watched(worker, { schema, object, waitsForOthers, cleaning: false }, statement.sql);
    if (statement.builds !== null) await assertValid(worker, schema, statement.builds);
  } catch (error) {
    // 42P07: the name was taken before the build began, maybe by another session's build that is still INVALID.
    const foreign = error instanceof DatabaseError && error.code === '42P07';
    if (statement.builds !== null && !foreign) await dropLeftover(worker, schema, statement.builds);
    throw error;
  } finally {
    await reset(worker, Object.keys(settings));
  }
}

/** @throws {TrueupError} BUILD_YIELDED where the watch has cancelled it for somebody */
async function watched(worker: Worker, about: Omit<Activity, 'yielded' | 'cancelling'>, sql: string): Promise<void> {
  const activity: Activity = { ...about, yielded: null, cancelling: Promise.resolve() };
  worker.activity = activity;
  try {
    await worker.session.query(sql);
  } catch (error) {
    throw isCancelled(error) && activity.yielded !== null ? gaveWay(activity.yielded, error) : error;
  } finally {
    worker.activity = null;
    // One that comes late would hit the session's next statement.
    await activity.cancelling;
  }
}

const gaveWay = ({ pid, waited }: Yielded, cause: unknown): TrueupError =>
  new TrueupError(
    'BUILD_YIELDED',
    `the build gave way to process ${pid}, which had waited behind it for ${(waited / 1000).toFixed(1)} s`,
    { remedy: 'run again when the application does less to the table, or allow it longer with --yield-after', cause },
  );

/** `IF NOT EXISTS` and a command's success prove nothing: the catalog must say that the index is valid. */
async function assertValid({ session }: Worker, schema: string, index: string): Promise<void> {
  const [row] = await session.query<Row & { valid: boolean }>(
    `select i.indisvalid and i.indisready "valid" from ${relationNamed('$1', '$2')}
       join pg_catalog.pg_index i on i.indexrelid = c.oid`,
    [schema, index],
  );
  if (row?.valid !== true)
    throw new TrueupError('TENANT_FAILED', `index "${index}" is not valid after its build`, {
      where: `schema "${schema}"`,
      remedy: 'run again',
    });
}

/** A failed concurrent build leaves an INVALID index that every write maintains. A valid one of that name is not ours. */
async function dropLeftover(worker: Worker, schema: string, index: string): Promise<void> {
  const { session } = worker;
  try {
    const [row] = await session.query<Row & { leftover: boolean }>(
      `select not i.indisvalid leftover from ${relationNamed('$1', '$2')}
         join pg_catalog.pg_index i on i.indexrelid = c.oid`,
      [schema, index],
    );
    if (row?.leftover !== true) return;
    // It waits for every transaction that may use the index: the rest of the fleet must not wait with it.
    await session.query(`SET statement_timeout = ${CLEANING}`);
    const drop = `DROP INDEX CONCURRENTLY IF EXISTS ${quoteIdentifier(schema)}.${quoteIdentifier(index)}`;
    await watched(worker, { schema, object: index, waitsForOthers: true, cleaning: true }, drop);
  } catch {
    // The first error says why; the next run drops what is left.
  }
}
