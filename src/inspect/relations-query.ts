import type { Row } from '../database/session.js';

/** A relation of the schema, with all that decides whether the format can say it. */
export interface RelationRow extends Row {
  readonly oid: string;
  readonly name: string;
  readonly relkind: string;
  readonly typed: boolean;
  readonly populated: boolean;
  /** The extension that it belongs to. */
  readonly extension: string | null;
  /** Tables that it inherits from, or the one that it is a partition of. */
  readonly parents: readonly string[];
  readonly is_partition: boolean;
  readonly children: number;
  readonly row_security: boolean;
  readonly triggers: readonly string[];
  readonly rules: readonly string[];
  readonly policies: readonly string[];
  /** Of a sequence: the column that owns it, as `table.column`. */
  readonly owner: string | null;
  /** Of a materialized view: what it reads, as `[schema, name]`. */
  readonly reads: readonly (readonly [string, string])[];
}

/** All relations of a schema ($1: its oid), in order of creation: what a view reads was there before it. */
export const RELATIONS_SQL = `
select c.oid::text oid, c.relname::text "name", c.relkind::text relkind, c.reloftype <> 0 typed, c.relispopulated populated,
       (select e.extname::text from pg_catalog.pg_depend d join pg_catalog.pg_extension e on e.oid = d.refobjid
         where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
           and d.refclassid = 'pg_catalog.pg_extension'::regclass limit 1) "extension",
       array(select p.relname::text from pg_catalog.pg_inherits h join pg_catalog.pg_class p on p.oid = h.inhparent
              where h.inhrelid = c.oid order by h.inhseqno) parents,
       c.relispartition is_partition,
       (select count(*)::int4 from pg_catalog.pg_inherits h where h.inhparent = c.oid) children,
       c.relrowsecurity row_security,
       array(select t.tgname::text from pg_catalog.pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal order by 1) triggers,
       array(select r.rulename::text from pg_catalog.pg_rewrite r where r.ev_class = c.oid and c.relkind in ('r', 'p') order by 1) rules,
       array(select p.polname::text from pg_catalog.pg_policy p where p.polrelid = c.oid order by 1) policies,
       (select o.relname || '.' || a.attname from pg_catalog.pg_depend d join pg_catalog.pg_class o on o.oid = d.refobjid
          join pg_catalog.pg_attribute a on a.attrelid = o.oid and a.attnum = d.refobjsubid
         where c.relkind = 'S' and d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid
           and d.refclassid = 'pg_catalog.pg_class'::regclass and d.deptype in ('a', 'i') and d.refobjsubid > 0 limit 1) "owner",
       (select coalesce(pg_catalog.jsonb_agg(distinct pg_catalog.jsonb_build_array(rn.nspname, rc.relname)), '[]')
          from pg_catalog.pg_rewrite w
          join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = w.oid
           and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid <> w.ev_class
          join pg_catalog.pg_class rc on rc.oid = d.refobjid join pg_catalog.pg_namespace rn on rn.oid = rc.relnamespace
         where c.relkind = 'm' and w.ev_class = c.oid) reads
  from pg_catalog.pg_class c where c.relnamespace = $1::oid and c.relkind in ('r', 'p', 'm', 'v', 'f', 'S')
 order by c.oid`;

/** A function or type of the schema that no extension brought. */
export interface RoutineRow extends Row {
  readonly kind: 'function' | 'type';
  readonly name: string;
}

/** Functions and types of a schema ($1: its oid), those of extensions and of tables aside. */
export const ROUTINES_SQL = `
select 'function' kind, p.proname::text "name" from pg_catalog.pg_proc p
 where p.pronamespace = $1::oid and not exists (
   select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype in ('e', 'i'))
union
select 'type', t.typname::text from pg_catalog.pg_type t left join pg_catalog.pg_class c on c.oid = t.typrelid
 where t.typnamespace = $1::oid and t.typelem = 0 and t.typtype in ('e', 'd', 'c', 'r', 'b') and (c.oid is null or c.relkind = 'c')
   and not exists (select from pg_catalog.pg_depend d
                    where d.classid = 'pg_catalog.pg_type'::regclass and d.objid = t.oid and d.deptype in ('e', 'i'))
 order by 1, 2`;

/** A constraint that the catalog's shape does not tell from one that the format can say. */
export interface ConstraintExtraRow extends Row {
  readonly table: string;
  readonly name: string;
  readonly why: string;
}

/**
 * Constraints of a schema ($1: its oid) with more to them than the format says.
 * @param version server_version_num
 */
export function constraintExtrasSql(version: number): string {
  const cases = [
    ...(version >= 180_000
      ? ["when k.conperiod then 'it is WITHOUT OVERLAPS or PERIOD'", "when not k.conenforced then 'it is NOT ENFORCED'"]
      : []),
    ...(version >= 150_000 ? ["when k.confdelsetcols is not null then 'it sets only some columns on delete'"] : []),
    "when k.contype = 'x' then 'it is an exclusion constraint'",
  ];
  return `
select * from (
  select c.relname::text "table", k.conname::text "name", case ${cases.join(' ')} end why
    from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid where c.relnamespace = $1::oid) o
 where why is not null order by 1, 2`;
}

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
