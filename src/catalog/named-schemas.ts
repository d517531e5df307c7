/**
 * A common table expression `ns` of schemas by name, to be joined to pg_class by {@link relationOf}. In one join the server may
 * go through the relations of that name of all tenants of the fleet, for each batch of an apply.
 * @param names the parameter that has them, as an array
 */
export const namedSchemas = (names: string): string =>
  `ns as materialized (select n.oid, n.nspname from pg_catalog.pg_namespace n where n.nspname = any(${names}::name[]))`;

/**
 * What each schema of `ns` has of some relations, looked up by name and schema, as `c`.
 * @param condition on pg_class `c`: of its name, at least
 */
export const relationOf = (condition: string): string =>
  `cross join lateral (select c.* from pg_catalog.pg_class c where c.relnamespace = ns.oid and ${condition} offset 0) c`;

/**
 * The relation of a name in a schema of a name, as `c`; no row where there is none. Looked up by both at once: in a join the
 * server may go through what all tenants of the fleet have of that name, each time.
 * @param schema SQL, as is `name`; may speak of what stands before it in the FROM list
 */
export const relationNamed = (schema: string, name: string): string =>
  `lateral (select c.* from pg_catalog.pg_class c where c.relname = ${name}
      and c.relnamespace = (select n.oid from pg_catalog.pg_namespace n where n.nspname = ${schema}) offset 0) c`;

/** The relation of an oid, likewise: for a few relations, not those of a name that all tenants have. */
export const relationAt = (oid: string, as = 'c'): string =>
  `lateral (select ${as}.* from pg_catalog.pg_class ${as} where ${as}.oid = ${oid} offset 0) ${as}`;

/**
 * Whether another table inherits from table `c`. What pg_class says of it stays after the last has gone, until an ANALYZE: told by
 * it alone, a tenant would have changed since its plan whenever autovacuum came between.
 */
export const HAS_HEIRS =
  '(c.relhassubclass and exists (select from pg_catalog.pg_inherits h where h.inhparent = c.oid offset 0))';

/**
 * Table `c` and all that inherit from it, at any depth, as `heir`: the head of a query. The planner expects dozens of them, and what
 * is joined to them would be gone through whole, for each tenant: of a fleet's pg_class all rows. So each is looked up.
 */
export const WITH_HEIRS = `with recursive heir as (
    select c.oid
    union
    select h.inhrelid from heir cross join lateral (select h.inhrelid from pg_catalog.pg_inherits h where h.inhparent = heir.oid offset 0) h)`;
