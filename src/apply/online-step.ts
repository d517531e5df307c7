import { setTimeout as sleep } from 'node:timers/promises';
import { relationNamed } from '../catalog/named-schemas.js';
import { DatabaseError, type Row } from '../database/session.js';
import { FILLED_TO, TABLE_START } from '../sql/ddl/backfill.js';
import { quoteIdentifier } from '../sql/quote.js';
import { TrueupError } from '../trueup-error.js';
import type { Activity, Worker, Yielded } from './crew.js';
import { isCancelled, isPassing } from './failure.js';
import type { ApplyLimits } from './request.js';
import { backoff } from './schedule.js';
import type { Statement } from './statements.js';

/** How long the remains of a failed build are waited for, in milliseconds. */
const CLEANING = 10_000;

/** A backfill that is to try again later looks so often whether it is to go on at all, in milliseconds. */
const NAP = 100;

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

/**
 * Repeats a batch of a backfill until no row is left, or none gets a value ({@link backfillBatch}). Gives false when it was to
 * go on no longer.
 * @param limits lockTimeout: for a row that somebody else holds. Others wait meanwhile for the rows that the batch holds, and in a
 * deadlock it is trueup that gives up
 */
export async function runBackfill(
  worker: Worker,
  statement: Statement,
  { lockTimeout, attempts }: Pick<ApplyLimits, 'lockTimeout' | 'attempts'>,
  goOn: () => boolean,
): Promise<boolean> {
  const settings = { lock_timeout: String(lockTimeout), [FILLED_TO]: TABLE_START };
  await configure(worker, settings);
  let filledTo = TABLE_START;
  let failures = 0;
  try {
    while (goOn()) {
      try {
        const updated = await worker.session.query<Row & { missing: boolean; reached: string }>(statement.sql);
        if (filledTo === TABLE_START && updated.every((row) => row.missing)) return true;
        filledTo = updated[0]?.reached ?? TABLE_START;
        await configure(worker, { [FILLED_TO]: filledTo });
        failures = 0;
      } catch (error) {
        failures += 1;
        // Of hours of batches some meet a row that is held for long: no reason to fail, as long as others come through.
        if (!isPassing(error) || failures >= attempts) throw error;
        const until = Date.now() + backoff(failures);
        while (goOn() && Date.now() < until) await sleep(NAP);
      }
    }
    return false;
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

async function configure({ session }: Worker, settings: Readonly<Record<string, string>>): Promise<void> {
  const names = Object.keys(settings);
  await session.query(
    `select ${names.map((_, at) => `pg_catalog.set_config($${at * 2 + 1}, $${at * 2 + 2}, false)`).join(', ')}`,
    names.flatMap((name) => [name, settings[name] ?? '']),
  );
}

async function reset({ session }: Worker, names: readonly string[]): Promise<void> {
  const isLimit = (name: string) => name === 'statement_timeout' || name === 'lock_timeout';
  const statements = names.map((name) => `SET ${quoteIdentifier(name)} ${isLimit(name) ? '= 0' : 'TO DEFAULT'}`);
  await session.script(statements).catch(() => {});
}
