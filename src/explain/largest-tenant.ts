import type { Tenant } from '../catalog/discover.js';
import type { Row, Session } from '../database/session.js';

/**
 * The tenant whose probed tables are the largest by the statistics of the catalog, and where none has any by the sizes of
 * their files. Null: no tenant has such a table.
 */
export async function largestTenant(
  session: Session,
  tenants: readonly Tenant[],
  tables: readonly string[],
): Promise<string | null> {
  for (const size of ['pg_catalog.sum(c.relpages::int8)', 'pg_catalog.sum(pg_catalog.pg_relation_size(c.oid))']) {
    const [row] = await session.query<Row & { oid: string; size: string | null }>(
      `select c.relnamespace::text oid, coalesce(${size}, 0)::text "size" from pg_catalog.pg_class c
        where c.relname = any($2::name[]) and c.relnamespace = any($1::pg_catalog.oid[]) and c.relkind in ('r', 'p', 'm')
        group by c.relnamespace order by coalesce(${size}, 0) desc, c.relnamespace limit 1`,
      [tenants.map((tenant) => tenant.oid), tables],
    );
    if (row === undefined) return null;
    if (row.size !== '0') return tenants.find((tenant) => tenant.oid === row.oid)?.schema ?? null;
  }
  return tenants[0]?.schema ?? null;
}
