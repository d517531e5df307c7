import type { Row, Session } from '../database/session.js';
import type { IndexUsage } from './fact-types.js';
import { namedSchemas, relationOf } from './named-schemas.js';

/** Scans since the statistics were reset and bytes of one index in each schema, where it is there. */
export async function readUsage(
  session: Session,
  schemas: readonly string[],
  index: string,
): Promise<ReadonlyMap<string, IndexUsage>> {
  const rows = await session.query<Row & { schema: string; scans: string; bytes: string | null }>(
    `with ${namedSchemas('$2')}
     select ns.nspname::text "schema", coalesce(pg_catalog.pg_stat_get_numscans(c.oid), 0)::text scans, pg_catalog.pg_relation_size(c.oid)::text bytes
       from ns ${relationOf(`c.relname = $1::name and c.relkind in ('i', 'I')`)}`,
    [index, schemas],
  );
  return new Map(rows.map((row) => [row.schema, { scans: Number(row.scans), bytes: Number(row.bytes ?? 0) }]));
}
