import { groupBy } from '../collections.js';
import type { Row, Session } from '../database/session.js';
import type { PersistenceTie } from './fact-types.js';
import { namedSchemas, relationAt, relationOf } from './named-schemas.js';
import { ROW_USES } from './row-uses.js';

/**
 * What keeps one table of each schema from becoming unlogged where it is logged, and logged where it is unlogged: foreign keys
 * between it and a table that is as it is, of whatever schema, publications that name it, and columns that hold its rows. No part of a shape: most are
 * of tables that are no part of it either.
 */
export async function readPersistenceTies(
  session: Session,
  schemas: readonly string[],
  table: string,
): Promise<ReadonlyMap<string, readonly PersistenceTie[]>> {
  const rows = await session.query<Row & PersistenceTie & { schema: string }>(tiesSql(session.serverVersion), [
    schemas,
    table,
  ]);
  const found = groupBy(rows, ({ schema }) => schema);
  return new Map([...found].map(([schema, of]) => [schema, of.map(({ what, other }) => ({ what, other }))]));
}

/**
 * By what depends on the table: pg_constraint has no index over the tables that are referenced. From 16 on PostgreSQL rewrites no
 * table whose rows a column holds.
 */
const tiesSql = (version: number): string => `
with ${namedSchemas('$1')}
select ns.nspname::text "schema", x.what, x.other
  from ns ${relationOf("c.relname = $2::name and c.relkind = 'r'")}
 cross join lateral (
   select distinct 'foreign key ' || f.conname || ' of table '
            || case when f.conrelid = c.oid then c.relname::text else t.shown end what, t.own other
     from (select p.objid from pg_catalog.pg_depend p
            where p.refclassid = 'pg_catalog.pg_class'::regclass and p.refobjid = c.oid
              and p.classid = 'pg_catalog.pg_constraint'::regclass offset 0) p
    cross join lateral (
      select k.* from pg_catalog.pg_constraint k
       where k.oid = p.objid and k.contype = 'f' and k.conparentid = 0
         and case c.relpersistence when 'p' then k.confrelid else k.conrelid end = c.oid offset 0) f
    cross join lateral (
      select case when o.relnamespace = ns.oid then o.relname::text end own,
             case when o.relnamespace = ns.oid then o.relname::text
                  else pg_catalog.format('%s.%I', o.relnamespace::pg_catalog.regnamespace, o.relname) end shown
        from ${relationAt("case c.relpersistence when 'p' then f.conrelid else f.confrelid end", 'o')}
       where o.relpersistence = c.relpersistence and o.oid <> c.oid) t
   union all
   select 'publication ' || pub.pubname, null
     from pg_catalog.pg_publication_rel pr join pg_catalog.pg_publication pub on pub.oid = pr.prpubid
    where pr.prrelid = c.oid and c.relpersistence = 'p'
   ${version < 160000 ? '' : `union all select pg_catalog.unnest(${ROW_USES}), null`}) x
 order by 1, 2`;
