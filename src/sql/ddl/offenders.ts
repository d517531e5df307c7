import type { ForeignKeyShape, IndexKeyShape } from '../../shape/table-shape.js';
import { joinSql, name, relativeSql, type SqlTemplate, sql } from '../template.js';
import { referencedTable } from './constraint.js';
import { tableName } from './table.js';

/** Offenders are counted no further: the figure is for a person, and the table may be large. */
export const OFFENDERS_COUNTED = 1000;

const counted = (found: SqlTemplate): SqlTemplate =>
  sql`SELECT count(*)::int4 AS n FROM (${found} LIMIT ${String(OFFENDERS_COUNTED)}) AS r`;

/** Rows that a predicate holds for. */
const rowsWhere = (table: string, where: SqlTemplate): SqlTemplate =>
  counted(sql`SELECT FROM ${tableName(table)} AS t WHERE ${where}`);

/** Rows without a value in a column. */
export const countNulls = (table: string, column: string): SqlTemplate =>
  rowsWhere(table, sql`t.${name(column)} IS NULL`);

/** Rows that a check is false for: NULL passes it. */
export const countViolations = (table: string, expression: string): SqlTemplate =>
  rowsWhere(table, sql`NOT (${relativeSql(expression)})`);

/** Rows whose key is not in the referenced table, by the rules of MATCH SIMPLE and MATCH FULL. */
export function countOrphans(table: string, key: ForeignKeyShape): SqlTemplate {
  const own = key.columns.map((column) => sql`t.${name(column)} IS NOT NULL`);
  const equal = key.columns.map((column, at) => sql`p.${name(key.referencedColumns[at] ?? '')} = t.${name(column)}`);
  const given = joinSql(own, key.match === 'full' ? ' OR ' : ' AND ');
  const referenced = sql`SELECT FROM ${referencedTable(key.references)} AS p WHERE ${joinSql(equal, ' AND ')}`;
  return rowsWhere(table, sql`(${given}) AND NOT EXISTS (${referenced})`);
}

/** What makes a key: of an index with its predicate, of a constraint without. */
export interface CountedKey {
  readonly table: string;
  readonly keys: readonly Pick<IndexKeyShape, 'column' | 'expression' | 'collation'>[];
  readonly nullsNotDistinct: boolean;
  readonly where: SqlTemplate | null;
}

/** Groups of rows that a unique key gives the same values. */
export function countDuplicates({ table, keys, nullsNotDistinct, where }: CountedKey): SqlTemplate {
  const values = keys.map(({ column, expression, collation }) => {
    const value = column === null ? sql`(${relativeSql(expression ?? '')})` : sql`${name(column)}`;
    return collation === null ? value : sql`${value} COLLATE ${relativeSql(collation)}`;
  });
  const conditions = [
    ...(where === null ? [] : [sql`(${where})`]),
    // NULLs are distinct from each other unless the key says otherwise.
    ...(nullsNotDistinct ? [] : values.map((value) => sql`${value} IS NOT NULL`)),
  ];
  const filter = conditions.length === 0 ? sql`` : sql` WHERE ${joinSql(conditions, ' AND ')}`;
  return counted(sql`SELECT FROM ${tableName(table)}${filter} GROUP BY ${joinSql(values, ', ')} HAVING count(*) > 1`);
}

/** Columns as a sentence names them: `"a", "b"`. */
export const quotedList = (columns: readonly string[]): string => columns.map((column) => `"${column}"`).join(', ');
