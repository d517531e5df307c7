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

/** What tables of the schema may name and the format has no place for, unless an extension brought it. */
export interface RoutineRow extends Row {
  readonly kind: 'function' | 'text search configuration' | 'type';
  readonly name: string;
}

/** Functions, text search configurations and types of a schema ($1: its oid), those of extensions and of tables aside. */
export const ROUTINES_SQL = `
select 'function' kind, p.proname::text "name" from pg_catalog.pg_proc p
 where p.pronamespace = $1::oid and not exists (
   select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype in ('e', 'i'))
union
select 'text search configuration', g.cfgname::text from pg_catalog.pg_ts_config g
 where g.cfgnamespace = $1::oid and not exists (
   select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_ts_config'::regclass and d.objid = g.oid and d.deptype = 'e')
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
