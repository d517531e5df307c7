import type { ColumnShape, IdentityShape } from '../../shape/table-shape.js';
import { serialType } from '../serial.js';
import { joinSql, name, relativeSql, type SqlTemplate, sql } from '../template.js';
import { alterTable, type ColumnAlteration, type DdlTemplate } from './table.js';

/** A column as CREATE TABLE and ADD COLUMN write it. `serial`: with a sequence of its own, which is its default. */
export function columnDefinition(
  column: ColumnShape & { readonly serial?: true },
  options: { readonly notNull?: boolean } = {},
): SqlTemplate {
  if (column.serial === true) return sql`${name(column.name)} ${serialType(column.type)} NOT NULL`;
  const parts: SqlTemplate[] = [sql`${name(column.name)} ${relativeSql(column.type)}`];
  if (column.collation !== null) parts.push(sql`COLLATE ${relativeSql(column.collation)}`);
  if (column.generated !== null)
    parts.push(sql`GENERATED ALWAYS AS (${relativeSql(column.generated.expression)}) STORED`);
  if (column.identity !== null) parts.push(identityClause(column.identity));
  if (column.default !== null) parts.push(sql`DEFAULT ${restricted(column.default)}`);
  if (options.notNull ?? column.notNull) parts.push(sql`NOT NULL`);
  return joinSql(parts, ' ');
}

/** In a column's definition a default is an expression of the restricted kind: NOT, IS, IN and more need parentheses. */
function restricted(expression: string): SqlTemplate {
  const plain = /^(?:'(?:[^']|'')*'|-?[\d.]+|\w+(?:\(\))?)$/u.test(expression);
  return plain ? relativeSql(expression) : sql`(${relativeSql(expression)})`;
}

/** `GENERATED … AS IDENTITY (…)`. */
export function identityClause(identity: IdentityShape): SqlTemplate {
  return sql`GENERATED ${identity.kind.toUpperCase()} AS IDENTITY (${sequenceOptions(identity)})`;
}

/** Sequence options, all of them: what is left out of an ALTER stays as it was. */
function sequenceOptions(identity: IdentityShape): string {
  return (
    `START WITH ${identity.start} INCREMENT BY ${identity.increment} MINVALUE ${identity.minimum} ` +
    `MAXVALUE ${identity.maximum} CACHE ${identity.cache} ${identity.cycle ? 'CYCLE' : 'NO CYCLE'}`
  );
}

/** `ALTER TABLE … ADD COLUMN …`. */
export const addColumn = (table: string, ...[column, options]: Parameters<typeof columnDefinition>): DdlTemplate =>
  alterTable(
    table,
    { column: column.name, how: 'ADD COLUMN', valued: hasValue(column) },
    sql`ADD COLUMN ${columnDefinition(column, options)}`,
  );

const hasValue = (column: ColumnShape & { readonly serial?: true }): boolean =>
  column.default !== null || column.generated !== null || column.identity !== null || column.serial === true;

/** `ALTER TABLE … DROP COLUMN …`; never CASCADE: what depends on it must be known, or the statement fails. */
export const dropColumn = (table: string, column: string): DdlTemplate =>
  alterTable(table, { column, how: 'DROP COLUMN' }, sql`DROP COLUMN ${name(column)}`);

/** `ALTER TABLE … RENAME COLUMN`. */
export const renameColumn = (table: string, from: string, to: string): DdlTemplate =>
  alterTable(table, { column: from, how: 'RENAME COLUMN' }, sql`RENAME COLUMN ${name(from)} TO ${name(to)}`);

/** `ALTER TABLE … ALTER COLUMN … <how> …`. */
export const alterColumn = (table: string, column: string, how: ColumnAlteration, rest?: SqlTemplate): DdlTemplate =>
  alterTable(
    table,
    { column, how },
    sql`ALTER COLUMN ${name(column)} ${how}${rest === undefined ? '' : sql` ${rest}`}`,
  );

/** `… SET DEFAULT …`; `… DROP DEFAULT` for null. */
export const alterDefault = (table: string, column: string, expression: string | null): DdlTemplate =>
  expression === null
    ? alterColumn(table, column, 'DROP DEFAULT')
    : alterColumn(table, column, 'SET DEFAULT', relativeSql(expression));

/** `… ADD GENERATED …`, `… SET GENERATED …`, `… DROP IDENTITY`. */
export const alterIdentity = (table: string, column: string, what: SqlTemplate | string): DdlTemplate =>
  alterTable(table, { identity: column }, sql`ALTER COLUMN ${name(column)} ${what}`);
