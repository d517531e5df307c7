import { chunk } from '../collections.js';
import type { Row, Session } from '../database/session.js';
import { COLUMNS_SQL, CONSTRAINTS_SQL, INDEXES_SQL, TABLES_SQL } from './detail-queries.js';
import type { ColumnRow, ConstraintRow, IndexRow, TableRow } from './detail-rows.js';
import type { OwnershipFilter } from './ownership-filter.js';

/**
 * The rows of some tables, digested members aside, and of some indexes. Four statements; more only where one would name more than
 * some ten thousand objects.
 */
export async function readDetails(
  session: Session,
  tables: readonly string[],
  indexes: readonly string[],
  { families }: OwnershipFilter,
) {
  const version = session.serverVersion;
  const parts = chunk(tables, 20_000);
  const ofTables = async <T extends Row>(statement: string): Promise<readonly T[]> => {
    const rows: (readonly T[])[] = [];
    for (const part of parts) rows.push(await session.query<T>(statement, [part]));
    return rows.flat();
  };
  const named = tables.length + indexes.length > 0;
  return {
    tables: await ofTables<TableRow>(TABLES_SQL),
    columns: await ofTables<ColumnRow>(COLUMNS_SQL),
    constraints: await ofTables<ConstraintRow>(CONSTRAINTS_SQL(version)),
    indexes: named
      ? await session.query<IndexRow>(INDEXES_SQL(version), [tables, indexes, JSON.stringify(families)])
      : [],
  };
}
