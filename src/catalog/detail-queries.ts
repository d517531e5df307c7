import { HAS_HEIRS } from './named-schemas.js';

/**
 * Everything about some tables ($1: their oids) and, for indexes, some more indexes ($2). Sent once a run for the
 * representatives of all shapes: four statements, whatever the number of tenants. Indexes are looked up one by one (`offset 0`):
 * without statistics, as after a restore, the planner went through those of all tenants.
 */
export const TABLES_SQL = `
select c.oid::text oid, n.nspname::text nspname, c.relname::text relname, c.relkind::text relkind, c.relpersistence::text relpersistence,
       c.relispartition or ${HAS_HEIRS}
         or exists (select from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attinhcount > 0 offset 0) kin
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = any($1::oid[])`;

/** A name as SQL, with that of its schema unless it is pg_catalog's. @param schema alias of its row in pg_namespace */
export function qualified(schema: string, name: string): string {
  return `case when ${schema}.nspname = 'pg_catalog' then '' else pg_catalog.quote_ident(${schema}.nspname) || '.' end || pg_catalog.quote_ident(${name})`;
}

/** Their columns; see {@link TABLES_SQL}. */
export const COLUMNS_SQL = `
select a.attrelid::text attrelid, n.nspname::text nspname, a.attname::text attname,
       pg_catalog.format_type(a.atttypid, a.atttypmod) "type",
       case when a.attcollation <> t.typcollation
            then ${qualified('cn', 'co.collname')} end collation,
       a.attnotnull and not exists (select from pg_catalog.pg_constraint k where k.conrelid = a.attrelid and k.contype = 'n'
                                      and k.conkey = array[a.attnum] and not k.convalidated offset 0) "notnull", a.attnotnull "notnullahead",
       pg_catalog.pg_get_expr(d.adbin, d.adrelid) default_expr, d.adrelid is not null has_expr, a.attgenerated::text attgenerated, a.attidentity::text attidentity,
       (select pg_catalog.jsonb_build_object('start', s.seqstart::text, 'increment', s.seqincrement::text, 'min', s.seqmin::text,
                 'max', s.seqmax::text, 'cache', s.seqcache::text, 'cycle', s.seqcycle,
                 'type', case when s.seqtypid <> a.atttypid then pg_catalog.format_type(s.seqtypid, null) end)
          from pg_catalog.pg_depend p join pg_catalog.pg_sequence s on s.seqrelid = p.objid
         where a.attidentity <> '' and p.classid = 'pg_catalog.pg_class'::regclass and p.refclassid = 'pg_catalog.pg_class'::regclass
           and p.refobjid = a.attrelid and p.refobjsubid = a.attnum and p.deptype = 'i') sequence
  from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_type t on t.oid = a.atttypid
  left join pg_catalog.pg_collation co on co.oid = a.attcollation left join pg_catalog.pg_namespace cn on cn.oid = co.collnamespace
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
 where a.attrelid = any($1::oid[]) and a.attnum > 0 and not a.attisdropped
 order by a.attrelid, a.attnum`;

/** What a constraint `k` is beyond all that a declaration can say; null for most. */
const beyond = (version: number): string => {
  const cases = [
    ...(version < 180000
      ? []
      : [`when k.conperiod then 'is WITHOUT OVERLAPS or PERIOD'`, `when not k.conenforced then 'is NOT ENFORCED'`]),
    ...(version < 150000 ? [] : [`when k.confdelsetcols is not null then 'sets only some of its columns on delete'`]),
  ];
  return cases.length === 0 ? 'null::text' : `case ${cases.join(' ')} end`;
};

/**
 * Their constraints, but for triggers and NOT NULL, which the columns say; see {@link TABLES_SQL}. A foreign key onto a partitioned
 * table has one more for each partition, which are that key's: made of a tenant's own, each would let in one partition's rows alone.
 */
