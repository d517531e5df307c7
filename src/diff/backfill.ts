import type { DesiredColumn } from '../desired-state/model.js';
import { addColumn, alterColumn, columnDefinition, tableName } from '../sql/ddl/column.js';
import { name, relativeSql, type SqlTemplate, sql } from '../sql/template.js';
import type { Step } from './change.js';
import { notNullSteps } from './not-null.js';

/** Rows that one statement of a backfill updates: some milliseconds of row locks each. */
const BATCH = 2000;

/**
 * Adds a column whose default differs from row to row (gen_random_uuid()) without the rewrite that ADD COLUMN … DEFAULT
 * would do under ACCESS EXCLUSIVE: the column first, its default for new rows, then the old rows in batches.
 */
export function backfillSteps(table: string, column: DesiredColumn): readonly Step[] {
  const bare = columnDefinition({ ...column, default: null }, { notNull: false });
  const exclusive = { mode: 'ACCESS EXCLUSIVE' as const, table };
  return [
    { sql: addColumn(table, bare), mode: 'transaction', lock: exclusive },
    {
      sql: alterColumn(table, column.name, sql`SET DEFAULT ${relativeSql(column.default ?? 'NULL')}`),
      mode: 'transaction',
      lock: exclusive,
    },
    { sql: backfill(table, column), mode: 'backfill', lock: { mode: 'ROW EXCLUSIVE', table } },
    ...(column.notNull ? notNullSteps(table, column.name) : []),
  ];
}

function backfill(table: string, column: DesiredColumn): SqlTemplate {
  const missing = sql`SELECT ctid FROM ${tableName(table)} WHERE ${name(column.name)} IS NULL LIMIT ${String(BATCH)}`;
  return sql`UPDATE ${tableName(table)} SET ${name(column.name)} = DEFAULT WHERE ctid = ANY (ARRAY(${missing})) RETURNING ${name(column.name)} IS NULL AS missing`;
}
