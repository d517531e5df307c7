import type { Session } from '../database/session.js';
import type { ColumnShape, TableShape } from '../shape/table-shape.js';
import { quoteIdentifier } from '../sql/quote.js';
import { readFew } from './few-rows.js';
import type { Note } from './items.js';

/** The application's own migration stamp, as fleet.yaml names it. */
export interface Stamp {
  readonly table: string;
  readonly column: string;
  /** The release that the tenant is at. */
  readonly value: string;
}

/**
 * Finds the table in which a migration tool keeps the release: one row, of one column that a new row needs. Tools that
 * keep a row a migration are noted: the format's `release` names one value.
 */
export async function findStamp(
  session: Session,
  schema: string,
  tables: readonly TableShape[],
): Promise<{ readonly stamp: Stamp | null; readonly notes: readonly Note[] }> {
  const notes: Note[] = [];
  for (const table of tables.filter((one) => one.kind === 'table' && isHistory(one.name))) {
    const column = stampColumn(table);
    const from = `${quoteIdentifier(schema)}.${quoteIdentifier(table.name)}`;
    const rows = column === null ? null : await readFew(session, from, [quoteIdentifier(column.name)], 1);
    const value = rows?.[0]?.[0] ?? null;
    if (column !== null && value !== null && /^[\x20-\x7e]{1,128}$/u.test(value))
      return { stamp: { table: table.name, column: column.name, value }, notes };
    notes.push({
      what: `table ${table.name} as the release`,
      why: 'it looks like a migration tool’s, but one value that says which release the tenant is at could not be read from it: it has another form, or this role may not read it; it is declared as a table like any other',
      table: table.name,
    });
  }
  return { stamp: null, notes };
}

/** What migration tools call their tables; the end of the name, or all of it. */
export const isHistory = (table: string): boolean =>
  /(?:^|_)(?:migrations?|migration_?history|migrations?_?history|schema_?history|version|version_?num|changelog|schema_?version)$/iu.test(
    table.replaceAll(/([a-z])([A-Z])/gu, '$1_$2'),
  );

/** The only column, of text or whole numbers: a row with more could not be made from the release alone. */
function stampColumn(table: TableShape): ColumnShape | null {
  const required = table.columns.filter(
    (column) => column.notNull && column.default === null && column.identity === null,
  );
  const [only] = table.columns;
  if (only === undefined || table.columns.length > 1 || required.length > 1) return null;
  return /^(?:text|integer|bigint|character varying(?:\(\d+\))?)$/u.test(only.type) ? only : null;
}
