import type { Row, Session } from '../database/session.js';
import type { TenantRule } from '../desired-state/model.js';
import type { Tenant, TenantSelection } from './discover.js';

interface SchemaFacts {
  /** PostgreSQL's own, or an extension's: never a tenant. */
  readonly system: boolean;
  /** Which of the tables that make a tenant it holds; null for all of them. */
  readonly has: readonly string[] | null;
  /** By a pattern of the rule's or of the selection's. */
  readonly excluded: boolean;
  /** By the rule's pattern. */
  readonly liked: boolean;
}

/** A schema, and what a tenant is told by. */
export interface SchemaRow extends Tenant, SchemaFacts {}

/** Schemas of which the same is so. */
interface SchemasRow extends Row, SchemaFacts {
  readonly oids: readonly string[];
  readonly names: readonly string[];
}

/** The schemas of a database in order of name, or the named ones alone, in one statement. */
export async function readSchemas(
  session: Session,
  rule: TenantRule,
  selection: TenantSelection,
): Promise<readonly SchemaRow[]> {
  const named = selection.schemas.length > 0;
  const alike = await session.query<SchemasRow>(
    discoverSql(named),
    [[...rule.exclude, ...selection.exclude], rule.like ?? '', named ? selection.schemas : (rule.havingTables ?? [])],
    { kept: named },
  );
  return alike
    .flatMap(({ oids, names, ...facts }): SchemaRow[] =>
      names.map((schema, at) => ({ oid: oids[at] ?? '', schema, ...facts })),
    )
    .sort((left, right) => (left.schema < right.schema ? -1 : 1));
}

/** The schema as a tenant. */
export const asTenant = ({ oid, schema }: SchemaRow): Tenant => ({ oid, schema });

/**
 * Schemas, and which of the tables that make a tenant ($3) they hold; in one row all of which the same is so. Named ones ($3) are
 * tenants whatever they hold, and nothing is read but them: a batch of an apply must not read the whole fleet's schemas.
 */
const discoverSql = (named: boolean): string => `with ${named ? '' : HELD}
of_extension as (
  select d.objid oid from pg_catalog.pg_depend d
   where d.refclassid = 'pg_catalog.pg_extension'::regclass and d.classid = 'pg_catalog.pg_namespace'::regclass and d.deptype = 'e'),
told as (
  select n.oid, n.nspname,
         n.nspname like 'pg\\_%' or n.nspname = 'information_schema' or n.oid in (select oid from of_extension) "system",
         ${named ? `'{}'::text[]` : `case when held.n is null then '{}' when held.n < (select n from wanted) then array(${HELD_ONES}) end`} has,
         exists (select from pg_catalog.unnest($1::text[]) x where n.nspname like x) excluded,
         n.nspname like $2 liked
    from pg_catalog.pg_namespace n${named ? ' where n.nspname = any($3::name[])' : ' left join held on held.ns = n.oid'})
select pg_catalog.array_agg(oid::text) oids, pg_catalog.array_agg(nspname::text) "names",
       "system", has, excluded, liked
  from told group by "system", has, excluded, liked`;

const HELD_TABLES = `pg_catalog.pg_class c where c.relname = any($3::name[]) and c.relkind in ('r','p')`;

/** How many of the tables a schema holds: which ones is asked of those alone that hold some and not all. */
const HELD = `
wanted as materialized (select count(distinct w) n from pg_catalog.unnest($3::text[]) w),
held as (select c.relnamespace ns, count(*) n from ${HELD_TABLES} group by 1),`;

const HELD_ONES = `select c.relname::text from ${HELD_TABLES} and c.relnamespace = n.oid order by 1`;
