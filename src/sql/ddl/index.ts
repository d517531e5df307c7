import type { IndexKeyShape } from '../../shape/table-shape.js';
import { quoteLiteral } from '../quote.js';
import {
  joinSql,
  name,
  type ObjectName,
  relativeSql,
  SCHEMA,
  type SqlPart,
  type SqlTemplate,
  sql,
} from '../template.js';
import { names } from './constraint.js';
import { type DdlTemplate, tableName } from './table.js';

/** What an index is, apart from its name. `where` is a template: a member's values are variables in it. */
export interface IndexDefinition {
  readonly table: string;
  readonly method: string;
  readonly unique: boolean;
  readonly nullsNotDistinct: boolean;
  readonly keys: readonly IndexKeyShape[];
  readonly include: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  readonly where: SqlTemplate | null;
}

/** `CREATE INDEX`; without IF NOT EXISTS, which skips an invalid leftover and proves nothing. */
export function createIndex(index: IndexDefinition, as: ObjectName, concurrently: boolean): SqlTemplate {
  const head = `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${concurrently ? 'CONCURRENTLY ' : ''}`;
  const parts: SqlTemplate[] = [
    sql`${head}${written(as)} ON ${tableName(index.table)} USING ${name(index.method)} (${joinSql(index.keys.map(indexKey), ', ')})`,
  ];
  if (index.include.length > 0) parts.push(sql`INCLUDE (${names(index.include)})`);
  if (index.nullsNotDistinct) parts.push(sql`NULLS NOT DISTINCT`);
  if (Object.keys(index.options).length > 0) parts.push(sql`WITH (${options(index.options)})`);
  if (index.where !== null) parts.push(sql`WHERE ${index.where}`);
  return joinSql(parts, ' ');
}

/** `DROP INDEX CONCURRENTLY`, which never takes ACCESS EXCLUSIVE on the table. */
export const dropIndex = (index: ObjectName): DdlTemplate => ({
  ...sql`DROP INDEX CONCURRENTLY ${SCHEMA}.${written(index)}`,
  alters: { index, how: 'DROP' },
});

/** `ALTER INDEX … RENAME`: SHARE UPDATE EXCLUSIVE on the index alone. */
export const renameIndex = (from: ObjectName, to: ObjectName): DdlTemplate => ({
  ...sql`ALTER INDEX ${SCHEMA}.${written(from)} RENAME TO ${written(to)}`,
  alters: { index: from, how: 'RENAME' },
});

/**
 * `ALTER INDEX … SET`, or `RESET` for null: a lock on the index alone, as strong as the option asks for. Nothing is rewritten.
 */
export const setIndexOption = (index: ObjectName, option: string, value: string | null): SqlTemplate =>
  value === null
    ? sql`ALTER INDEX ${SCHEMA}.${written(index)} RESET (${name(option)})`
    : sql`ALTER INDEX ${SCHEMA}.${written(index)} SET (${options({ [option]: value })})`;

const written = (of: ObjectName): SqlPart => (typeof of === 'string' ? name(of) : of);

function indexKey(key: IndexKeyShape): SqlTemplate {
  const parts: SqlPart[] = [key.column !== null ? name(key.column) : sql`(${relativeSql(key.expression ?? '')})`];
  if (key.collation !== null) parts.push(sql`COLLATE ${relativeSql(key.collation)}`);
  if (key.opclass !== null) {
    const given = Object.keys(key.opclassOptions).length > 0 ? sql` (${options(key.opclassOptions)})` : '';
    parts.push(sql`${relativeSql(key.opclass)}${given}`);
  }
  if (key.order === 'desc') parts.push('DESC');
  if (key.nulls !== (key.order === 'desc' ? 'first' : 'last')) parts.push(`NULLS ${key.nulls.toUpperCase()}`);
  return joinSql(parts, ' ');
}

/** Values quoted, as pg_dump writes them: a bare word that is a keyword would not parse. */
function options(of: Readonly<Record<string, string>>): string {
  return Object.entries(of)
    .map(([option, value]) => `${name(option)} = ${quoteLiteral(value).trim()}`)
    .join(', ');
}
