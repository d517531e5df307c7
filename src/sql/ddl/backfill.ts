import { name, type SqlTemplate, sql } from '../template.js';
import { tableName } from './table.js';

/** Rows that one statement of a backfill updates: some milliseconds of row locks each. */
const BATCH = 2000;

/** The setting that tells a batch behind which row it begins: from the table's start each would go over all that were filled. */
export const FILLED_TO = 'trueup.filled_to';

/** A value of {@link FILLED_TO} before any row. */
export const TABLE_START = '(0,0)';

/**
 * One batch of a backfill: gives the column's default to rows that lack a value. For each it returns whether it is `missing` a
 * value still, and the last of all, `reached`, for {@link FILLED_TO}. A batch without rows is the end of a pass: an update
 * moves a row, also to where the pass has been, so that another pass follows until its first batch finds none, or gives none a value
 * (a default may be NULL in this session).
 */
export function backfillBatch(table: string, column: string): SqlTemplate {
  // Empty where a session has set it before; not there in one that somebody has pasted the statement into.
  const setting = `NULLIF(pg_catalog.current_setting('${FILLED_TO}', true), '')`;
  const place = `ctid > COALESCE(${setting}, '${TABLE_START}')::pg_catalog.tid`;
  const batch = sql`SELECT ctid AS place FROM ${tableName(table)} WHERE ${place} AND ${name(column)} IS NULL LIMIT ${String(BATCH)}`;
  // Rows of a table and of one that inherits from it stand at the same places: one that has its value keeps it.
  const found = sql`ctid = ANY (ARRAY(SELECT batch.place FROM batch)) AND ${name(column)} IS NULL`;
  return sql`WITH batch AS MATERIALIZED (${batch}) UPDATE ${tableName(table)} SET ${name(column)} = DEFAULT WHERE ${found} RETURNING ${name(column)} IS NULL AS missing, (SELECT pg_catalog.max(batch.place) FROM batch)::pg_catalog.text AS reached`;
}
