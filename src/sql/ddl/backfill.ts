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
 * value still, and the last of all, `reached`, for {@link FILLED_TO}; null where these were the last of the table. That is the end
 * of a pass: an update moves a row, also to where the pass has been, so that another pass follows while rows without a value are
 * left, unless its first batch gives none a value (a default may be NULL in this session). A batch that returns nothing has not
 * found nothing: rows that others change while it waits for them, it leaves alone.
 */
export function backfillBatch(table: string, column: string): SqlTemplate {
  // Empty where a session has set it before; not there in one that somebody has pasted the statement into.
  const setting = `NULLIF(pg_catalog.current_setting('${FILLED_TO}', true), '')`;
  const place = `ctid > COALESCE(${setting}, '${TABLE_START}')::pg_catalog.tid`;
  // Written twice: where an UPDATE has a rule, PostgreSQL takes no WITH.
  const batch = sql`SELECT ctid AS place FROM ${tableName(table)} WHERE ${place} AND ${name(column)} IS NULL LIMIT ${String(BATCH)}`;
  // Rows of a table and of one that inherits from it stand at the same places: one that has its value keeps it.
  const found = sql`ctid = ANY (ARRAY(${batch})) AND ${name(column)} IS NULL`;
  const last = `CASE pg_catalog.count(*) WHEN ${BATCH} THEN pg_catalog.max(batch.place)::pg_catalog.text END`;
  return sql`UPDATE ${tableName(table)} SET ${name(column)} = DEFAULT WHERE ${found} RETURNING ${name(column)} IS NULL AS missing, (SELECT ${last} FROM (${batch}) batch) AS reached`;
}
