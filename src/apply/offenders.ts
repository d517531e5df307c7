import { known } from '../collections.js';
import { counted, number } from '../counted.js';
import type { Row, Session } from '../database/session.js';
import { inTransaction } from '../database/transaction.js';
import { OFFENDERS_COUNTED } from '../sql/ddl/offenders.js';
import { assertCount } from '../sql/guard.js';
import type { Statement } from './statements.js';

/** A count that takes longer is not worth its load, in milliseconds. */
const PATIENCE = 5000;

/** Whether there are rows that a statement would fail for, or has left. Waits for as long as that takes to tell. */
export async function hasOffenders(session: Session, statement: Statement): Promise<boolean> {
  const { of, sql } = known(statement.offenders, 'the count of rows');
  await assertCount(of.count, of.reads ?? null);
  return (await countOf(session, sql)) > 0;
}

/**
 * How many existing rows a failed statement has failed for, as a sentence without a value of any row: `1,000 or more rows
 * have no value in "c"`. Null when there is none, or when it cannot be told soon. Never throws: the failure itself says more.
 */
export async function countOffenders(session: Session, statement: Statement): Promise<string | null> {
  const { offenders } = statement;
  if (offenders === null) return null;
  const { of, sql } = offenders;
  try {
    await assertCount(of.count, of.reads ?? null);
    const found = await inTransaction(session, 'read only', async () => {
      await session.query(`SET LOCAL statement_timeout = ${PATIENCE}`);
      await session.query(`SET LOCAL lock_timeout = ${PATIENCE}`);
      return countOf(session, sql);
    });
    if (found === 0) return null;
    return found >= OFFENDERS_COUNTED ? `${number(found)} or more ${of.many}` : counted(found, of.one, of.many);
  } catch {
    return null;
  }
}

async function countOf(session: Session, sql: string): Promise<number> {
  const [row] = await session.query<Row & { n: number }>(sql);
  return row?.n ?? 0;
}
