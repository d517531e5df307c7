/**
 * The schema of what pg_depend `x` says that an object refers to, as a prefix in SQL; null where it has none. By a
 * function: to look into each catalog that may have it was half of what planning the pass took.
 */
const REFERENCED_SCHEMA = `(select i.schema || '.' from pg_catalog.pg_identify_object(x.refclassid, x.refobjid, 0) i)`;

/** What an object's trees refer to, their own table's columns left out. Operator classes are hashed with the index's keys. */
const references = (catalog: string, object: string, table: string, whole = 'true'): string =>
  `from pg_catalog.pg_depend x where x.classid = 'pg_catalog.${catalog}'::regclass and x.objid = ${object} and x.deptype in ('n','a')
     and (x.refobjid <> ${table} or (x.refobjsubid = 0 and ${whole}))
     and x.refclassid not in ('pg_catalog.pg_opclass'::regclass, 'pg_catalog.pg_namespace'::regclass, 'pg_catalog.pg_constraint'::regclass)`;

/**
 * Whether an object's trees name something that may stand inside one of the tenants `ns`. A tree that does not means the
 * same wherever it stands word for word; of one that does, the same oid is one tenant's own object and foreign to another.
 * @param whole whether the trees hold the table's whole row: an index without a plain column depends on its table as well
 */
export const refersIntoTenants = (catalog: string, object: string, table: string, whole: string): string =>
  `exists (select ${references(catalog, object, table, whole)} and not coalesce((select not exists (select from ns where ns.px = s.px) from (select ${REFERENCED_SCHEMA} px) s where s.px is not null), false))`;

/**
 * What an object's trees name outside of the tenant of `r`, by oid: as text, schema `xt1` seen from `t1` is `xt2` seen from
 * `t2`.
 */
export const foreignReferences = (catalog: string, object: string): string =>
  `array(select (x.refclassid, x.refobjid)::text ${references(catalog, object, 'r.oid')} and x.refobjid <> r.oid
      and ${REFERENCED_SCHEMA} is distinct from r.px order by 1)`;

/** Whether an object's trees name something outside their own table whose oid may be another in another tenant. */
export const isFar = (catalog: string, object: string): string =>
  `exists (select ${references(catalog, object, 'r.oid')} and x.refobjid <> r.oid
     ${catalog === 'pg_class' ? "and x.refclassid <> 'pg_catalog.pg_collation'::regclass" : ''})`;
