import type { Row, Session } from '../database/session.js';
import { referenceName } from '../shape/table-reference.js';
import type { TableReference } from '../shape/table-shape.js';
import { relationNamed } from './named-schemas.js';

/** Which of some tables of other schemas the role may not make foreign keys onto, by name. */
export async function readNotReferable(
  session: Session,
  tables: readonly TableReference[],
): Promise<readonly string[]> {
  if (tables.length === 0) return [];
  const rows = await session.query<Row & { schema: string; table: string }>(NOT_REFERABLE_SQL, [
    tables.map(({ schema }) => schema),
    tables.map(({ table }) => table),
  ]);
  return [...new Set(rows.map(referenceName))];
}

/** A privilege on some columns counts as one on the key: whoever granted it meant the key. */
const NOT_REFERABLE_SQL = `
select w.s "schema", w.t "table"
  from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) w(s, t)
 cross join ${relationNamed('w.s', 'w.t')}
 where not (pg_catalog.has_schema_privilege(c.relnamespace, 'usage') and pg_catalog.has_any_column_privilege(c.oid, 'references'))`.trim();

/** What the role lacks, and what gives it. */
export const grantOf = (table: string): string =>
  `grant the role REFERENCES on ${table}, and USAGE on its schema, or name another with --role`;
