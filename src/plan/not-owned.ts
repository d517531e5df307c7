import { relationNamed } from '../catalog/named-schemas.js';
import type { Row, Session } from '../database/session.js';
import type { Diagnostic, PlannedTenant } from './fleet-plan.js';

/** Tenants that are named: a fleet may have thousands. */
const NAMED = 3;

/**
 * A warning for each owner of tables that pending changes are about and whose privileges the role has not: apply fails there.
 * None where that is so of every such table: whoever owns none of them plans, and another role applies. Asked only where
 * something is pending.
 */
export async function notOwnedDiagnostics(
  session: Session,
  tenants: readonly PlannedTenant[],
  { id, role }: { readonly id: string; readonly role: string },
): Promise<readonly Diagnostic[]> {
  const pending = tenants.flatMap(({ schema, changes }) => {
    const tables = changes.flatMap(({ change }) => (change.status === 'pending' ? [change.table] : []));
    return [...new Set(tables)].map((table) => ({ schema, table }));
  });
  if (pending.length === 0) return [];
  const rows = await session.query<Row & { owner: string; count: number; schemas: readonly string[] }>(NOT_OWNED_SQL, [
    pending.map(({ schema }) => schema),
    pending.map(({ table }) => table),
    NAMED,
  ]);
  return rows.map(({ owner, count, schemas }) => {
    const more = count > schemas.length ? ` and ${count - schemas.length} more` : '';
    return {
      severity: 'warning' as const,
      code: 'NOT_THE_OWNER' as const,
      message: `role ${role} has not the privileges of role ${owner}, which owns tables that are to be changed in ${count === 1 ? '1 tenant' : `${count} tenants`} (${schemas.join(', ')}${more}): apply would fail there`,
      remedy: 'run apply as a member of that role, or with --role: trueup doctor has the statement',
      database: id,
      schema: null,
    };
  });
}

const NOT_OWNED_SQL = `
with changed as (
  select w.s nspname, c.relowner, pg_catalog.pg_has_role(c.relowner, 'usage') own
    from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) w(s, t)
   cross join ${relationNamed('w.s', 'w.t')} where c.relkind in ('r', 'p', 'm'))
select pg_catalog.pg_get_userbyid(relowner)::text "owner", count(distinct nspname)::int4 "count",
       (pg_catalog.array_agg(distinct nspname::text))[1:$3] schemas
  from changed where not own and (select pg_catalog.bool_or(own) from changed)
 group by relowner order by 2 desc, 1`.trim();
