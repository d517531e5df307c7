import { DatabaseError } from '../database/session.js';
import { quoteIdentifier } from '../sql/quote.js';
import { TrueupError } from '../trueup-error.js';
import { type Relation, tableName } from './relation.js';

/** Blocks that a sample reads at most: 8 MB. */
const SAMPLE_BLOCKS = 1_000;
/** Groups of a sample that are looked at. */
const GROUPS = 20;

/** The commonest combinations of values in a sample. The seed makes the same sample each time. */
export function groupsSql(relation: Relation, columns: readonly string[]): string {
  const percent = Math.min(100, (100 * SAMPLE_BLOCKS) / Math.max(1, relation.pages));
  const list = columns.map(quoteIdentifier).join(', ');
  return `select ${list}, pg_catalog.count(*) n from ${tableName(relation)} tablesample system (${percent}) repeatable (1) group by ${list} order by n desc limit ${GROUPS}`;
}

/** A type without equality cannot be grouped by. */
export async function unlessUngroupable<T>(query: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await query;
  } catch (error) {
    if (error instanceof DatabaseError && error.code === '42883') throw ungroupable(error);
    throw error;
  }
}

const ungroupable = (cause: unknown): TrueupError =>
  new TrueupError('TENANT_UNREADABLE', 'the columns of the partition have a type that cannot be grouped by', {
    cause,
    remedy: 'name the partition: --value',
  });
