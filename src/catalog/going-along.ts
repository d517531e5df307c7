import { groupBy } from '../collections.js';
import type { Row, Session } from '../database/session.js';
import { namedSchemas, relationOf } from './named-schemas.js';

/**
 * What goes with one column of one table in each schema, and is no part of the table's shape, in words: extended statistics,
 * exclusion constraints, sequences that the column owns; of tables that inherit the column, their constraints and indexes too.
 * With the schema where that is another than the table's.
 */
export async function readGoingAlong(
  session: Session,
  schemas: readonly string[],
  table: string,
  column: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await session.query<Row & { schema: string; what: string }>(GOING, [schemas, table, column]);
  const found = groupBy(rows, ({ schema }) => schema);
  return new Map([...found].map(([schema, of]) => [schema, of.map(({ what }) => what)]));
}

/** As SQL: a name, with its schema where that is not the tenant's. */
const shown = (schema: string, name: string): string =>
  `case when ${schema} = t.ns then '' else ${schema}::pg_catalog.regnamespace || '.' end || ${name}`;

/** An identity's sequence is the column's own, as is a heir's part of a check of its parent. */
const GOING = `
with recursive ${namedSchemas('$1')},
t as (
  select ns.oid ns, ns.nspname, c.oid root, c.oid from ns ${relationOf("c.relname = $2::name and c.relkind = 'r'")}
  union
  select t.ns, t.nspname, t.root, a.attrelid
    from t join pg_catalog.pg_inherits h on h.inhparent = t.oid
    join pg_catalog.pg_attribute a on a.attrelid = h.inhrelid and a.attname = $3::name and not a.attislocal and a.attinhcount = 1)
select distinct t.nspname::text "schema", x.what || case when t.oid = t.root then '' else ' of table ' || ${shown('c.relnamespace', 'c.relname')} end what
  from t join pg_catalog.pg_class c on c.oid = t.oid
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = $3::name and a.attnum > 0
  join pg_catalog.pg_depend p on p.refclassid = 'pg_catalog.pg_class'::regclass and p.refobjid = c.oid and p.refobjsubid = a.attnum
 cross join lateral (
   select 'statistics ' || ${shown('s.stxnamespace', 's.stxname')} what from pg_catalog.pg_statistic_ext s
    where p.classid = 'pg_catalog.pg_statistic_ext'::regclass and s.oid = p.objid
   union all
   select 'sequence ' || ${shown('s.relnamespace', 's.relname')} from pg_catalog.pg_class s
    where p.classid = 'pg_catalog.pg_class'::regclass and p.deptype = 'a' and s.oid = p.objid and s.relkind = 'S'
   union all
   select 'constraint ' || k.conname from pg_catalog.pg_constraint k
    where (k.oid = p.objid and p.classid = 'pg_catalog.pg_constraint'::regclass
            or k.conindid = p.objid and p.classid = 'pg_catalog.pg_class'::regclass)
      and k.conrelid = c.oid
      and (k.contype = 'x' or t.oid <> t.root and k.conislocal and k.contype <> 'n')
   union all
   select 'index ' || i.relname from pg_catalog.pg_class i
    where t.oid <> t.root and p.classid = 'pg_catalog.pg_class'::regclass and i.oid = p.objid and i.relkind = 'i'
      and not exists (select from pg_catalog.pg_constraint k where k.conindid = i.oid and k.conrelid = c.oid)) x
 order by 1, 2`;
