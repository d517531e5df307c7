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
