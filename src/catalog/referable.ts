import type { Row, Session } from '../database/session.js';
import { referenceName } from '../shape/table-reference.js';
import type { TableReference } from '../shape/table-shape.js';
import { relationNamed } from './named-schemas.js';

/**
 * Which of some tables of other schemas the role may not make foreign keys onto, by name. None where the tenant's table is not
 * the role's either: another role applies.
 */
export async function readNotReferable(
  session: Session,
  tables: readonly TableReference[],
  own: { readonly schema: string; readonly table: string },
): Promise<readonly string[]> {
  if (tables.length === 0) return [];
  const rows = await session.query<Row & { schema: string; table: string }>(NOT_REFERABLE_SQL, [
    tables.map(({ schema }) => schema),
    tables.map(({ table }) => table),
    own.schema,
    own.table,
  ]);
  return [...new Set(rows.map(referenceName))];
}

/** A privilege on some columns counts as one on the key: whoever granted it meant the key. */
const NOT_REFERABLE_SQL = `
select w.s "schema", w.t "table"
  from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) w(s, t)
 cross join ${relationNamed('w.s', 'w.t')}
 where not (pg_catalog.has_schema_privilege(c.relnamespace, 'usage') and pg_catalog.has_any_column_privilege(c.oid, 'references'))
   and coalesce((select pg_catalog.pg_has_role(c.relowner, 'usage') from ${relationNamed('$3', '$4')}), true)`.trim();

/** What the role lacks, and what gives it. */
export const grantOf = (table: string): string =>
  `grant the role REFERENCES on ${table}, and USAGE on its schema, or name another with --role`;
