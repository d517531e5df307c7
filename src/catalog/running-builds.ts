import type { Row, Session } from '../database/session.js';
import type { Building } from './fact-types.js';
import { namedSchemas, relationAt, relationOf } from './named-schemas.js';

/**
 * Who is at work on the indexes of one table in each schema. A concurrent build (and REINDEX and DROP INDEX CONCURRENTLY)
 * holds SHARE UPDATE EXCLUSIVE on its table from before its index is seen until it is valid; the progress view hides other
 * roles' builds, pg_locks does not. Not counted: autovacuum, which gives way (its row in pg_stat_activity has no user), and
 * prepared transactions, which have no process.
 *
 * The locks are read first: an index that is INVALID after that, and was before, is one that nobody was building. In the
 * other order a build that ends in between would leave a valid index that is taken for a leftover.
 */
export async function readBuilding(
  session: Session,
  schemas: readonly string[],
  table: string,
): Promise<ReadonlyMap<string, Building>> {
  const builders = await session.query<Row & { schema: string; pid: number }>(
    `select n.nspname::text "schema", b.pid
       from (${BUILDERS_SQL}) b cross join ${relationAt('b.relation')}
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname = any($2::text[])
      where c.relname = $1`,
    [table, schemas],
  );
  const invalid = await session.query<Row & { schema: string; names: readonly string[] }>(
    `with ${namedSchemas('$2')}
     select ns.nspname::text "schema", pg_catalog.array_agg(ic.relname::text) names
       from ns ${relationOf('c.relname = $1::name')}
      cross join lateral (
       select i.indexrelid from pg_catalog.pg_index i where i.indrelid = c.oid and not (i.indisvalid and i.indisready) offset 0) i
      cross join ${relationAt('i.indexrelid', 'ic')}
      group by 1`,
    [table, schemas],
  );
  const by = new Map(builders.map((row) => [row.schema, row.pid]));
  const names = new Map(invalid.map((row) => [row.schema, row.names]));
  return new Map(schemas.map((schema) => [schema, { by: by.get(schema) ?? null, invalid: names.get(schema) ?? [] }]));
}

/** Who is at work so on any table of this database: the server's process by the table's oid. */
export async function readBuilders(session: Session): Promise<ReadonlyMap<string, number>> {
  const rows = await session.query<Row & { table: string; pid: number }>(
    `select b.relation::text "table", b.pid from (${BUILDERS_SQL}) b`,
  );
  return new Map(rows.map(({ table, pid }) => [table, pid]));
}

const BUILDERS_SQL = `
select l.relation, min(coalesce(a.leader_pid, l.pid)) pid
  from pg_catalog.pg_locks l
  join pg_catalog.pg_stat_activity a on a.pid = l.pid and a.usesysid is not null
 where l.locktype = 'relation' and l.mode = 'ShareUpdateExclusiveLock' and l.granted
   and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
   and l.pid <> pg_catalog.pg_backend_pid()
 group by l.relation`;
