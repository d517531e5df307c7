import { namePattern } from '../desired-state/family-names.js';
import type { DesiredPhase, DesiredTable, IndexFamily } from '../desired-state/model.js';

/**
 * What the catalog queries need to tell owned indexes and family members from the rest: they are read apart, tenant by
 * tenant, and are no part of a shape (else every tenant with rows of its own would have a shape of its own).
 */
export interface OwnershipFilter {
  readonly ownership: readonly {
    readonly phase: string;
    readonly methods: readonly string[];
    readonly columns: readonly string[];
    readonly ignoring: readonly string[];
  }[];
  readonly families: readonly { readonly table: string; readonly pattern: string }[];
}

/** The filter for all phases, the ones that this run skips too: their indexes must not split the shapes of the others. */
export function ownershipFilter(phases: readonly DesiredPhase[], tables: readonly DesiredTable[]): OwnershipFilter {
  return {
    ownership: phases.flatMap((phase) =>
      phase.owns === null
        ? []
        : [
            {
              phase: phase.name,
              methods: phase.owns.methods,
              columns: phase.owns.columns,
              ignoring: phase.owns.ignoring,
            },
          ],
    ),
    families: tables.flatMap((table) =>
      table.families.map((family) => ({ table: table.name, pattern: familyNamePattern(family) })),
    ),
  };
}

/** A regular expression (PostgreSQL's and JavaScript's) for every name that a family can give. */
export const familyNamePattern = (family: IndexFamily): string => namePattern(family.name, family.lists);

/**
 * Common table expressions shared by the queries: `ns` (the tenants, $1 oids), `rel` (their declared tables, $2 names)
 * and `own` (indexes read apart, $3 the filter as JSON). px and pq are the schema as a prefix in SQL and inside a literal.
 */
export const TENANT_RELATIONS_SQL = `
ns as materialized (
  select n.oid, n.nspname, pg_catalog.quote_ident(n.nspname) || '.' px,
         pg_catalog.replace(pg_catalog.quote_ident(n.nspname), '''', '''''') || '.' pq
    from pg_catalog.pg_namespace n where n.oid = any($1::oid[])),
rel as materialized (
  select c.oid, c.relname, c.relnamespace ns, n.px, n.pq, c.relkind,
         concat_ws('|', c.relkind, c.relpersistence, c.relispartition, c.relreplident) o
    from pg_catalog.pg_class c join ns n on n.oid = c.relnamespace
   where c.relkind in ('r','p','m','v','f') and c.relname = any($2::text[])),
rule as materialized (
  select o ->> 'phase' phase, array(select pg_catalog.jsonb_array_elements_text(o -> 'methods')) methods,
         array(select pg_catalog.jsonb_array_elements_text(o -> 'columns')) columns,
         array(select pg_catalog.jsonb_array_elements_text(o -> 'ignoring')) ignoring
    from pg_catalog.jsonb_array_elements($3::jsonb -> 'ownership') o),
fam as materialized (
  select f ->> 'table' tab, f ->> 'pattern' pattern from pg_catalog.jsonb_array_elements($3::jsonb -> 'families') f),
keyed as (
  select i.indexrelid, am.amname,
         array(select a.attname::text from pg_catalog.unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) k(attnum)
                 join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum and k.attnum > 0
                union all
               select a.attname::text from pg_catalog.regexp_matches(i.indexprs::text, ':varattno (\\d+)', 'g') m
                 join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = m[1]::int2) cols
    from pg_catalog.pg_index i join rel r on r.oid = i.indrelid
    join pg_catalog.pg_class ic on ic.oid = i.indexrelid join pg_catalog.pg_am am on am.oid = ic.relam
   where exists (select from rule where am.amname = any(rule.methods))),
own as materialized (
  select indexrelid, max(phase) phase from (
  select k.indexrelid, rule.phase from keyed k join rule on k.amname = any(rule.methods)
   where k.cols <@ (rule.columns || rule.ignoring) and k.cols && rule.columns
  union all
  select i.indexrelid, null from pg_catalog.pg_index i join rel r on r.oid = i.indrelid join fam on fam.tab = r.relname
    join pg_catalog.pg_class ic on ic.oid = i.indexrelid where ic.relname ~ fam.pattern) o group by 1)`;
