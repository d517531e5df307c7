import type { Row, Session } from '../database/session.js';
import { bareType } from '../sql/bare-type.js';
import { TENANT_SCHEMA } from '../sql/template.js';
import type { DomainChecks } from './fact-types.js';

/** What a declared type checks in each schema: those are left out where it is no domain, or checks nothing. */
export async function readDomainChecks(
  session: Session,
  schemas: readonly string[],
  type: string,
): Promise<ReadonlyMap<string, DomainChecks>> {
  const bare = await bareType(type);
  // Of an array's elements PostgreSQL makes none before there are values.
  if (bare === null || bare.array) return new Map();
  const home = bare.schema === TENANT_SCHEMA ? null : bare.schema;
  const rows = await session.query<Row & { schema: string; refusesNull: boolean }>(CHECKS_SQL, [
    schemas,
    home,
    bare.name,
  ]);
  return new Map(rows.map(({ schema, refusesNull }) => [schema, { any: true, refusesNull }]));
}

/**
 * A domain over another checks what that one does, and has its default where it was made without one. Of its checks only the one
 * that is as good as NOT NULL is read: any other may pass NULL.
 */
const CHECKS_SQL = `
with recursive d as (
  select s.name "schema", t.oid, t.typbasetype, t.typnotnull, t.typdefault is null "bare"
    from unnest($1::text[]) s(name)
    join pg_catalog.pg_namespace n on n.nspname = coalesce($2::text, s.name)
    join pg_catalog.pg_type t on t.typnamespace = n.oid and t.typname = $3 and t.typtype = 'd'
  union all
  select d."schema", t.oid, t.typbasetype, t.typnotnull, d."bare"
    from d join pg_catalog.pg_type t on t.oid = d.typbasetype and t.typtype = 'd')
select "schema", pg_catalog.bool_or("bare" and (typnotnull or k.def like 'CHECK ((VALUE IS NOT NULL))%')) "refusesNull"
  from d left join lateral (
    select pg_catalog.pg_get_constraintdef(k.oid) def from pg_catalog.pg_constraint k where k.contypid = d.oid) k on true
 group by 1 having pg_catalog.bool_or(typnotnull or k.def is not null)`;
