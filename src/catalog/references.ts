import { groupBy } from '../collections.js';
import type { Row, Session } from '../database/session.js';
import type { Reference } from './fact-types.js';
import { namedSchemas, relationAt, relationOf } from './named-schemas.js';

/**
 * The foreign keys onto one column of one table in each schema, of whatever table and whatever schema. No part of a shape: most
 * are of tables that are no part of it either. Each is tied to one index of the referenced table: another one over the same
 * columns does not take its place.
 */
export async function readReferences(
  session: Session,
  schemas: readonly string[],
  table: string,
  column: string,
): Promise<ReadonlyMap<string, readonly Reference[]>> {
  const rows = await session.query<Row & Reference & { schema: string }>(REFERENCES_SQL, [schemas, table, column]);
  const found = groupBy(rows, ({ schema }) => schema);
  return new Map(
    [...found].map(([schema, of]) => [schema, of.map(({ foreignKey, index }) => ({ foreignKey, index }))]),
  );
}

/** By what depends on the column: pg_constraint has no index over the tables that are referenced. */
const REFERENCES_SQL = `
with ${namedSchemas('$1')}
select distinct ns.nspname::text "schema", ic.relname::text "index",
       'foreign key ' || f.conname || ' of table '
         || case when t.relnamespace = ns.oid then t.relname::text
            else pg_catalog.format('%s.%I', t.relnamespace::pg_catalog.regnamespace, t.relname) end "foreignKey"
  from ns ${relationOf('c.relname = $2::name')}
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = $3::name and a.attnum > 0
 cross join lateral (
   select p.objid from pg_catalog.pg_depend p
    where p.refclassid = 'pg_catalog.pg_class'::regclass and p.refobjid = c.oid and p.refobjsubid = a.attnum
      and p.classid = 'pg_catalog.pg_constraint'::regclass offset 0) p
 cross join lateral (
   select f.conname, f.conrelid, f.conindid from pg_catalog.pg_constraint f
    where f.oid = p.objid and f.contype = 'f' and f.conparentid = 0 and f.confrelid = c.oid and a.attnum = any(f.confkey)
   offset 0) f
 cross join ${relationAt('f.conrelid', 't')}
 cross join ${relationAt('f.conindid', 'ic')}
 order by 1, 3`;
