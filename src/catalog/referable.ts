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
  const owned = `coalesce((select pg_catalog.pg_has_role(c.relowner, 'usage') from ${relationNamed('$3', '$4')}), true)`;
  return (await notReferable(session, tables, owned, [own.schema, own.table])).map(referenceName);
}

/** The same of a role that owns one of some tables in any of the tenants' schemas. */
export async function readNotReferableAnywhere(
  session: Session,
  tables: readonly TableReference[],
  own: { readonly oids: readonly string[]; readonly tables: readonly string[] },
): Promise<readonly SharedTable[]> {
  if (tables.length === 0) return [];
  const owned = `exists (select from pg_catalog.pg_class o where o.relnamespace = any($3::oid[]) and o.relname = any($4::name[])
      and o.relkind in ('r', 'p') and pg_catalog.pg_has_role(o.relowner, 'usage'))`;
  return notReferable(session, tables, owned, [own.oids, own.tables]);
}

type SharedTable = TableReference & { readonly schema: string };

/** @param owned SQL over `own`, which is $3 and $4: whether the role is the one that applies */
const notReferable = (
  session: Session,
  tables: readonly TableReference[],
  owned: string,
  own: readonly [unknown, unknown],
): Promise<readonly SharedTable[]> =>
  session.query<Row & SharedTable>(`${NOT_REFERABLE_SQL} and ${owned} order by 1, 2`, [
    tables.map(({ schema }) => schema),
    tables.map(({ table }) => table),
    ...own,
  ]);

/** A privilege on some columns counts as one on the key: whoever granted it meant the key. */
const NOT_REFERABLE_SQL = `
select distinct w.s "schema", w.t "table"
  from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) w(s, t)
 cross join ${relationNamed('w.s', 'w.t')}
 where not (pg_catalog.has_schema_privilege(c.relnamespace, 'usage') and pg_catalog.has_any_column_privilege(c.oid, 'references'))`.trim();

/** What the role lacks, and what gives it. */
export const grantOf = (table: string): string =>
  `grant the role REFERENCES on ${table}, and USAGE on its schema, or name another with --role`;
