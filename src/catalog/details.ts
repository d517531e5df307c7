import { chunk } from '../collections.js';
import { DatabaseError, type Row, type Session } from '../database/session.js';
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
  const apart = new Set(indexes);
  const named = tables.length + indexes.length > 0;
  return {
    tables: await ofTables<TableRow>(TABLES_SQL),
    columns: whole(await ofTables<ColumnRow>(COLUMNS_SQL), isWritten),
    constraints: whole(
      await ofTables<ConstraintRow>(CONSTRAINTS_SQL(version)),
      ({ contype, expression }) => contype !== 'c' || expression !== null,
    ),
    // One that is read apart is one tenant's: where it went, it is left out.
    indexes: whole(
      named ? await session.query<IndexRow>(INDEXES_SQL(version), [tables, indexes, JSON.stringify(families)]) : [],
      ({ indexdef, indexrelid }) => indexdef !== null || apart.has(indexrelid),
    ),
  };
}

/**
 * The server puts names into words as they are now, whatever the snapshot shows. Of what was dropped meanwhile most fails, but the
 * type of a column is `???`, and an expression nothing: all tenants of the shape would have had it so.
 */
function whole<T>(rows: readonly T[], isWhole: (row: T) => boolean): readonly T[] {
  if (rows.every(isWhole)) return rows;
  throw new DatabaseError('a table or an index was dropped while it was read', 'XX000');
}

const isWritten = ({ type, default_expr, has_expr }: ColumnRow): boolean =>
  !type.startsWith('???') && (default_expr !== null || !has_expr);