export const CONSTRAINTS_SQL = (version: number): string => `
select k.conrelid::text conrelid, n.nspname::text nspname, k.conname::text conname, k.contype::text contype, k.condeferrable, k.condeferred,
       k.convalidated, k.connoinherit, ${beyond(version)} beyond,
       (select pg_catalog.array_agg(a.attname::text order by m.n) from pg_catalog.unnest(k.conkey) with ordinality m(attnum, n)
          join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = m.attnum) columns,
       (select pg_catalog.array_agg(a.attname::text order by m.n) from pg_catalog.unnest(i.indkey::int2[]) with ordinality m(attnum, n)
          join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = m.attnum where m.n > i.indnkeyatts) include,
       ${version < 150000 ? 'false' : 'i.indnullsnotdistinct'} nulls_not_distinct, i.indisvalid and i.indisready index_valid, i.indisreplident replica_identity,
       fn.nspname::text ref_schema, f.relname::text ref_table,
       (select pg_catalog.array_agg(a.attname::text order by m.n) from pg_catalog.unnest(k.confkey) with ordinality m(attnum, n)
          join pg_catalog.pg_attribute a on a.attrelid = k.confrelid and a.attnum = m.attnum) ref_columns,
       k.confupdtype::text confupdtype, k.confdeltype::text confdeltype, k.confmatchtype::text confmatchtype,
       pg_catalog.pg_get_expr(k.conbin, k.conrelid) expression
  from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_index i on i.indexrelid = k.conindid and k.contype in ('p','u')
  left join pg_catalog.pg_class f on f.oid = k.confrelid left join pg_catalog.pg_namespace fn on fn.oid = f.relnamespace
 where k.conrelid = any($1::oid[]) and k.contype not in ('t','n')
   and not exists (select from pg_catalog.pg_constraint p where p.oid = k.conparentid and p.conrelid = k.conrelid offset 0)
 order by k.conrelid, k.conname`;

/** Their indexes, and those of $2; $3: the families whose members are read as digests. See {@link TABLES_SQL}. */
export const INDEXES_SQL = (version: number): string => `
select i.indexrelid::text indexrelid, i.indrelid::text indrelid, n.nspname::text nspname, ic.relname::text relname, am.amname::text amname,
       ${METHOD_EXTENSION_SQL} amextension,
       i.indisunique, ${version < 150000 ? 'false' : 'i.indnullsnotdistinct'} nulls_not_distinct,
       i.indisvalid and i.indisready and i.indislive valid, i.indisreplident replica_identity, ic.reloptions, pg_catalog.pg_get_indexdef(i.indexrelid) indexdef,
       array(select ${qualified('cn', 'co.collname')}
               from pg_catalog.unnest(i.indcollation::oid[]) with ordinality m(oid, n)
               left join pg_catalog.pg_collation co on co.oid = m.oid left join pg_catalog.pg_namespace cn on cn.oid = co.collnamespace order by m.n) collations
  from (select pg_catalog.unnest($2::oid[]) oid
        union select x.indexrelid from pg_catalog.unnest($1::oid[]) t(oid)
         cross join lateral (select x.indexrelid from pg_catalog.pg_index x where x.indrelid = t.oid offset 0) x) w
 cross join lateral (select i.* from pg_catalog.pg_index i where i.indexrelid = w.oid offset 0) i
 cross join lateral (select ic.* from pg_catalog.pg_class ic where ic.oid = i.indexrelid offset 0) ic
 cross join lateral (select c.* from pg_catalog.pg_class c where c.oid = i.indrelid offset 0) c
  join pg_catalog.pg_am am on am.oid = ic.relam join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where (i.indexrelid = any($2::oid[]) or i.indrelid = any($1::oid[]) and (
     select count(*) from pg_catalog.jsonb_to_recordset($3::jsonb) f("table" text, pattern text, digested int4, declared jsonb)
      where f.digested is not null and f."table" = c.relname and ic.relname ~ f.pattern and not f.declared ? ic.relname::text) <> 1)
   and not exists (select from pg_catalog.pg_constraint k where k.conindid = i.indexrelid and k.conrelid = i.indrelid and k.contype in ('p','u','x') offset 0)
 order by ic.relname`;

/**
 * The extension that owns access method `am`; for a method that was made by hand, its handler function's. Null for
 * PostgreSQL's own.
 */
export const METHOD_EXTENSION_SQL = `(
  select e.extname::text from pg_catalog.pg_depend d join pg_catalog.pg_extension e on e.oid = d.refobjid
   where d.refclassid = 'pg_catalog.pg_extension'::regclass and d.deptype = 'e'
     and ((d.classid = 'pg_catalog.pg_am'::regclass and d.objid = am.oid)
       or (d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = am.amhandler::oid)) limit 1)`;
