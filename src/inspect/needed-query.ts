import type { Row } from '../database/session.js';

/** An extension that the schema's tables need. */
export interface NeededExtensionRow extends Row {
  readonly name: string;
  readonly schema: string;
  /** Further schemas that it brings. */
  readonly schemas: readonly string[];
  /** Extensions that it needs itself. */
  readonly requires: readonly string[];
}

/**
 * Extensions whose types, functions, operators, operator classes or methods some relations ($1: oids) use, with what those
 * extensions need themselves. By pg_depend: only what is of an extension is recorded there by its own name.
 */
export const NEEDED_EXTENSIONS_SQL = `
with recursive rel as (select w.oid from pg_catalog.unnest($1::oid[]) w(oid)),
idx as (select i.indexrelid oid from pg_catalog.pg_index i join rel on rel.oid = i.indrelid),
obj as (
  select 'pg_catalog.pg_class'::regclass::oid classid, oid objid from rel
  union select 'pg_catalog.pg_class'::regclass::oid, oid from idx
  union select 'pg_catalog.pg_attrdef'::regclass::oid, d.oid from pg_catalog.pg_attrdef d join rel on rel.oid = d.adrelid
  union select 'pg_catalog.pg_constraint'::regclass::oid, k.oid from pg_catalog.pg_constraint k join rel on rel.oid = k.conrelid
  union select 'pg_catalog.pg_rewrite'::regclass::oid, r.oid from pg_catalog.pg_rewrite r join rel on rel.oid = r.ev_class),
used as (
  select d.refclassid classid, d.refobjid objid from pg_catalog.pg_depend d join obj on obj.classid = d.classid and obj.objid = d.objid
  union
  select 'pg_catalog.pg_proc'::regclass::oid, am.amhandler::oid from idx join pg_catalog.pg_class c on c.oid = idx.oid
    join pg_catalog.pg_am am on am.oid = c.relam
  union
  select 'pg_catalog.pg_am'::regclass::oid, c.relam from idx join pg_catalog.pg_class c on c.oid = idx.oid),
reached as (
  select classid, objid from used
  union
  select 'pg_catalog.pg_type'::regclass::oid, e.oid from reached r join pg_catalog.pg_type t
      on r.classid = 'pg_catalog.pg_type'::regclass::oid and t.oid = r.objid
    join pg_catalog.pg_type e on e.oid = t.typelem and t.typelem <> 0),
ext as (
  select d.refobjid oid from pg_catalog.pg_depend d join reached r on r.classid = d.classid and r.objid = d.objid
   where d.deptype = 'e' and d.refclassid = 'pg_catalog.pg_extension'::regclass
  union
  select d.refobjid from ext join pg_catalog.pg_depend d on d.objid = ext.oid
   where d.classid = 'pg_catalog.pg_extension'::regclass and d.refclassid = 'pg_catalog.pg_extension'::regclass)
select e.extname::text "name", n.nspname::text "schema",
       array(select s.nspname::text from pg_catalog.pg_depend d join pg_catalog.pg_namespace s on s.oid = d.objid
              where d.classid = 'pg_catalog.pg_namespace'::regclass and d.refclassid = 'pg_catalog.pg_extension'::regclass
                and d.refobjid = e.oid and d.deptype = 'e' order by 1) schemas,
       array(select r.extname::text from pg_catalog.pg_depend d join pg_catalog.pg_extension r on r.oid = d.refobjid
              where d.classid = 'pg_catalog.pg_extension'::regclass and d.objid = e.oid
                and d.refclassid = 'pg_catalog.pg_extension'::regclass order by 1) requires
  from ext join pg_catalog.pg_extension e on e.oid = ext.oid join pg_catalog.pg_namespace n on n.oid = e.extnamespace
 where n.nspname <> 'pg_catalog' or e.extname <> 'plpgsql'
 order by 1`;

/** In how many schemas a table of this name stands, those that resemble the tenant told from others. */
export interface HeldRow extends Row {
  readonly name: string;
  readonly alike: number;
  readonly others: number;
}

/** For each of some table names ($1): schemas that hold at least half of them all, and other ones, that hold it. */
export const HELD_SQL = `
with held as (
  select c.relnamespace, pg_catalog.array_agg(c.relname::text) names, count(*) n from pg_catalog.pg_class c
   where c.relname = any($1::text[]) and c.relkind in ('r', 'p') group by 1)
select t.name, (count(*) filter (where 2 * held.n >= pg_catalog.cardinality($1::text[])))::int4 alike,
       (count(*) filter (where 2 * held.n < pg_catalog.cardinality($1::text[])))::int4 others
  from held, pg_catalog.unnest(held.names) t(name) group by 1`;
