import { setTimeout as sleep } from 'node:timers/promises';
import { relationNamed } from '../catalog/named-schemas.js';
import type { Row, Session } from '../database/session.js';
import { FILLED_TO, TABLE_START } from '../sql/ddl/backfill.js';
import { TrueupError } from '../trueup-error.js';
import type { Worker } from './crew.js';
import { isPassing } from './failure.js';
import { hasOffenders } from './offenders.js';
import type { ApplyLimits } from './request.js';
import { backoff } from './schedule.js';
import { configure, reset } from './session-settings.js';
import type { Statement } from './statements.js';

/** A batch that is to be tried again later looks so often whether it is to go on at all, in milliseconds. */
const NAP = 100;

/** A backfill tells so often how far it is, in milliseconds. */
const TELLING = 250;

/** How far a backfill is: rows that it has filled, and blocks of the table that it has been over. */
export interface Filled {
  readonly rows: number;
  readonly done: number;
  /** As the table was when it began. */
  readonly total: number;
}

/** What a backfill is about, and who hears of it. */
export interface Backfill {
  readonly schema: string;
  readonly table: string;
  /**
   * lockTimeout: for a row that somebody else holds. Others wait meanwhile for the rows that the batch holds, and in a deadlock it
   * is trueup that gives up.
   */
  readonly limits: Pick<ApplyLimits, 'lockTimeout' | 'attempts'>;
  /** Whether it is to go on, asked before each batch. */
  readonly goesOn: () => boolean;
  readonly tell: (filled: Filled) => void;
}

/**
 * Repeats a batch of a backfill until no row is left, or none gets a value ({@link backfillBatch}). Gives false when it was to
 * go on no longer.
 * @throws {TrueupError} TENANT_FAILED where rows are left that no batch updates.
 */
export async function runBackfill(worker: Worker, statement: Statement, of: Backfill): Promise<boolean> {
  const { limits, goesOn } = of;
  const settings = { lock_timeout: String(limits.lockTimeout), [FILLED_TO]: TABLE_START };
  await configure(worker, settings);
  const inVain = untouched(of.table);
  let filledTo = TABLE_START;
  let failures = 0;
  try {
    const note = teller(of, await blocksOf(worker.session, of));
    while (goesOn()) {
      try {
        const updated = await worker.session.query<Row & { missing: boolean; reached: string | null }>(statement.sql);
        if (filledTo === TABLE_START && updated.length > 0 && updated.every((row) => row.missing)) return true;
        const reached = updated[0]?.reached ?? TABLE_START;
        if (reached === TABLE_START && !(await hasOffenders(worker.session, statement))) return true;
        if (reached !== filledTo) await configure(worker, { [FILLED_TO]: reached });
        filledTo = reached;
        note(updated.length, filledTo);
        if (updated.length === 0) throw inVain;
        failures = 0;
      } catch (error) {
        failures += 1;
        // Of hours of batches some meet a row that is held for long: no reason to fail, as long as others come through.
        if (!(error === inVain || isPassing(error)) || failures >= limits.attempts) throw error;
        const until = Date.now() + backoff(failures);
        while (goesOn() && Date.now() < until) await sleep(NAP);
      }
    }
    return false;
  } finally {
    await reset(worker, Object.keys(settings));
  }
}

/** What others change while a batch waits for them is none of its rows any more, and a trigger may leave rows as they are. */
const untouched = (table: string): TrueupError =>
  new TrueupError('TENANT_FAILED', `rows of ${table} are left without a value: UPDATE leaves them as they are`, {
    remedy:
      'disable the trigger that keeps them so, or, where the application changes all rows all the time, run again later',
  });

/** Tells now and then how far it is. The passes after the first go over few rows, and are not told apart. */
function teller({ tell }: Backfill, total: number): (rows: number, place: string) => void {
  let [told, rows, done] = [performance.now(), 0, 0];
  return (more, place) => {
    rows += more;
    const [, block = '0'] = /^\((\d+),/u.exec(place) ?? [];
    done = Math.min(total, Math.max(done, Number(block)));
    if (performance.now() - told < TELLING) return;
    told = performance.now();
    tell({ rows, done, total });
  };
}

async function blocksOf(session: Session, { schema, table }: Backfill): Promise<number> {
  const [row] = await session.query<Row & { blocks: number }>(
    `select (pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int8)::float8 blocks
       from ${relationNamed('$1', '$2')}`,
    [schema, table],
  );
  return row?.blocks ?? 0;
}
