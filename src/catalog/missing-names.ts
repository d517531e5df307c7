import { chunk } from '../collections.js';
import type { Row, Session } from '../database/session.js';
import type { OwnName } from '../sql/own-names.js';

/** A name that is to be found in a tenant's schema. */
export interface SoughtName extends OwnName {
  readonly schema: string;
}

/** Names that one statement looks up. */
const NAMES_PER_STATEMENT = 10_000;

/** Those of the names that nothing of their kind has. Catalogs alone are read, and nothing is locked. */
export async function readMissingNames(
  session: Session,
  sought: readonly SoughtName[],
): Promise<readonly SoughtName[]> {
  const missing: SoughtName[] = [];
  for (const part of chunk(sought, NAMES_PER_STATEMENT)) {
    const rows = await session.query<Row & { readonly at: number }>(MISSING, [
      part.map(({ schema }) => schema),
      part.map(({ kind }) => kind),
      part.map(({ name }) => name),
    ]);
    const places = new Set(rows.map(({ at }) => at));
    missing.push(...part.filter((_, index) => places.has(index + 1)));
  }
  return missing;
}

/** A type that is no more than announced is none. Each name by the catalogs' indexes on names, as in src/catalog/name-holders.ts. */
const MISSING = `
with sought as materialized (
  select n.oid ns, s.kind, s.name, s.at::int4 "at"
    from unnest($1::name[], $2::text[], $3::name[]) with ordinality s("schema", kind, name, "at")
    left join pg_catalog.pg_namespace n on n.nspname = s."schema")
select s."at"
  from sought s
  left join lateral (select true found from pg_catalog.pg_type t
                      where s.kind = 'type' and t.typname = s.name and t.typnamespace = s.ns and t.typisdefined limit 1) t on true
  left join lateral (select true found from pg_catalog.pg_class c
                      where s.kind = 'relation' and c.relname = s.name and c.relnamespace = s.ns limit 1) c on true
  left join lateral (select true found from pg_catalog.pg_proc p
                      where s.kind = 'function' and p.proname = s.name and p.pronamespace = s.ns limit 1) p on true
 where t.found is null and c.found is null and p.found is null`;
