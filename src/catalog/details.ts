import { chunk } from '../collections.js';
import type { Session } from '../database/session.js';
import { COLUMNS_SQL, CONSTRAINTS_SQL, INDEXES_SQL, TABLES_SQL } from './detail-queries.js';
import type { OwnershipFilter } from './ownership-filter.js';
import type { ColumnRow, ConstraintRow, IndexRow, TableRow } from './rows.js';

/** The rows of some tables, digested members aside, and of some indexes. Four statements; more only where one would name more than some ten thousand objects. */
export async function readDetails(
  session: Session,
  tables: readonly string[],
  indexes: readonly string[],
  { families }: OwnershipFilter,
) {
  const rows = {
    tables: [] as TableRow[],
    columns: [] as ColumnRow[],
    constraints: [] as ConstraintRow[],
    indexes: [] as IndexRow[],
  };
  if (tables.length === 0 && indexes.length === 0) return rows;
  const version = session.serverVersion;
  for (const part of chunk(tables, 20_000)) {
    rows.tables.push(...(await session.query<TableRow>(TABLES_SQL, [part])));
    rows.columns.push(...(await session.query<ColumnRow>(COLUMNS_SQL, [part])));
    rows.constraints.push(...(await session.query<ConstraintRow>(CONSTRAINTS_SQL(version), [part])));
  }
  rows.indexes.push(
    ...(await session.query<IndexRow>(INDEXES_SQL(version), [tables, indexes, JSON.stringify(families)])),
  );
  return rows;
}
